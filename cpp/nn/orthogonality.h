// A penalty on the angles between a matrix's vectors, its rows or its columns: with v each divided by its
// norm, factor times the mean of |vi vj| over all pairs (Brock et al., 2017, after Keras).
#pragma once

#include <cstdint>

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class Orthogonality {
 public:
  // Vectors are the rows of matrices of this shape, or their columns.
  Orthogonality(double factor, bool of_rows, std::int64_t rows, std::int64_t cols, Memory& memory);

  // The penalty; its gradient is added to dw (null: not wanted).
  double operator()(const Pass<T>& pass, ConstMatrix<T> w, Matrix<T> dw) const;

 private:
  double factor_;
  bool of_rows_;
  std::int64_t count_, size_;
  Buffer<T> vectors_, products_, slopes_;
  Buffer<double> inverse_;  // 1 / norm
};

}  // namespace lamina
