// Row-major views: a pointer, a shape and the distance between rows. They own nothing.
#pragma once

#include <cassert>
#include <cstdint>
#include <type_traits>

#include "base/host_device.h"

namespace lamina {

// rows x cols elements; row i starts at data + i * stride.
template <class T>
struct Matrix {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  Matrix() = default;
  LAMINA_HOST_DEVICE Matrix(T* data_, std::int64_t rows_, std::int64_t cols_, std::int64_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}
  LAMINA_HOST_DEVICE Matrix(T* data_, std::int64_t rows_, std::int64_t cols_)
      : Matrix(data_, rows_, cols_, cols_) {}

  // A writable view reads as a constant one.
  template <class U = T, class = std::enable_if_t<std::is_const_v<U>>>
  LAMINA_HOST_DEVICE Matrix(const Matrix<std::remove_const_t<U>>& m)
      : Matrix(m.data, m.rows, m.cols, m.stride) {}

  LAMINA_HOST_DEVICE T* row(std::int64_t i) const {
    assert(i >= 0 && i <= rows);
    return data + i * stride;
  }
  LAMINA_HOST_DEVICE std::int64_t size() const { return rows * cols; }
  LAMINA_HOST_DEVICE bool contiguous() const { return stride == cols || rows <= 1; }
  LAMINA_HOST_DEVICE explicit operator bool() const { return data != nullptr; }

  // Rows first..last-1, and columns first..last-1.
  LAMINA_HOST_DEVICE Matrix rows_of(std::int64_t first, std::int64_t last) const {
    return {row(first), last - first, cols, stride};
  }
  LAMINA_HOST_DEVICE Matrix cols_of(std::int64_t first, std::int64_t last) const {
    return {data + first, rows, last - first, stride};
  }
  // The same contiguous elements as (rows * cols / new_cols, new_cols).
  LAMINA_HOST_DEVICE Matrix reshaped(std::int64_t new_cols) const {
    assert(contiguous() && new_cols > 0 && size() % new_cols == 0);
    return {data, size() / new_cols, new_cols, new_cols};
  }
};

template <class T>
using ConstMatrix = Matrix<const T>;

}  // namespace lamina
