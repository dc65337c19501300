// Inverted dropout (Srivastava et al., 2014). Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/philox.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
void dropout_mask(const RandomStream& stream, double rate, std::int64_t first, T* mask, std::int64_t size) {
  const auto count = static_cast<std::uint64_t>(rate * 0x1p32);  // so many of 2^32 words drop, from 0 on
  const T kept = rate < 1.0 ? static_cast<T>(1.0 / (1.0 - rate)) : T(0);
  const T dropped = count > 0 ? T(0) : kept;
  const auto last = static_cast<std::uint32_t>(std::max<std::uint64_t>(count, 1) - 1);
  std::uint32_t words[4 * kBlocks];
  for (std::int64_t i = 0; i < size; i += 4 * kBlocks) {
    random_words(stream, static_cast<std::uint64_t>((first + i) / 4), words);
    const std::int64_t n = std::min<std::int64_t>(4 * kBlocks, size - i);
    for (std::int64_t j = 0; j < n; ++j) mask[i + j] = words[j] <= last ? dropped : kept;
  }
}

template <class T>
void multiply(const T* a, const T* b, T* out, std::int64_t size) {
  map<T>(size, out, [](Vec<T> x, Vec<T> y) { return x * y; }, a, b);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
