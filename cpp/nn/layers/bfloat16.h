// The layers around the dense ones where they compute in bfloat16: what comes in is rounded already (a cast
// stands before them where it isn't), what goes out is rounded, on the way back too. To a loss none of them
// has an activation whose logits it could take: Keras casts their output to float first.
#pragma once

#include "backend/bfloat16.h"
#include "nn/layers/batch_norm.h"

namespace lamina {

// From float to bfloat16; its gradient, which Keras casts the other way, is one of bfloat16.
class CastBfloat16 final : public Layer<float> {
 public:
  CastBfloat16(const Bfloat16Backend& verbs, std::int64_t size) : Layer<float>(size, size), verbs_(verbs) {}

  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }
  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float*) const override {
    verbs_.round(pass.lease, x, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float>, ConstMatrix<float>, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float*) const override {
    if (dx) verbs_.round(pass.lease, dy, dx);
  }

 private:
  const Bfloat16Backend& verbs_;
};

// y = a(x) on each of a sample's positions.
class ActivationBfloat16 final : public Layer<float> {
 public:
  ActivationBfloat16(const Bfloat16Backend& verbs, std::int64_t positions, std::int64_t features,
                     Activation a)
      : Layer<float>(positions * features, positions * features),
        verbs_(verbs),
        features_(features),
        activation_(a) {}

  bool identity(bool) const override { return activation_ == Activation::kLinear; }
  std::int64_t features() const override { return features_; }
  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }
  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float*) const override {
    verbs_.activation(pass.lease, activation_, x.reshaped(features_), y.reshaped(features_));
  }
  void backward(const Pass<float>& pass, ConstMatrix<float>, ConstMatrix<float> y, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float*) const override {
    if (dx)
      verbs_.activation_gradient(pass.lease, activation_, y.reshaped(features_), dy.reshaped(features_),
                                 dx.reshaped(features_));
  }

 private:
  const Bfloat16Backend& verbs_;
  std::int64_t features_;
  Activation activation_;
};

// Batch normalization between two casts: Keras computes it in float.
class BatchNormBfloat16 final : public BatchNorm<float> {
 public:
  template <class... Arguments>
  BatchNormBfloat16(const Bfloat16Backend& verbs, Arguments... arguments)
      : BatchNorm<float>(arguments...), verbs_(verbs) {}

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y,
               float* workspace) const override {
    BatchNorm<float>::forward(pass, x, y, workspace);
    verbs_.round(pass.lease, y, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> y, Matrix<float> dy,
                bool at_logits, Activation below, Matrix<float> dx, float* workspace) const override {
    verbs_.round(pass.lease, dy, dy);
    BatchNorm<float>::backward(pass, x, y, dy, at_logits, below, dx, workspace);
    if (dx) verbs_.round(pass.lease, dx, dx);
  }

 private:
  const Bfloat16Backend& verbs_;
};

// Dropout with 1 / (1 - rate) rounded, and the product with it.
class DropoutBfloat16 final : public Layer<float> {
 public:
  DropoutBfloat16(const Bfloat16Backend& verbs, std::int64_t size, double rate, std::uint64_t seed,
                  std::uint32_t stream)
      : Layer<float>(size, size), verbs_(verbs), rate_(rate), seed_(seed), stream_(stream) {}

  bool identity(bool training) const override { return !training || rate_ == 0; }
  std::int64_t workspace(std::int64_t rows) const override { return rows * outputs(); }
  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }
  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float* mask) const override {
    const Matrix<float> kept(mask, x.rows, x.cols);
    pass.backend.dropout_mask(pass.lease, {seed_, Purpose::kDropout, stream_, pass.step}, rate_, kept);
    verbs_.round(pass.lease, kept, kept);
    multiply(pass, x, kept, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float>, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float* mask) const override {
    if (!dx) return;
    verbs_.round(pass.lease, dy, dy);
    multiply(pass, dy, ConstMatrix<float>(mask, x.rows, x.cols), dx);
  }

 private:
  void multiply(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> mask,
                Matrix<float> y) const {
    pass.backend.multiply(pass.lease, x, mask, y);
    verbs_.round(pass.lease, y, y);
  }

  const Bfloat16Backend& verbs_;
  double rate_;
  std::uint64_t seed_;
  std::uint32_t stream_;
};

}  // namespace lamina
