// The panels that a product's second factor comes in, and where their rows come from. Included only by
// kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/arguments.h"
#include "kernels/transpose.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// A panel is two vectors wide.
template <class T>
inline constexpr std::int64_t kPanel = 2 * kLanes<T>;

// A source's rows are those of a matrix, or lie somewhere in the user's array, as bytes or T: source(i, k, n)
// are n values of row i from column k on, n being at most a vector's lanes.
template <class T>
struct MatrixSource {
  ConstMatrix<T> x;
  std::int64_t rows() const { return x.rows; }
  std::int64_t cols() const { return x.cols; }
  Vec<T> operator()(std::int64_t i, std::int64_t k, std::int64_t n) const {
    return load_up_to(x.row(i) + k, n);
  }
};

// What is beyond a row's end stays 0, so that the ends of the weights' rows do.
template <class T>
Vec<T> rescaled(const Samples<T>& x, Vec<T> values, std::int64_t n) {
  const Vec<T> v = x.rescale(values);
  return n == kLanes<T> ? v : first_lanes<T>(v, n, T(0));
}

template <class T>
struct RowSource {
  const Samples<T>& x;
  std::int64_t first, end;
  std::int64_t rows() const { return end - first; }
  std::int64_t cols() const { return x.cols; }
  Vec<T> operator()(std::int64_t i, std::int64_t k, std::int64_t n) const {
    return rescaled(x, load_up_to(static_cast<const T*>(x.rows[first + i]) + k, n), n);
  }
};

template <class T>
struct ByteSource {
  const Samples<T>& x;
  std::int64_t first, end;
  std::int64_t rows() const { return end - first; }
  std::int64_t cols() const { return x.cols; }
  Vec<T> operator()(std::int64_t i, std::int64_t k, std::int64_t n) const {
    return rescaled(x, from_bytes<T>(static_cast<const std::uint8_t*>(x.rows[first + i]) + k, n), n);
  }
};

// use(source) for samples first..end-1.
template <class T, class Use>
void with_source(const Samples<T>& x, std::int64_t first, std::int64_t end, Use&& use) {
  if (x.bytes)
    use(ByteSource<T>{x, first, end});
  else
    use(RowSource<T>{x, first, end});
}

// panel[k][i] = x(i, k) for up to kPanel rows; what its last vector of rows has not is 0, and a second one
// that has none is left.
template <class T, class Source>
void transposed_panel(const Source& x, T* panel) {
  constexpr std::int64_t lanes = kLanes<T>;
  for (std::int64_t k = 0; k < x.cols(); k += lanes) {
    const std::int64_t n = std::min(lanes, x.cols() - k);
    for (std::int64_t half = 0; half < std::min(kPanel<T>, x.rows()); half += lanes) {
      Vec<T> rows[lanes];
      // Unrolled, so that the rows are registers.
      const auto read = [&](auto width) {
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) rows[i] = x(half + i, k, width);
      };
      if (half + lanes <= x.rows()) {
        if (n == lanes)
          read(std::integral_constant<std::int64_t, lanes>{});
        else
          read(n);
      } else {
        for (std::int64_t i = 0; i < lanes; ++i) rows[i] = half + i < x.rows() ? x(half + i, k, n) : Vec<T>{};
      }
      transpose<T>(rows);
      T* const out = panel + k * kPanel<T> + half;
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < lanes; ++i)
        if (i < n) store(out + i * kPanel<T>, rows[i]);
    }
  }
}

template <class T>
void transposed_rows(ConstMatrix<T> x, T* panel) {
  transposed_panel<T>(MatrixSource<T>{x}, panel);
}

template <class T>
void transposed_samples(const Samples<T>& x, std::int64_t first, std::int64_t end, T* panel) {
  with_source<T>(x, first, end, [&](const auto& source) { transposed_panel<T>(source, panel); });
}

// y(i, u) = z[u][i]: the way back.
template <class T>
void transposed_back(const T* z, Matrix<T> y) {
  constexpr std::int64_t lanes = kLanes<T>;
  if (y.cols == 1 && y.stride == 1) {
    std::copy_n(z, y.rows, y.data);
    return;
  }
  for (std::int64_t u = 0; u < y.cols; u += lanes)
    for (std::int64_t half = 0; half < y.rows; half += lanes) {
      Vec<T> rows[lanes];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < lanes; ++i) rows[i] = load(z + (u + i) * kPanel<T> + half);
      transpose<T>(rows);
      const std::int64_t n = std::min(lanes, y.cols - u), m = std::min(lanes, y.rows - half);
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < lanes; ++i)
        if (i < m) store_up_to(y.row(half + i) + u, rows[i], n);
    }
}

// panel[i][j] = x(i, k + j) for `valid` columns, at most kPanel; the rest 0.
template <class T, class Source>
void copied_panel(const Source& x, std::int64_t k, std::int64_t valid, T* panel) {
  constexpr std::int64_t lanes = kLanes<T>;
  const std::int64_t n = std::min(lanes, valid), m = std::max<std::int64_t>(0, valid - lanes);
  if (m == lanes) {
    for (std::int64_t i = 0; i < x.rows(); ++i, panel += kPanel<T>) {
      store(panel, x(i, k, lanes));
      store(panel + lanes, x(i, k + lanes, lanes));
    }
  } else {
    for (std::int64_t i = 0; i < x.rows(); ++i, panel += kPanel<T>) {
      store(panel, x(i, k, n));
      store(panel + lanes, m > 0 ? x(i, k + lanes, m) : Vec<T>{});
    }
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
