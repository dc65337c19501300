// Products of two matrices as they lie, either one meant transposed or not. Each element is one chain as in
// kernels/gemm.h, whichever of the two factors is in the lanes. Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/panels.h"

namespace lamina::LAMINA_ISA {
namespace {

// Element (i, p) of the product's first factor, or with its rows and columns exchanged, of its second.
template <class T>
Strided<T> strided(Factor<T> a) {
  return a.transposed ? Strided<T>{a.matrix.data, 1, a.matrix.stride}
                      : Strided<T>{a.matrix.data, a.matrix.stride, 1};
}

// `valid` columns of b from j on, laid out as a panel; a few rows' product reads them where they lie instead.
template <class T>
void lay_out(Factor<T> b, std::int64_t j, std::int64_t valid, T* panel) {
  if (b.transposed)
    transposed_rows<T>(b.matrix.rows_of(j, j + valid), panel);
  else
    copied_panel<T>(MatrixSource<T>{b.matrix}, j, valid, panel);
}

// From row to row of chains that were laid out: not whole pages, as rows that share few sets of the cache.
template <class T>
inline constexpr std::int64_t kChainStride = kLongestChain + kPanel<T>;

// Rows that lie whole pages apart share a few sets of the first-level cache, too few for a block's rows.
template <class T>
bool is_page_apart(ConstMatrix<T> x) {
  return x.stride % (4096 / static_cast<std::int64_t>(sizeof(T))) == 0 && x.rows >= kBlockRows;
}

// The columns of x, as rows.
template <class T>
void transposed_matrix(ConstMatrix<T> x, Matrix<T> y) {
  constexpr std::int64_t lanes = kLanes<T>;
  for (std::int64_t k = 0; k < x.rows; k += lanes)
    for (std::int64_t j = 0; j < x.cols; j += lanes) {
      const std::int64_t n = std::min(lanes, x.cols - j), m = std::min(lanes, x.rows - k);
      Vec<T> rows[lanes] = {};
      for (std::int64_t i = 0; i < m; ++i) rows[i] = load_up_to(x.row(k + i) + j, n);
      transpose<T>(rows);
      for (std::int64_t i = 0; i < n; ++i) store_up_to(y.row(j + i) + k, rows[i], m);
    }
}

// out = a b with b's columns in the lanes. chains: scratch for a chain of each of a's rows, kChainStride
// apart, where they do not lie well.
template <class T>
void product_of_columns(Factor<T> a, Factor<T> b, T* panel, T* chains, Matrix<T> out) {
  const bool lay_out_columns = b.transposed || out.rows > 4 * kBlockRows;
  const bool lay_out_rows = a.transposed || is_page_apart(a.matrix);
  by_chains(a.cols(), [&](std::int64_t first, std::int64_t depth, bool) {
    const Factor<T> part = b.rows_of(first, first + depth);
    Factor<T> left = a.cols_of(first, first + depth);
    if (lay_out_rows) {
      const Matrix<T> laid_out(chains, out.rows, depth, kChainStride<T>);
      if (a.transposed)
        transposed_matrix<T>(left.matrix, laid_out);
      else
        for (std::int64_t i = 0; i < out.rows; ++i) std::copy_n(left.matrix.row(i), depth, laid_out.row(i));
      left = {laid_out, false};
    }
    const Strided<T> rows = strided(left);
    for (std::int64_t j = 0; j < out.cols; j += kPanel<T>) {
      const std::int64_t valid = std::min(kPanel<T>, out.cols - j);
      const bool laid_out = lay_out_columns || valid < kPanel<T>;
      if (laid_out) lay_out<T>(part, j, valid, panel);
      const Panel<T> columns =
          laid_out ? Panel<T>{panel, kPanel<T>} : Panel<T>{part.at(0, j), part.matrix.stride};
      const Stored<T> stored{out.data + j, out.stride, valid, first > 0};
      if (valid <= kLanes<T>)
        panel_product<T, 1>(out.rows, depth, rows, columns, stored);
      else
        panel_product<T, 2>(out.rows, depth, rows, columns, stored);
    }
  });
}

// out = a b with a's rows in the lanes; z: scratch of as many rows of a panel as out has columns, rounded up
// to whole vectors.
template <class T>
void product_of_rows(Factor<T> a, Factor<T> b, T* panel, T* z, Matrix<T> out) {
  const Factor<T> at{a.matrix, !a.transposed}, bt{b.matrix, !b.transposed};
  for (std::int64_t i = 0; i < out.rows; i += kPanel<T>) {
    const std::int64_t valid = std::min(kPanel<T>, out.rows - i);
    by_chains(a.cols(), [&](std::int64_t first, std::int64_t depth, bool) {
      lay_out<T>(at.rows_of(first, first + depth), i, valid, panel);
      const Strided<T> columns = strided(bt.cols_of(first, first + depth));
      const Stored<T> stored{z, kPanel<T>, kPanel<T>, first > 0};
      if (valid <= kLanes<T>)
        panel_product<T, 1>(out.cols, depth, columns, Panel<T>{panel, kPanel<T>}, stored);
      else
        panel_product<T, 2>(out.cols, depth, columns, Panel<T>{panel, kPanel<T>}, stored);
    });
    transposed_back<T>(z, out.rows_of(i, i + valid));
  }
}

// out = a b. panel: scratch of kLongestChain rows of a panel; more: of as many rows of a panel as out has
// columns, rounded up to whole vectors, and kChainStride for each of out's rows.
template <class T>
void product(Factor<T> a, Factor<T> b, T* panel, T* more, Matrix<T> out) {
  // The rows of a transposed a's matrix go to the lanes as they lie, unless that much of b had to be read for
  // each panel of them that turning a costs less.
  if (a.transposed && out.cols < 4 * kPanel<T> && out.rows >= kPanel<T>)
    product_of_rows<T>(a, b, panel, more, out);
  else
    product_of_columns<T>(a, b, panel, more, out);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
