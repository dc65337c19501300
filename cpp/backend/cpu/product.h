// Matrix products cut into tiles for the thread team.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cpu/blas.h"
#include "base/team.h"
#include "base/view.h"

namespace lamina {

// A matrix, and whether it is meant transposed.
template <class T>
struct Factor {
  ConstMatrix<T> matrix;
  bool transposed = false;

  std::int64_t rows() const { return transposed ? matrix.cols : matrix.rows; }
  std::int64_t cols() const { return transposed ? matrix.rows : matrix.cols; }
  // Where row i, or column j, of what is meant starts.
  const T* at_row(std::int64_t i) const { return transposed ? matrix.data + i : matrix.row(i); }
  const T* at_col(std::int64_t j) const { return transposed ? matrix.row(j) : matrix.data + j; }
};

// How a product's result is cut: by its shape and work, never by the number of threads.
struct Tiling {
  std::int64_t row_tiles, col_tiles;

  std::int64_t count() const { return row_tiles * col_tiles; }
  // Where tile i of `tiles` over n starts: near-equal parts at multiples of `unit`.
  static std::int64_t edge(std::int64_t n, std::int64_t tiles, std::int64_t i, std::int64_t unit) {
    return i >= tiles ? n : std::min(n, (n * i / tiles + unit / 2) / unit * unit);
  }
};

inline constexpr std::int64_t kUnit = 16;  // one vector of float, and the width of BLAS's kernels

// A tile is worth about kTileWork multiplications: some 20 us on one core, many times what starting a round
// costs, and short enough that a signal need not wait long.
Tiling tiling_of(std::int64_t rows, std::int64_t cols, std::int64_t depth);

// out = a b; `finish(tile of out, its first column)` follows on each tile while it is in cache.
template <class T, class Finish>
void product(Lease& lease, Factor<T> a, Factor<T> b, Matrix<T> out, Finish&& finish) {
  const std::int64_t depth = a.cols();
  const Tiling tiling = tiling_of(out.rows, out.cols, depth);
  lease.run(tiling.count(), [&](std::int64_t tile) {
    const std::int64_t r = tile / tiling.col_tiles, c = tile % tiling.col_tiles;
    const std::int64_t r0 = Tiling::edge(out.rows, tiling.row_tiles, r, kUnit);
    const std::int64_t r1 = Tiling::edge(out.rows, tiling.row_tiles, r + 1, kUnit);
    const std::int64_t c0 = Tiling::edge(out.cols, tiling.col_tiles, c, kUnit);
    const std::int64_t c1 = Tiling::edge(out.cols, tiling.col_tiles, c + 1, kUnit);
    if (r0 == r1 || c0 == c1) return;
    const Matrix<T> part = out.rows_of(r0, r1).cols_of(c0, c1);
    blas::gemm<T>(a.transposed, b.transposed, part.rows, part.cols, depth, T(1), a.at_row(r0),
                  std::max<std::int64_t>(a.matrix.stride, 1), b.at_col(c0),
                  std::max<std::int64_t>(b.matrix.stride, 1), T(0), part.data, part.stride);
    finish(part, c0);
  });
}

}  // namespace lamina
