// y = a(x wT + b) on each of a sample's positions.
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class Dense final : public Layer<T> {
 public:
  Dense(std::int64_t positions, std::int64_t inputs, std::int64_t units, Activation a, bool use_bias)
      : Layer<T>(positions * inputs, positions * units),
        inputs_(inputs),
        units_(units),
        activation_(a),
        bias_(use_bias) {
    this->parameters_.push_back({"kernel", units, inputs, true, true, false});
    if (use_bias) this->parameters_.push_back({"bias", 1, units});
  }

  std::int64_t features() const override { return units_; }
  Activation head() const override { return activation_; }

  ConstMatrix<T> logits(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> buffer) const override {
    compute(pass, x, Activation::kLinear, buffer);
    return buffer;
  }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T*) const override {
    compute(pass, x, activation_, y);
  }

  Activation joins(const Layer<T>& below) const override {
    return below.head() != Activation::kSoftmax ? below.head() : Activation::kLinear;
  }
  std::int64_t depth() const override { return inputs_; }
  const Activation* dense() const override { return this->inputs() == inputs_ ? &activation_ : nullptr; }
  bool reads_samples() const override { return this->inputs() == inputs_; }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T> y, Matrix<T> dy, bool at_logits,
                Activation below, Matrix<T> dx, T*) const override {
    const Matrix<T> dz = dy.reshaped(units_);
    if (!at_logits && activation_ != Activation::kLinear)
      pass.backend.activation_gradient(pass.lease, activation_, y.reshaped(units_), dz, dz);
    // In this order: the weights that gave y are gone once they took their step.
    if (dx)
      pass.backend.dense_input_gradient(pass.lease, dz, weights(pass), below, input(pass, x),
                                        dx.reshaped(inputs_));
    if (!this->learns()) return;
    const Parameter& kernel = this->parameters_[0];
    pass.backend.dense_weight_gradient(pass.lease, input(pass, x), dz,
                                       {this->gradient(pass, 0), units_, inputs_, kernel.stride},
                                       bias_ ? this->gradient(pass, 1) : nullptr, pass.update);
  }

 private:
  Input<T> input(const Pass<T>& pass, ConstMatrix<T> x) const {
    return {x.reshaped(inputs_), x ? nullptr : pass.samples, pass.depth_below};
  }
  ConstMatrix<T> weights(const Pass<T>& pass) const {
    return {this->value(pass, 0), units_, inputs_, this->parameters_[0].stride};
  }

  void compute(const Pass<T>& pass, ConstMatrix<T> x, Activation a, Matrix<T> y) const {
    pass.backend.dense(pass.lease, input(pass, x), weights(pass), bias_ ? this->value(pass, 1) : nullptr, a,
                       y.reshaped(units_));
  }

  std::int64_t inputs_, units_;
  Activation activation_;
  bool bias_;
};

}  // namespace lamina
