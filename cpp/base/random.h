// Philox 4x32-10, a counter-based generator: number = f(key, counter), no state. Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC'11. Every random number of Lamina has an address
// (seed, purpose, stream, step, index), so it depends neither on threads nor on where a run was resumed.
#pragma once

#include <array>
#include <cstdint>

#include "base/host_device.h"

namespace lamina {

using PhiloxBlock = std::array<std::uint32_t, 4>;

using PhiloxKey = std::array<std::uint32_t, 2>;

inline constexpr std::uint64_t kPhiloxMultiplier0 = 0xD2511F53, kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr std::uint32_t kPhiloxWeyl0 = 0x9E3779B9,
                               kPhiloxWeyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) - 1

inline constexpr int kPhiloxRounds = 10;

LAMINA_HOST_DEVICE inline PhiloxBlock philox_round(const PhiloxBlock& counter, const PhiloxKey& key) {
  const std::uint64_t p0 = kPhiloxMultiplier0 * counter[0], p1 = kPhiloxMultiplier1 * counter[2];
  return {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
          static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
}

LAMINA_HOST_DEVICE inline PhiloxKey philox_next(const PhiloxKey& key) {
  return {key[0] + kPhiloxWeyl0, key[1] + kPhiloxWeyl1};
}

LAMINA_HOST_DEVICE inline PhiloxBlock philox(PhiloxBlock counter, PhiloxKey key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    counter = philox_round(counter, key);
    key = philox_next(key);
  }
  return counter;
}

// What a number is for. A layer's own stream is its place in the network.
enum class Purpose : std::uint32_t { kInitialise = 0, kShuffle = 1, kDropout = 2 };

// The address of a sequence of random blocks.
struct RandomStream {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::kInitialise;
  std::uint32_t stream = 0;  // below 2^24
  std::uint64_t step = 0;    // below 2^48

  // The counter's words: index (48 bits), step (48 bits), purpose and stream (32 bits).
  LAMINA_HOST_DEVICE PhiloxBlock counter(std::uint64_t index) const {
    return {static_cast<std::uint32_t>(index),
            static_cast<std::uint32_t>(index >> 32 & 0xFFFF) | static_cast<std::uint32_t>(step >> 32) << 16,
            static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(purpose) << 24 | stream};
  }
  LAMINA_HOST_DEVICE PhiloxKey key() const {
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  }

  // Four numbers of 32 random bits.
  LAMINA_HOST_DEVICE PhiloxBlock block(std::uint64_t index) const { return philox(counter(index), key()); }
};

}  // namespace lamina
