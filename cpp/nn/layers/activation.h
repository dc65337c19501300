// y = a(x) on each of a sample's positions.
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class ActivationLayer final : public Layer<T> {
 public:
  ActivationLayer(std::int64_t positions, std::int64_t features, Activation a)
      : Layer<T>(positions * features, positions * features), features_(features), activation_(a) {}

  bool identity(bool) const override { return activation_ == Activation::kLinear; }
  std::int64_t features() const override { return features_; }
  const Activation* activates() const override {
    return this->inputs() == features_ ? &activation_ : nullptr;
  }
  Activation head() const override { return activation_; }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T*) const override {
    pass.backend.activation(pass.lease, activation_, x.reshaped(features_), y.reshaped(features_));
  }

  void backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T> y, Matrix<T> dy, bool at_logits,
                Activation, Matrix<T> dx, T*) const override {
    if (!dx) return;
    pass.backend.activation_gradient(pass.lease, at_logits ? Activation::kLinear : activation_,
                                     y.reshaped(features_), dy.reshaped(features_), dx.reshaped(features_));
  }

 private:
  std::int64_t features_;
  Activation activation_;
};

}  // namespace lamina
