// Rows along other axes than an output's last: what stands along them is brought side by side, and a gradient
// brought back.
#pragma once

#include <cstdint>

#include "base/memory.h"
#include "nn/layer.h"
#include "train/objective.h"

namespace lamina {

template <class T>
class Turning {
 public:
  Turning() = default;  // along the last axis: nothing is to turn
  // outputs: values of a sample. std::invalid_argument, which names whose axes they are, where these do not
  // take each of them once, in whole rows.
  Turning(const RowAxes& axes, std::int64_t outputs, const char* whose, Memory& memory);

  explicit operator bool() const { return width_ > 0; }
  std::int64_t rows(std::int64_t samples) const { return batch_ ? rows_ : samples * rows_; }

  // A batch's x as rows along the axes. `to` has room for as many values.
  Matrix<T> turned(Pass<T>& pass, ConstMatrix<T> x, T* to) const;
  // dx of such rows, as the gradient of the batch.
  void turn_back(Pass<T>& pass, ConstMatrix<T> dx, Matrix<T> gradient) const;
  // One weight for each row, from one for each of the sample's positions, which are equal ones where there
  // are not as many rows. `to` has room for one a row.
  const T* weights(Pass<T>& pass, const T* given, std::int64_t samples, std::int64_t positions, T* to) const;

 private:
  std::int64_t size() const { return from_.size(); }
  // Where, of rows that go through the batch, value j of a sample's stands.
  std::int64_t place(std::int64_t sample, std::int64_t samples, std::int64_t j) const {
    return j / width_ * samples * width_ + sample * width_ + j % width_;
  }

  Buffer<std::int64_t> from_, back_;
  std::int64_t width_ = 0, rows_ = 0;
  bool batch_ = false;
};

}  // namespace lamina
