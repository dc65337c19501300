// Inverted dropout (Srivastava et al., 2014). Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// philox() of kBlocks neighbouring blocks at once: the loops over them become vectors. words[4 b + j] is word
// j of block b.
constexpr std::int64_t kBlocks = 16;
inline void random_words(const RandomStream& stream, std::uint64_t first, std::uint32_t* words) {
  std::uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (std::int64_t b = 0; b < kBlocks; ++b) {
    const PhiloxBlock counter = stream.counter(first + static_cast<std::uint64_t>(b));
    c0[b] = counter[0];
    c1[b] = counter[1];
    c2[b] = counter[2];
    c3[b] = counter[3];
  }
  auto [k0, k1] = stream.key();
  for (int round = 0; round < 10; ++round, k0 += kPhiloxWeyl0, k1 += kPhiloxWeyl1)
    for (std::int64_t b = 0; b < kBlocks; ++b) {
      const std::uint64_t p0 = kPhiloxMultiplier0 * c0[b], p1 = kPhiloxMultiplier1 * c2[b];
      c0[b] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[b] ^ k0;
      c1[b] = static_cast<std::uint32_t>(p1);
      c2[b] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[b] ^ k1;
      c3[b] = static_cast<std::uint32_t>(p0);
    }
  for (std::int64_t b = 0; b < kBlocks; ++b) {
    words[4 * b] = c0[b];
    words[4 * b + 1] = c1[b];
    words[4 * b + 2] = c2[b];
    words[4 * b + 3] = c3[b];
  }
}

template <class T>
void dropout_mask(const RandomStream& stream, double rate, std::int64_t first, T* mask, std::int64_t size) {
  const auto threshold = static_cast<std::uint64_t>(rate * 0x1p32);  // a word below it drops
  const T kept = rate < 1.0 ? static_cast<T>(1.0 / (1.0 - rate)) : T(0);
  std::uint32_t words[4 * kBlocks];
  for (std::int64_t i = 0; i < size; i += 4 * kBlocks) {
    random_words(stream, static_cast<std::uint64_t>((first + i) / 4), words);
    const std::int64_t n = std::min<std::int64_t>(4 * kBlocks, size - i);
    for (std::int64_t j = 0; j < n; ++j) mask[i + j] = words[j] < threshold ? T(0) : kept;
  }
}

template <class T>
void multiply(const T* a, const T* b, T* out, std::int64_t size) {
  map<T>(
      size, out, [](Vec<T> x, Vec<T> y) { return x * y; }, a, b);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
