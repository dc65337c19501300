// A dense layer that computes in bfloat16: y = a(x wT + b); weights are float.
#pragma once

#include "backend/bfloat16.h"
#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

class DenseBfloat16 final : public Layer<float> {
 public:
  // fused: rounds once where TensorFlow computes it as one operation; see the verb.
  DenseBfloat16(const Bfloat16Backend& verbs, std::int64_t positions, std::int64_t inputs, std::int64_t units,
                Activation a, bool use_bias, bool fused)
      : Layer<float>(positions * inputs, positions * units),
        verbs_(verbs),
        positions_(positions),
        inputs_(inputs),
        units_(units),
        activation_(a),
        bias_(use_bias),
        fused_(fused) {
    parameters_.push_back({"kernel", units, inputs, true, true, false});
    if (use_bias) parameters_.push_back({"bias", 1, units});
  }

  std::int64_t features() const override { return units_; }
  Activation rounded_head() const override { return activation_; }
  Activation joins(const Layer<float>& below) const override {
    return below.rounded_head() != Activation::kSoftmax ? below.rounded_head() : Activation::kLinear;
  }
  std::int64_t workspace(std::int64_t rows) const override {
    const std::int64_t unused = learns() ? 0 : parameters_[0].extent() + padded<float>(units_);
    return unused + verbs_.dense_scratch(rows * positions_, inputs_, units_);
  }

  // Keras casts the output to float for the loss, which then no longer sees what it comes from: to the loss
  // this layer has no activation, and its output is what counts.
  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y,
               float* workspace) const override {
    verbs_.dense(pass.lease, x.reshaped(inputs_), weights(pass), bias_ ? value(pass, 1) : nullptr,
                 activation_, fused_, y.reshaped(units_), workspace);
  }

  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> y, Matrix<float> dy,
                bool at_logits, Activation below, Matrix<float> dx, float* workspace) const override {
    const Matrix<float> dz = dy.reshaped(units_);
    if (!at_logits) verbs_.activation_gradient(pass.lease, activation_, y.reshaped(units_), dz, dz);
    // The verb makes all gradients together; a frozen layer has no use for those of its parameters.
    float* dw = workspace;
    float* db = dw + parameters_[0].extent();
    if (learns()) {
      dw = gradient(pass, 0);
      db = bias_ ? gradient(pass, 1) : nullptr;
    } else {
      workspace = db + padded<float>(units_);
      if (!bias_) db = nullptr;
    }
    verbs_.dense_gradient(pass.lease, x.reshaped(inputs_), weights(pass), dz, below,
                          {dw, units_, inputs_, parameters_[0].stride}, db, dx ? dx.reshaped(inputs_) : dx,
                          learns() ? pass.update : nullptr, workspace);
  }

 private:
  ConstMatrix<float> weights(const Pass<float>& pass) const {
    return {value(pass, 0), units_, inputs_, parameters_[0].stride};
  }

  const Bfloat16Backend& verbs_;
  std::int64_t positions_, inputs_, units_;
  Activation activation_;
  bool bias_, fused_;
};

}  // namespace lamina
