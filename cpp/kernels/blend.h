// Flat ranges blended into one another, and the sum of a range's squares. Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>

#include "kernels/names.h"

namespace lamina::LAMINA_ISA {
namespace {

// See Blend; x may be null where it is not read.
template <class T>
void blend(Blend kind, T a, T b, const T* __restrict x, T* __restrict y, std::int64_t size) {
  switch (kind) {
    case Blend::kSet:
      std::fill_n(y, size, a);
      return;
    case Blend::kCopy:
      std::copy_n(x, size, y);
      return;
    case Blend::kAdd:
      for (std::int64_t i = 0; i < size; ++i) y[i] += x[i];
      return;
    case Blend::kMean:
      for (std::int64_t i = 0; i < size; ++i) y[i] = (y[i] + x[i]) / a;
      return;
    case Blend::kScale:
      for (std::int64_t i = 0; i < size; ++i) y[i] = y[i] * a / b;
      return;
    case Blend::kClamp:
      for (std::int64_t i = 0; i < size; ++i) y[i] = y[i] > a ? a : y[i] < -a ? -a : y[i];
      return;
    case Blend::kDecay:
      for (std::int64_t i = 0; i < size; ++i) y[i] -= y[i] * a * b;
      return;
    case Blend::kAverage:
      for (std::int64_t i = 0; i < size; ++i) y[i] = a * y[i] + b * x[i];
      return;
    case Blend::kSubtract:
      for (std::int64_t i = 0; i < size; ++i) y[i] -= a * x[i];
      return;
  }
}

// Sums of kLength squares in T, side by side, and their sum in double: the error grows with kLength and not
// with the size.
template <class T>
double sum_of_squares(const T* x, std::int64_t size) {
  constexpr std::int64_t kSums = 64, kLength = 64;
  double total = 0;
  std::int64_t i = 0;
  while (i < size) {
    T sums[kSums] = {};
    const std::int64_t end = std::min(size, i + kSums * kLength);
    for (; i + kSums <= end; i += kSums)
      for (std::int64_t j = 0; j < kSums; ++j) sums[j] += x[i + j] * x[i + j];
    for (std::int64_t j = 0; i < end; ++i, ++j) sums[j] += x[i] * x[i];
    for (const T sum : sums) total += static_cast<double>(sum);
  }
  return total;
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
