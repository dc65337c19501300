// erf, and exp(x) - 1 below 0, lane by lane (docs/accuracy.md). Included only by kernels/isa.cpp.
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

// Below 1 a P(a^2), above it 1 - exp(-L(a)), with P and L polynomials fitted to erf(a)/a and -log(1 - erf(a))
// so that the largest error of erf is least (1.2e-9 of it, and 1.0e-9). From 4 on erf is 1.
inline Vec<float> erf_of_positive(Vec<float> a) {
  constexpr float p[] = {1.128379166f,     -3.761262714e-01f, 1.128360018e-01f, -2.685444459e-02f,
                         5.189535340e-03f, -8.020841287e-04f, 7.889119557e-05f};
  constexpr float l[] = {3.537089304e-04f,  1.127040080f,     6.382256024e-01f, 1.030374355e-01f,
                         -2.180535115e-02f, 2.939615734e-03f, -1.855748930e-04f};
  const Vec<float> bounded = a > 4.0f ? splat(4.0f) : a;
  const Vec<float> large = 1.0f - exp<float>(-polynomial<float>(l, bounded));
  return a < 1.0f ? a * polynomial<float>(p, a * a) : large;
}

// Below 1 a T(a^2)/U(a^2), above it 1 - exp(-a^2) P(a)/Q(a) (Cephes, ndtr.c). From 6 on erf is 1.
inline Vec<double> erf_of_positive(Vec<double> a) {
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
  const Vec<double> z = a * a;
  const Vec<double> bounded = a > 6.0 ? splat(6.0) : a;
  const Vec<double> large = 1.0 - exp<double>(-bounded * bounded) *
                                      (polynomial<double>(p, bounded) / polynomial<double>(q, bounded));
  return a < 1.0 ? a * (polynomial<double>(t, z) / polynomial<double>(u, z)) : large;
}

// erf(x) = -erf(-x)
template <class T>
Vec<T> erf(Vec<T> x) {
  const Vec<T> y = erf_of_positive(absolute<T>(x));
  return vector_of<T>(bits_of<T>(y) | (bits_of<T>(x) & bits_of<T>(-Vec<T>{})));
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
