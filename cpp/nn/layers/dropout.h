// In training each value is dropped with probability `rate`, and the others are scaled by 1 / (1 - rate).
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class Dropout final : public Layer<T> {
 public:
  // `stream` keeps the layers of a network apart that have one seed.
  Dropout(std::int64_t size, double rate, std::uint64_t seed, std::uint32_t stream)
      : Layer<T>(size, size), rate_(rate), seed_(seed), stream_(stream) {}

  bool identity(bool training) const override { return !training || rate_ == 0; }
  std::int64_t workspace(std::int64_t rows) const override { return rows * this->outputs(); }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* mask) const override {
    const Matrix<T> kept(mask, x.rows, x.cols);
    pass.backend.dropout_mask(pass.lease, {seed_, Purpose::kDropout, stream_, pass.step}, rate_, kept);
    pass.backend.multiply(pass.lease, x, kept, y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* mask) const override {
    if (dx) pass.backend.multiply(pass.lease, dy, ConstMatrix<T>(mask, x.rows, x.cols), dx);
  }

 private:
  double rate_;
  std::uint64_t seed_;
  std::uint32_t stream_;
};

}  // namespace lamina
