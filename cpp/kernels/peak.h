// What the machine can do at most: loops that only multiply and add, or only copy. Included only by
// kernels/isa.cpp. Benchmarks hold the times of training against them.
#pragma once

#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// Independent sums in registers: two units that each finish a fused product after four cycles need eight;
// with the two factors, twelve fit into the sixteen registers of the narrow sets.
inline constexpr int kPeakSums = 12;

// c = c * a + b for every sum, `rounds` times. Returns the floating-point operations, two per lane; `sink`
// takes a value that depends on them all.
template <class T>
double peak_multiply_add(std::int64_t rounds, T* sink) {
  Vec<T> sums[kPeakSums];
  for (int k = 0; k < kPeakSums; ++k) sums[k] = splat(T(k));
  const Vec<T> a = splat(T(0.999)), b = splat(T(0.001));
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kPeakSums; ++k) sums[k] = sums[k] * a + b;
  }
  Vec<T> all = sums[0];
  for (int k = 1; k < kPeakSums; ++k) all += sums[k];
  *sink = all[0];
  return 2.0 * static_cast<double>(rounds) * kPeakSums * static_cast<double>(kLanes<T>);
}

// y = x, by whole vectors; size is a multiple of four vectors.
template <class T>
void peak_copy(std::int64_t size, const T* x, T* y) {
  for (std::int64_t i = 0; i < size; i += 4 * kLanes<T>)
    for (std::int64_t k = 0; k < 4; ++k) store(y + i + k * kLanes<T>, load(x + i + k * kLanes<T>));
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
