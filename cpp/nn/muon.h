// Muon's step of one matrix: its momentum, made nearly orthogonal by Newton and Schulz's iteration (Jordan et
// al., 2024).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/memory.h"
#include "nn/layer.h"
#include "nn/muon_form.h"

namespace lamina {

// Room for the iteration over matrices of any of some shapes.
template <class T>
struct MuonScratch {
  MuonScratch() = default;
  // Of all parameters' matrices, the longer side and the shorter one.
  MuonScratch(std::int64_t matrix, std::int64_t square, Memory& memory)
      : x(matrix, memory), y(matrix, memory), gram(square, memory), squared(square, memory) {}
  Buffer<T> x, y, gram, squared;

  static std::int64_t matrix_size(const Parameter& p) {
    return std::min(p.rows, p.cols) * row_stride<T>(std::max(p.rows, p.cols));
  }
  static std::int64_t square_size(const Parameter& p) {
    return std::min(p.rows, p.cols) * row_stride<T>(std::min(p.rows, p.cols));
  }
};

// g, laid out as the parameter p, becomes the step: x = g / |g|, then x = a x + (b s + c s s) x with s = x
// xT, so often.
template <class T>
void orthogonalize(Lease& lease, const Backend<T>& backend, const MuonForm& f, const Parameter& p, T* g,
                   const MuonScratch<T>& scratch) {
  const bool wide = p.rows <= p.cols;
  const std::int64_t rows = std::min(p.rows, p.cols), cols = std::max(p.rows, p.cols);
  Matrix<T> x(scratch.x.data(), rows, cols, row_stride<T>(cols));
  Matrix<T> y(scratch.y.data(), rows, cols, row_stride<T>(cols));
  const Matrix<T> gram(scratch.gram.data(), rows, rows, row_stride<T>(rows));
  const Matrix<T> squared(scratch.squared.data(), rows, rows, row_stride<T>(rows));
  const auto blended = [&](T kept, T added, const Matrix<T>& from, const Matrix<T>& to) {
    for (std::int64_t i = 0; i < to.rows; ++i)
      backend.blend(lease, Blend::kAverage, kept, added, from.row(i), to.row(i), to.cols);
  };
  const T norm = std::sqrt(backend.sum_of_squares(lease, g, p.extent())) + T(1e-7);
  backend.finish();
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < cols; ++j)
      x.row(i)[j] = (wide ? g[i * p.stride + j] : g[j * p.stride + i]) / norm;
  for (std::int64_t k = 0; k < f.iterations; ++k) {
    backend.dense(lease, {x}, x, nullptr, Activation::kLinear, gram);
    backend.dense(lease, {gram}, gram, nullptr, Activation::kLinear, squared);
    blended(static_cast<T>(f.c), static_cast<T>(f.b), gram, squared);
    backend.dense_input_gradient(lease, squared, x, Activation::kLinear, {}, y);
    blended(T(1), static_cast<T>(f.a), x, y);
    std::swap(x, y);
  }
  backend.finish();
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < cols; ++j) (wide ? g[i * p.stride + j] : g[j * p.stride + i]) = x.row(i)[j];
}

}  // namespace lamina
