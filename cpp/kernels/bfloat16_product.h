// Packing and products of bfloat16 tiles where no instruction does them: the same rounding of the factors,
// and products and sums in float. Included only by kernels/bfloat16.cpp.
#pragma once

#include <algorithm>

#include "kernels/bfloat16_elementwise.h"
#include "kernels/transpose.h"

namespace lamina::LAMINA_ISA {
namespace {

constexpr std::int64_t kTile = kTileSide * kTileDepth;

// Rows of x make a tile's rows; turned, its columns do. What of a tile x does not fill is 0.
template <bool turned, std::int64_t rows, std::int64_t cols>
void pack_tile(ConstMatrix<float> x, float* tile) {
  constexpr std::int64_t lanes = kLanes<float>;
  for (std::int64_t i = 0; i < rows; i += lanes)
    for (std::int64_t j = 0; j < cols; j += lanes) {
      const std::int64_t n = std::clamp<std::int64_t>(x.cols - j, 0, lanes);
      Vec<float> v[lanes];
      for (std::int64_t r = 0; r < lanes; ++r)
        v[r] = i + r < x.rows ? rounded(load_up_to(x.row(i + r) + j, n)) : Vec<float>{};
      if constexpr (turned) transpose<float>(v);
      float* to = turned ? tile + j * rows + i : tile + i * cols + j;
      for (std::int64_t r = 0; r < lanes; ++r) store(to + r * (turned ? rows : cols), v[r]);
    }
}

// A tile of a left factor holds its rows one behind the other, one of a right factor the rows of the depth.
inline void pack(ConstMatrix<float> x, Side side, Depth depth, float* tiles) {
  const bool along = depth == Depth::kAlongRows, left = side == Side::kLeft;
  const std::int64_t lines = along ? x.rows : x.cols, length = along ? x.cols : x.rows;
  for (std::int64_t first = 0; first < lines; first += kTileSide)
    for (std::int64_t d = 0; d < length; d += kTileDepth, tiles += kTile) {
      const std::int64_t last = std::min(lines, first + kTileSide), end = std::min(length, d + kTileDepth);
      const ConstMatrix<float> part =
          along ? x.rows_of(first, last).cols_of(d, end) : x.rows_of(d, end).cols_of(first, last);
      if (along)
        left ? pack_tile<false, kTileSide, kTileDepth>(part, tiles)
             : pack_tile<true, kTileSide, kTileDepth>(part, tiles);
      else
        left ? pack_tile<true, kTileDepth, kTileSide>(part, tiles)
             : pack_tile<false, kTileDepth, kTileSide>(part, tiles);
    }
}

// Some rows at a time, so many that eight vectors of sums are under way: as many as two units that need four
// steps for a sum can keep busy.
inline void product(const float* left, std::int64_t left_strip, const float* right, std::int64_t right_strip,
                    std::int64_t depth, std::int64_t rows, std::int64_t cols, bool begins, float* block) {
  constexpr std::int64_t lanes = kLanes<float>, vectors = kTileSide / lanes, together = 8 / vectors;
  for (std::int64_t r = 0; r < rows * kTileSide; r += together)
    for (std::int64_t c = 0; c < cols; ++c) {
      const float* a = left + r / kTileSide * left_strip + r % kTileSide * kTileDepth;
      const float* b = right + c * right_strip;
      float* to = block + r * kBlockSide + c * kTileSide;
      Vec<float> sum[together][vectors] = {};
      if (!begins)
        for (std::int64_t i = 0; i < together; ++i)
          for (std::int64_t v = 0; v < vectors; ++v) sum[i][v] = load(to + i * kBlockSide + v * lanes);
      for (std::int64_t d = 0; d < depth; ++d, a += kTile, b += kTile)
        for (std::int64_t k = 0; k < kTileDepth; ++k)
          for (std::int64_t v = 0; v < vectors; ++v) {
            const Vec<float> factor = load(b + k * kTileSide + v * lanes);
            for (std::int64_t i = 0; i < together; ++i) sum[i][v] += a[i * kTileDepth + k] * factor;
          }
      for (std::int64_t i = 0; i < together; ++i)
        for (std::int64_t v = 0; v < vectors; ++v) store(to + i * kBlockSide + v * lanes, sum[i][v]);
    }
}

inline void nothing() {}

}  // namespace
}  // namespace lamina::LAMINA_ISA
