// erfc, and exp(x) - 1 below 0, lane by lane (docs/accuracy.md). Included only by kernels/isa.cpp.
#pragma once

#include <cmath>

#include "kernels/elementary.h"

namespace lamina::LAMINA_ISA {
namespace {

// exp(x) - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), with n and r as in exp. Below -40 it is -1 in either
// type.
template <class T>
Vec<T> expm1_below_zero(Vec<T> x) {
  using N = ExpNumbers<T>;
  x = x < T(-40) ? splat(T(-40)) : x;
  x = x > T(0) ? Vec<T>{} : x;
  const Vec<T> shifted = x * T(1.44269504088896340736) + N::rounder;
  const Vec<T> n = shifted - N::rounder;
  const Vec<T> r = (x - n * N::ln2_high) - n * N::ln2_low;
  Vec<T> q = splat(T(inverse_factorial(N::degree)));
  for (int k = N::degree - 1; k >= 2; --k) q = q * r + T(inverse_factorial(k));
  const Bits<T> exponent = bits_of<T>(shifted) - bits_of<T>(splat(N::rounder));
  const Vec<T> scale = vector_of<T>((exponent + N::bias) << N::mantissa);
  return (q * (r * r) + r) * scale + (scale - T(1));
}

// c[n - 1] x^(n-1) + ... + c[0]
template <class T, int n>
Vec<T> polynomial(const T (&c)[n], Vec<T> x) {
  Vec<T> sum = splat(c[n - 1]);
  for (int k = n - 2; k >= 0; --k) sum = sum * x + c[k];
  return sum;
}

// erfc(a) of a >= 0: below 1 it is 1 - a P(a^2), above it exp(-a^2) E(a). P is fitted to erf(a) / a, and E, a
// polynomial in t = 2 / (2 + a) times t, to exp(a^2) erfc(a), each so that its largest relative error is
// least: 1.2e-9 and 1.1e-8.
inline Vec<float> erfc_of_positive(Vec<float> a) {
  constexpr float p[] = {1.128379166f,     -3.761262714e-01f, 1.128360018e-01f, -2.685444459e-02f,
                         5.189535340e-03f, -8.020841287e-04f, 7.889119557e-05f};
  constexpr float e[] = {2.820984295e-01f, 2.820390193e-01f, 2.469691146e-01f,  1.787565836e-01f,
                         6.105915105e-02f, 8.239372507e-02f, -2.262281955e-01f, 9.348752965e-02f};
  const Vec<float> t = 2.0f / (2.0f + a);
  const Vec<float> large = exp<float>(-(a * a)) * (t * polynomial<float>(e, t));
  return a < 1.0f ? 1.0f - a * polynomial<float>(p, a * a) : large;
}

// Below 1 as 1 - a T(a^2) / U(a^2), above it exp(-a^2) P(a) / Q(a), from 8 on exp(-a^2) R(a) / S(a) (Cephes,
// ndtr.c).
inline Vec<double> erfc_of_positive(Vec<double> a) {
  constexpr double t[] = {5.55923013010394962768e4, 7.00332514112805075473e3, 2.23200534594684319226e3,
                          9.00260197203842689217e1, 9.60497373987051638749};
  constexpr double u[] = {4.92673942608635921086e4, 2.26290000613890934246e4, 4.59432382970980127987e3,
                          5.21357949780152679795e2, 3.35617141647503099647e1, 1.0};
  constexpr double p[] = {5.57535335369399327526e2, 1.02755188689515710272e3,  9.34528527171957607540e2,
                          5.26445194995477358631e2, 1.96520832956077098242e2,  4.86371970985681366614e1,
                          7.46321056442269912687,   5.64189564831068821977e-1, 2.46196981473530512524e-10};
  constexpr double q[] = {5.57535340817727675546e2, 1.65666309194161350182e3, 2.24633760818710981792e3,
                          1.82390916687909736289e3, 9.75708501743205489753e2, 3.54937778887819891062e2,
                          8.67072140885989742329e1, 1.32281951154744992508e1, 1.0};
  constexpr double r[] = {2.97886665372100240670, 7.40974269950448939160, 6.16021097993053585195,
                          5.01905042251180477414, 1.27536670759978104416, 5.64189583547755073984e-1};
  constexpr double s[] = {3.36907645100081516050,
                          9.60896809063285878198,
                          1.70814450747565897222e1,
                          1.20489539808096656605e1,
                          9.39603524938001434673,
                          2.26052863220117276590,
                          1.0};
  const Vec<double> z = a * a;
  const Vec<double> bounded = a > 30.0 ? splat(30.0) : a;  // where it is 0; beyond, p / q might overflow
  const Vec<double> middle = polynomial<double>(p, bounded) / polynomial<double>(q, bounded);
  const Vec<double> far = polynomial<double>(r, bounded) / polynomial<double>(s, bounded);
  const Vec<double> large = exp<double>(-z) * (a < 8.0 ? middle : far);
  return a < 1.0 ? 1.0 - a * (polynomial<double>(t, z) / polynomial<double>(u, z)) : large;
}

// erfc(x) = 1 - erf(x) = 2 - erfc(-x)
template <class T>
Vec<T> erfc(Vec<T> x) {
  const Vec<T> y = erfc_of_positive(absolute<T>(x));
  return x < T(0) ? T(2) - y : y;
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
template <class T>
Vec<T> softplus(Vec<T> x) {
  return (x > T(0) ? x : Vec<T>{}) + log1p_of_unit<T>(exp<T>(-absolute<T>(x)));
}

template <class T>
Vec<T> square_root(Vec<T> x) {
  T lanes[kLanes<T>];  // an array: this loop the compilers make one instruction
  store(lanes, x);
  for (T& lane : lanes) lane = std::sqrt(lane);
  return load(lanes);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
