// philox() of neighbouring blocks at once, a block in each lane. Included only by kernels/isa.cpp and
// kernels/normalisation.cpp.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/random.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

inline constexpr std::int64_t kWideLanes = LAMINA_VECTOR_BYTES / 8;
// So many vectors at once: the multiplications of one would wait for each other.
inline constexpr std::int64_t kVectors = 2;

// words[4 b + j] = word j of the stream's block first + b, for kVectors * kWideLanes blocks. A word is the
// lower half of its lane; what is in the upper one is never looked at.
inline void some_random_words(const RandomStream& stream, std::uint64_t first, std::uint32_t* words) {
  WideWords c0[kVectors], c1[kVectors], c2[kVectors], c3[kVectors];
  for (std::int64_t v = 0; v < kVectors; ++v) {
    std::uint64_t counters[4][kWideLanes];
    for (std::int64_t b = 0; b < kWideLanes; ++b) {
      const PhiloxBlock counter = stream.counter(first + static_cast<std::uint64_t>(v * kWideLanes + b));
      for (std::size_t j = 0; j < 4; ++j) counters[j][b] = counter[j];
    }
    std::memcpy(&c0[v], counters[0], sizeof(WideWords));
    std::memcpy(&c1[v], counters[1], sizeof(WideWords));
    std::memcpy(&c2[v], counters[2], sizeof(WideWords));
    std::memcpy(&c3[v], counters[3], sizeof(WideWords));
  }
  PhiloxKey key = stream.key();
  for (int round = 0; round < kPhiloxRounds; ++round, key = philox_next(key))
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kVectors; ++v) {
      const WideWords p0 = multiply_lower_halves(c0[v], WideWords{} + kPhiloxMultiplier0);
      const WideWords p1 = multiply_lower_halves(c2[v], WideWords{} + kPhiloxMultiplier1);
      c0[v] = (p1 >> 32) ^ c1[v] ^ key[0];
      c1[v] = p1;
      c2[v] = (p0 >> 32) ^ c3[v] ^ key[1];
      c3[v] = p0;
    }
  for (std::int64_t v = 0; v < kVectors; ++v) {
    const WideWords halves[] = {(c0[v] & 0xFFFFFFFF) | c1[v] << 32, (c2[v] & 0xFFFFFFFF) | c3[v] << 32};
    for (std::int64_t b = 0; b < kWideLanes; ++b, words += 4) {
      const std::uint64_t block[] = {halves[0][b], halves[1][b]};
      std::memcpy(words, block, sizeof block);
    }
  }
}

// The same for kBlocks blocks.
inline constexpr std::int64_t kBlocks = 16;
inline void random_words(const RandomStream& stream, std::uint64_t first, std::uint32_t* words) {
  constexpr std::int64_t some = kVectors * kWideLanes;
  static_assert(kBlocks % some == 0);
  for (std::int64_t b = 0; b < kBlocks; b += some)
    some_random_words(stream, first + static_cast<std::uint64_t>(b), words + 4 * b);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
