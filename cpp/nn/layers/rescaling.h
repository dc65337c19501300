// y = x scale + shift. As a network's first layer it costs nothing: the input is rescaled on its way in.
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class Rescaling final : public Layer<T> {
 public:
  Rescaling(std::int64_t size, double scale, double shift)
      : Layer<T>(size, size), rescale_{static_cast<T>(scale), static_cast<T>(shift)} {}

  const Rescale<T>* rescales() const override { return &rescale_; }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T*) const override {
    pass.backend.rescale(pass.lease, rescale_, x, y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T*) const override {
    if (dx) pass.backend.rescale(pass.lease, {rescale_.scale, T(0)}, dy, dx);
  }

 private:
  Rescale<T> rescale_;
};

}  // namespace lamina
