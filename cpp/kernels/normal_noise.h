// Normal numbers by place in a stream (Box and Muller, 1958): words 2k and 2k + 1 of the stream, as u and v
// in (0, 1), give numbers 2k and 2k + 1, sqrt(-2 log u) times cos and sin of 2 pi v. All in double, since in
// float log u has few digits near u = 1. Plain loops, which the compiler turns into vectors. Included only by
// kernels/normalisation.cpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/philox.h"

namespace lamina::LAMINA_ISA {
namespace {

// log u for a normal positive u: u = 2^e m with m in [1/sqrt 2, sqrt 2), and log m = 2 atanh((m - 1) / (m +
// 1)), whose series' rest is below 0.0295^11 / 23.
inline double logarithm(double u) {
  const auto bits = std::bit_cast<std::int64_t>(u);
  const std::int64_t e = (bits - std::bit_cast<std::int64_t>(0.70710678118654752)) >> 52;
  const auto m = std::bit_cast<double>(bits - (e << 52));
  const double s = (m - 1) / (m + 1), z = s * s;
  double series = 1.0 / 23;
  for (int k = 10; k >= 1; --k) series = series * z + 1.0 / (2 * k + 1);
  return static_cast<double>(static_cast<std::int32_t>(e)) * 0.69314718055994531 + 2 * (s + s * (z * series));
}

// cos and sin of 2 pi v for v in [0, 1]: v = q / 4 + r, |r| <= 1/8, and Taylor's series at 2 pi r.
inline void cos_sin_of_turn(double v, double* cosine, double* sine) {
  const auto q = static_cast<std::int32_t>(4 * v + 0.5);
  const double a = 6.2831853071795865 * (v - 0.25 * q), z = a * a;
  double c = 1.0 / 20922789888000, s = 1.0 / 1307674368000;  // 1 / 16!, 1 / 15!
  constexpr double cos_terms[] = {87178291200, 479001600, 3628800, 40320, 720, 24, 2};
  constexpr double sin_terms[] = {6227020800, 39916800, 362880, 5040, 120, 6};
  double sign = -1;
  for (const double factorial : cos_terms) {
    c = c * z + sign / factorial;
    sign = -sign;
  }
  sign = 1;
  s = -s;
  for (const double factorial : sin_terms) {
    s = s * z + sign / factorial;
    sign = -sign;
  }
  c = c * z + 1;
  s = a + a * (z * s);
  const bool odd = (q & 1) != 0;
  const double x = odd ? s : c, y = odd ? c : s;
  *cosine = ((q + 1) & 2) != 0 ? -x : x;
  *sine = (q & 2) != 0 ? -y : y;
}

template <class T>
void normal(const RandomStream& stream, double mean, double stddev, std::int64_t first, const T* base, T* out,
            std::int64_t size) {
  constexpr std::int64_t kNumbers = 4 * kBlocks;
  std::uint32_t words[kNumbers];
  double numbers[kNumbers];
  for (std::int64_t i = 0; i < size; i += kNumbers) {
    random_words(stream, static_cast<std::uint64_t>((first + i) / 4), words);
    for (std::int64_t k = 0; k < kNumbers; k += 2) {
      const double u = (static_cast<double>(words[k]) + 0.5) * 0x1p-32;
      const double v = (static_cast<double>(words[k + 1]) + 0.5) * 0x1p-32;
      const double radius = std::sqrt(-2 * logarithm(u));
      double cosine, sine;
      cos_sin_of_turn(v, &cosine, &sine);
      numbers[k] = mean + stddev * (radius * cosine);
      numbers[k + 1] = mean + stddev * (radius * sine);
    }
    const std::int64_t n = std::min(kNumbers, size - i);
    for (std::int64_t k = 0; k < n; ++k)
      out[i + k] = (base != nullptr ? base[i + k] : T(0)) + static_cast<T>(numbers[k]);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
