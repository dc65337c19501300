#include "base/sampling.h"

#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

namespace lamina {
namespace {

constexpr double kTwoPi = 6.283185307179586;

// (0, 1]: the middle of one of 2^53 equal steps (the last rounds to 1), so that its logarithm is finite.
double open_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 11;
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

// Two independent standard normal numbers from one block.
std::pair<double, double> normal_pair(const PhiloxBlock& b) {
  const double radius = std::sqrt(-2.0 * std::log(open_unit(b[0], b[1])));
  const double angle = kTwoPi * open_unit(b[2], b[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// The numbers of a stream one by one, four to a block. Two blocks are made at once: their chains of
// multiplications do not wait for each other.
class Words {
 public:
  explicit Words(const RandomStream& stream) : stream_(stream) {}
  std::uint32_t next() {
    if (at_ == kWords) fill();
    return words_[at_++];
  }
  std::uint64_t next64() {
    const std::uint64_t high = next();
    return high << 32 | next();
  }

 private:
  static constexpr std::size_t kBlocks = 2, kWords = 4 * kBlocks;

  void fill() {
    std::array<PhiloxBlock, kBlocks> blocks;
    for (PhiloxBlock& block : blocks) block = stream_.counter(block_++);
    PhiloxKey key = stream_.key();
    for (int round = 0; round < kPhiloxRounds; ++round) {
      for (PhiloxBlock& block : blocks) block = philox_round(block, key);
      key = philox_next(key);
    }
    std::memcpy(words_.data(), blocks.data(), sizeof words_);
    at_ = 0;
  }

  RandomStream stream_;
  std::array<std::uint32_t, kWords> words_{};
  std::uint64_t block_ = 0;
  std::size_t at_ = kWords;
};

// Uniform in 0..bound-1 without bias: numbers from the incomplete last interval are rejected.
std::uint64_t below(Words& words, std::uint64_t bound) {
  if (bound <= 0xFFFFFFFFu) {
    const auto b = static_cast<std::uint32_t>(bound);
    std::uint64_t product = static_cast<std::uint64_t>(words.next()) * b;
    if (static_cast<std::uint32_t>(product) < b) {  // else it is not below the rest of a division by b either
      const std::uint32_t rejected = (0u - b) % b;
      while (static_cast<std::uint32_t>(product) < rejected)
        product = static_cast<std::uint64_t>(words.next()) * b;
    }
    return product >> 32;
  }
  const std::uint64_t rejected = (0 - bound) % bound;
  std::uint64_t word;
  do word = words.next64();
  while (word < rejected);
  return word % bound;
}

}  // namespace

template <class T>
void fill_uniform(T* out, std::int64_t size, const RandomStream& stream, double low, double high) {
  Words words(stream);
  for (std::int64_t i = 0; i < size; ++i) {
    const double unit = std::is_same_v<T, float> ? (words.next() >> 8) * 0x1p-24
                                                 : static_cast<double>(words.next64() >> 11) * 0x1p-53;
    const T value = static_cast<T>(low + (high - low) * unit);
    // Rounding to T may reach `high`; the interval is open there.
    out[i] = value < static_cast<T>(high) || low == high
                 ? value
                 : std::nextafter(static_cast<T>(high), static_cast<T>(low));
  }
}

template <class T>
void fill_normal(T* out, std::int64_t size, const RandomStream& stream, double mean, double stddev,
                 bool truncated) {
  std::uint64_t block = 0;
  for (std::int64_t i = 0; i < size;) {
    const auto [a, b] = normal_pair(stream.block(block++));
    for (const double z : {a, b}) {
      if (i < size && !(truncated && std::abs(z) > 2.0)) out[i++] = static_cast<T>(mean + stddev * z);
    }
  }
}

void fill_permutation(std::int64_t* out, std::int64_t size, const RandomStream& stream,
                      const std::function<void()>& poll) {
  constexpr std::int64_t poll_every = 1 << 16;  // swaps; about a millisecond
  Words words(stream);
  for (std::int64_t i = 0; i < size; ++i) {
    if (poll && i % poll_every == 0) poll();
    out[i] = i;
  }
  for (std::int64_t i = size - 1; i > 0; --i) {
    if (poll && i % poll_every == 0) poll();
    std::swap(out[i], out[below(words, static_cast<std::uint64_t>(i) + 1)]);
  }
}

template void fill_uniform<float>(float*, std::int64_t, const RandomStream&, double, double);
template void fill_uniform<double>(double*, std::int64_t, const RandomStream&, double, double);
template void fill_normal<float>(float*, std::int64_t, const RandomStream&, double, double, bool);
template void fill_normal<double>(double*, std::int64_t, const RandomStream&, double, double, bool);

}  // namespace lamina
