// Passes its input on; what the penalty makes of it, divided by the number of samples, joins the loss.
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class OutputPenalty final : public Layer<T> {
 public:
  OutputPenalty(std::int64_t size, const Penalty<T>& penalty) : Layer<T>(size, size), penalty_(penalty) {}

  bool identity(bool) const override { return true; }
  const Penalty<T>* penalises() const override { return &penalty_; }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  // Called only where no layer before it has an output of its own.
  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T*) const override {
    pass.backend.activation(pass.lease, Activation::kLinear, x, y);
  }
  void backward(const Pass<T>&, ConstMatrix<T>, ConstMatrix<T>, Matrix<T>, bool, Activation, Matrix<T>,
                T*) const override {}

 private:
  Penalty<T> penalty_;
};

}  // namespace lamina
