// In training y = x + N(0, stddev), or y = x N(1, stddev).
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class NormalNoise : public Layer<T> {
 public:
  // `stream` keeps the layers of a network apart that have one seed.
  NormalNoise(std::int64_t size, double stddev, bool factor, std::uint64_t seed, std::uint32_t stream)
      : Layer<T>(size, size), stddev_(stddev), factor_(factor), seed_(seed), stream_(stream) {}

  bool identity(bool training) const override { return !training || stddev_ == 0; }
  std::int64_t workspace(std::int64_t rows) const override { return factor_ ? rows * this->outputs() : 0; }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* factors) const override {
    if (!factor_) return pass.backend.normal(pass.lease, stream(pass), 0, stddev_, x, y);
    const Matrix<T> by(factors, x.rows, x.cols);
    pass.backend.normal(pass.lease, stream(pass), 1, stddev_, {}, by);
    pass.backend.multiply(pass.lease, x, by, y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* factors) const override {
    if (!dx) return;
    if (factor_)
      pass.backend.multiply(pass.lease, dy, ConstMatrix<T>(factors, x.rows, x.cols), dx);
    else
      pass.backend.rescale(pass.lease, {}, dy, dx);
  }

 protected:
  double stddev() const { return stddev_; }
  bool is_factor() const { return factor_; }
  RandomStream stream(const Pass<T>& pass) const { return {seed_, Purpose::kDropout, stream_, pass.step}; }

 private:
  double stddev_;
  bool factor_;
  std::uint64_t seed_;
  std::uint32_t stream_;
};

}  // namespace lamina
