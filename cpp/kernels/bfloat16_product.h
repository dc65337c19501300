// Packing and products of bfloat16 tiles where no instruction does them: the same rounding of the factors,
// and products and sums in float. Included only by kernels/bfloat16.cpp.
#pragma once

#include <algorithm>

#include "kernels/bfloat16_elementwise.h"

namespace lamina::LAMINA_ISA {
namespace {

inline std::uint16_t bfloat16_bits(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if (x != x) return static_cast<std::uint16_t>((bits | 0x00400000u) >> 16);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

inline void pack(ConstMatrix<float> x, Side side, Depth depth, std::uint16_t* tiles) {
  const bool along = depth == Depth::kAlongRows;
  const std::int64_t lines = along ? x.rows : x.cols, length = along ? x.cols : x.rows;
  for (std::int64_t first = 0; first < lines; first += kTileSide)
    for (std::int64_t d = 0; d < length; d += kTileDepth, tiles += kTileSize) {
      std::fill_n(tiles, kTileSize, std::uint16_t{0});
      const std::int64_t wide = std::min(kTileSide, lines - first), deep = std::min(kTileDepth, length - d);
      const auto put = [&](std::int64_t i, std::int64_t k, float value) {
        const std::int64_t word = side == Side::kLeft ? i * kTileSide + k / 2 : k / 2 * kTileSide + i;
        tiles[2 * word + k % 2] = bfloat16_bits(value);
      };
      if (along)
        for (std::int64_t i = 0; i < wide; ++i)
          for (std::int64_t k = 0; k < deep; ++k) put(i, k, x.row(first + i)[d + k]);
      else
        for (std::int64_t k = 0; k < deep; ++k)
          for (std::int64_t i = 0; i < wide; ++i) put(i, k, x.row(d + k)[first + i]);
    }
}

// A bfloat16 is the upper half of a float: of a word's two, the first is shifted up, the second masked.
inline Vec<float> first_of(Words w) { return vector_of<float>(reinterpret_cast<Bits<float>>(w << 16)); }
inline Vec<float> second_of(Words w) {
  return vector_of<float>(reinterpret_cast<Bits<float>>(w & 0xFFFF0000u));
}

// Some rows of a tile's product at a time, so many that eight vectors of sums are under way: as many as two
// units that need four steps for a sum can keep busy.
inline void product(const std::uint16_t* left, const std::uint16_t* right, std::int64_t depth,
                    std::int64_t rows, std::int64_t cols, float* block) {
  constexpr std::int64_t lanes = kLanes<float>, vectors = kTileSide / lanes, together = 8 / vectors;
  for (std::int64_t r = 0; r < rows * kTileSide; r += together)
    for (std::int64_t c = 0; c < cols; ++c) {
      const std::uint16_t* a = left + (r / kTileSide * depth * kTileSide + r % kTileSide) * kTileDepth;
      const std::uint16_t* b = right + c * depth * kTileSize;
      Vec<float> sum[together][vectors] = {};
      for (std::int64_t d = 0; d < depth; ++d, a += kTileSize, b += kTileSize)
        for (std::int64_t k = 0; k < kTileSide; ++k)
          for (std::int64_t v = 0; v < vectors; ++v) {
            Words w;
            std::memcpy(&w, b + 2 * (k * kTileSide + v * lanes), sizeof w);
            const Vec<float> b1 = first_of(w), b2 = second_of(w);
            for (std::int64_t i = 0; i < together; ++i) {
              std::uint32_t word;
              std::memcpy(&word, a + i * kTileDepth + 2 * k, sizeof word);
              const Words both = Words{} + word;
              sum[i][v] += first_of(both) * b1;
              sum[i][v] += second_of(both) * b2;
            }
          }
      for (std::int64_t i = 0; i < together; ++i)
        for (std::int64_t v = 0; v < vectors; ++v)
          store(block + (r + i) * kBlockSide + c * kTileSide + v * lanes, sum[i][v]);
    }
}

inline void nothing() {}

}  // namespace
}  // namespace lamina::LAMINA_ISA
