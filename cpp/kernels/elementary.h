// exp, sigmoid and tanh, lane by lane, within 2 units in the last place over the whole range
// (docs/accuracy.md). Included only by kernels/isa.cpp.
#pragma once

#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// Numbers of exp. `ln2_high` has so few bits that its product with the exponent is exact (Cody and Waite);
// adding and subtracting `rounder` rounds to the nearest integer, which is then also in the low bits;
// `low` and `high` lie just beyond the arguments whose exponential underflows to 0 or overflows.
template <class T>
struct ExpNumbers;
template <>
struct ExpNumbers<float> {
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr float rounder = 0x1.8p23f, low = -104.0f, high = 89.0f;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr int degree = 7;  // |r| <= ln2/2: the Taylor series' rest is r^8/8! <= 5.2e-9
};
template <>
struct ExpNumbers<double> {
  static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  static constexpr double rounder = 0x1.8p52, low = -746.0, high = 710.0;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr int degree = 13;  // r^14/14! <= 4.1e-18
};

constexpr double inverse_factorial(int n) { return n <= 1 ? 1.0 : inverse_factorial(n - 1) / n; }

// e^x = 2^n e^r, n = round(x / ln 2), r = x - n ln 2. NaN stays NaN, large arguments give inf, small ones 0.
template <class T>
[[gnu::always_inline]] inline Vec<T> exp(Vec<T> x) {
  using N = ExpNumbers<T>;
  x = x < N::low ? splat(N::low) : x;
  x = x > N::high ? splat(N::high) : x;
  const Vec<T> shifted = x * T(1.44269504088896340736) + N::rounder;
  const Vec<T> n = shifted - N::rounder;
  const Vec<T> r = (x - n * N::ln2_high) - n * N::ln2_low;
  // e^r = 1 + (r + r^2 q(r)): the large terms are added last.
  Vec<T> q = splat(T(inverse_factorial(N::degree)));
  for (int k = N::degree - 1; k >= 2; --k) q = q * r + T(inverse_factorial(k));
  const Vec<T> p = (q * (r * r) + r) + T(1);
  // 2^n in two factors, so that only the last product is rounded where the result is subnormal.
  const Bits<T> exponent = bits_of<T>(shifted) - bits_of<T>(splat(N::rounder));
  const Bits<T> half = exponent >> 1;
  const Vec<T> scale1 = vector_of<T>((half + N::bias) << N::mantissa);
  const Vec<T> scale2 = vector_of<T>((exponent - half + N::bias) << N::mantissa);
  return p * scale1 * scale2;
}

template <class T>
Vec<T> absolute(Vec<T> x) {
  return vector_of<T>(bits_of<T>(x) & ~bits_of<T>(-Vec<T>{}));
}

// 1 / (1 + e^-x), as 1/d or e/d with e = e^-|x|, d = 1 + e, so that nothing overflows.
template <class T>
[[gnu::always_inline]] inline Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> e = exp<T>(-absolute<T>(x));
  const Vec<T> d = T(1) + e;
  const Vec<T> lost = e - (d - T(1));  // what rounding took from d, given back to first order
  const Vec<T> one = splat(T(1));
  const Vec<T> y = (x < T(0) ? e : one) / d;
  const Vec<T> inverse = x < T(0) ? one - y : y;  // 1 / d
  return y - y * inverse * lost;
}

// log(1 + x) for x in [0, 1], as 2 atanh(s) = 2 s (1 + s^2/3 + s^4/5 + ...) with s = x / (2 + x) <= 1/3.
template <class T>
Vec<T> log1p_of_unit(Vec<T> x) {
  constexpr int terms = sizeof(T) == 4 ? 8 : 17;  // 9^-terms is below half a unit in the last place
  const Vec<T> s = x / (T(2) + x);
  const Vec<T> z = s * s;
  Vec<T> series = splat(T(1.0 / (2 * terms + 1)));
  for (int k = terms - 1; k >= 1; --k) series = series * z + T(1.0 / (2 * k + 1));
  return T(2) * (s + s * (z * series));
}

// tanh of |x|, the sign put back. Below 0.625 x + x^3 P(x^2)/Q(x^2) (Cephes, tanh.c), above it 1 - 2/(e^2x +
// 1).
template <class T>
Vec<T> tanh(Vec<T> x) {
  const Vec<T> a = absolute<T>(x);
  const Vec<T> z = a * a;
  const Vec<T> p =
      (T(-9.64399179425052238628e-1) * z - T(9.92877231001918586564e1)) * z - T(1.61468768441708447952e3);
  const Vec<T> q =
      ((z + T(1.12811678491632931402e2)) * z + T(2.23548839060100448583e3)) * z + T(4.84406305325125486048e3);
  const Vec<T> small = a + a * (z * (p / q));
  const Vec<T> large = T(1) - T(2) / (exp<T>(a + a) + T(1));
  const Vec<T> y = a < T(0.625) ? small : large;
  return vector_of<T>(bits_of<T>(y) | (bits_of<T>(x) & bits_of<T>(-Vec<T>{})));
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
