// Inverted dropout (Srivastava et al., 2014). Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
void dropout_mask(const RandomStream& stream, double rate, std::int64_t first, T* mask, std::int64_t size) {
  const auto threshold = static_cast<std::uint64_t>(rate * 0x1p32);  // a word below it drops
  const T kept = rate < 1.0 ? static_cast<T>(1.0 / (1.0 - rate)) : T(0);
  for (std::int64_t i = 0; i < size; i += 4) {
    const PhiloxBlock block = stream.block(static_cast<std::uint64_t>((first + i) / 4));
    const std::int64_t n = std::min<std::int64_t>(4, size - i);
    for (std::int64_t j = 0; j < n; ++j)
      mask[i + j] = block[static_cast<std::size_t>(j)] < threshold ? T(0) : kept;
  }
}

template <class T>
void multiply(const T* a, const T* b, T* out, std::int64_t size) {
  map<T>(size, out, [](Vec<T> x, Vec<T> y) { return x * y; }, a, b);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
