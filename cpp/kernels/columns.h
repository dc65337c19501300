// Sums over the rows of a batch, and batch normalization, which is made of them. Included only by
// kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// Columns are taken a strip at a time. A sum over many rows is a sum in double of sums of kRun rows in T: its
// error grows with kRun and not with the number of rows.
constexpr std::int64_t kStrip = 64;
constexpr std::int64_t kRun = 64;

// total[j] = sum over rows i of term(i, j), for columns j of one strip; term is called in order of rows.
template <class T, class Term>
void strip_sums(std::int64_t rows, std::int64_t width, double* total, Term&& term) {
  std::fill(total, total + width, 0.0);
  for (std::int64_t first = 0; first < rows; first += kRun) {
    T run[kStrip] = {};
    const std::int64_t last = std::min(rows, first + kRun);
    for (std::int64_t i = first; i < last; ++i)
      for (std::int64_t j = 0; j < width; ++j) run[j] += term(i, j);
    for (std::int64_t j = 0; j < width; ++j) total[j] += static_cast<double>(run[j]);
  }
}

// The same of V vectors of columns of x, the last one of n lanes, R runs side by side as far as there are so
// many: one chain of additions would wait for itself.
template <class T, int V, int R>
void vector_sums(ConstMatrix<T> x, std::int64_t c, std::int64_t n, T* out) {
  constexpr std::int64_t lanes = kLanes<T>;
  double total[V * lanes] = {};
  const auto add = [&]<int Runs>(std::integral_constant<int, Runs>, std::int64_t first, std::int64_t length) {
    Vec<T> run[Runs][V] = {};
    for (std::int64_t i = 0; i < length; ++i)
#pragma GCC unroll 4
      for (int r = 0; r < Runs; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const T* const at = x.row(first + r * kRun + i) + c + v * lanes;
          run[r][v] += v + 1 < V ? load(at) : load_up_to(at, n);
        }
    for (int r = 0; r < Runs; ++r)
      for (std::int64_t j = 0; j < V * lanes; ++j)
        total[j] += static_cast<double>(run[r][j / lanes][j % lanes]);
  };
  std::int64_t first = 0;
  for (; first + R * kRun <= x.rows; first += R * kRun) add(std::integral_constant<int, R>{}, first, kRun);
  for (; first < x.rows; first += kRun)
    add(std::integral_constant<int, 1>{}, first, std::min(kRun, x.rows - first));
  for (std::int64_t j = 0; j < (V - 1) * lanes + n; ++j) out[c + j] = static_cast<T>(total[j]);
}

template <class T>
void column_sums(ConstMatrix<T> x, T* out) {
  constexpr std::int64_t lanes = kLanes<T>;
  std::int64_t c = 0;
  for (; c + 4 * lanes <= x.cols; c += 4 * lanes) vector_sums<T, 4, 1>(x, c, lanes, out);
  for (; c < x.cols; c += lanes) vector_sums<T, 1, 4>(x, c, std::min(lanes, x.cols - c), out);
}

template <class T>
void column_moments(ConstMatrix<T> x, T* mean, T* variance) {
  double total[kStrip];
  for (std::int64_t c = 0; c < x.cols; c += kStrip) {
    const std::int64_t width = std::min(kStrip, x.cols - c);
    strip_sums<T>(x.rows, width, total, [&](std::int64_t i, std::int64_t j) { return x.row(i)[c + j]; });
    for (std::int64_t j = 0; j < width; ++j)
      mean[c + j] = static_cast<T>(total[j] / static_cast<double>(x.rows));
    strip_sums<T>(x.rows, width, total, [&](std::int64_t i, std::int64_t j) {
      const T d = x.row(i)[c + j] - mean[c + j];
      return d * d;
    });
    for (std::int64_t j = 0; j < width; ++j)
      variance[c + j] = static_cast<T>(total[j] / static_cast<double>(x.rows));
  }
}

template <class T>
void standardise(ConstMatrix<T> x, const T* mean, const T* scale, const T* shift, Matrix<T> y) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (shift != nullptr)
      map<T>(
          x.cols, y.row(i), [](Vec<T> v, Vec<T> m, Vec<T> s, Vec<T> b) { return (v - m) * s + b; }, x.row(i),
          mean, scale, shift);
    else
      map<T>(
          x.cols, y.row(i), [](Vec<T> v, Vec<T> m, Vec<T> s) { return (v - m) * s; }, x.row(i), mean, scale);
  }
}

// With xhat = (x - mean) inverse over n rows (Ioffe and Szegedy, 2015, section 3):
// dbeta = sum dy, dgamma = sum dy xhat, dx = gamma inverse (dy - dbeta / n - xhat dgamma / n).
template <class T>
void batch_norm_gradient(ConstMatrix<T> x, ConstMatrix<T> dy, const T* mean, const T* inverse, const T* gamma,
                         T* dgamma, T* dbeta, Matrix<T> dx) {
  double total[kStrip];
  const double n = static_cast<double>(x.rows);
  for (std::int64_t c = 0; c < x.cols; c += kStrip) {
    const std::int64_t width = std::min(kStrip, x.cols - c);
    const auto xhat = [&](std::int64_t i, std::int64_t j) {
      return (x.row(i)[c + j] - mean[c + j]) * inverse[c + j];
    };
    T mean_dy[kStrip], mean_dy_xhat[kStrip];
    strip_sums<T>(x.rows, width, total, [&](std::int64_t i, std::int64_t j) { return dy.row(i)[c + j]; });
    for (std::int64_t j = 0; j < width; ++j) {
      dbeta[c + j] = static_cast<T>(total[j]);
      mean_dy[j] = static_cast<T>(total[j] / n);
    }
    strip_sums<T>(x.rows, width, total,
                  [&](std::int64_t i, std::int64_t j) { return dy.row(i)[c + j] * xhat(i, j); });
    for (std::int64_t j = 0; j < width; ++j) {
      dgamma[c + j] = static_cast<T>(total[j]);
      mean_dy_xhat[j] = static_cast<T>(total[j] / n);
    }
    for (std::int64_t i = 0; i < x.rows; ++i)
      for (std::int64_t j = 0; j < width; ++j) {
        const T scale = gamma != nullptr ? gamma[c + j] * inverse[c + j] : inverse[c + j];
        dx.row(i)[c + j] = scale * (dy.row(i)[c + j] - mean_dy[j] - xhat(i, j) * mean_dy_xhat[j]);
      }
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
