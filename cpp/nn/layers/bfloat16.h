// The layers around the dense ones where they compute in bfloat16: what comes in is rounded already (a cast
// stands before them where it isn't), what goes out is rounded, on the way back too. To a loss none of them
// has an activation whose logits it could take: Keras casts their output to float first.
#pragma once

#include "backend/bfloat16.h"
#include "kernels/bfloat16_number.h"
#include "nn/layer.h"
#include "nn/layers/prelu.h"
#include "nn/layers/row_normalisation.h"
#include "nn/layers/standardisation.h"

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

// y = f(x), where the slope of f needs x.
class NonlinearBfloat16 final : public Layer<float> {
 public:
  NonlinearBfloat16(const Bfloat16Backend& verbs, std::int64_t size, const Nonlinearity<float>& f)
      : Layer<float>(size, size), verbs_(verbs), f_(f) {}

  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }
  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float*) const override {
    verbs_.nonlinearity(pass.lease, f_, x, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> y, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float*) const override {
    if (dx) verbs_.nonlinearity_gradient(pass.lease, f_, x, y, dy, dx);
  }

 private:
  const Bfloat16Backend& verbs_;
  Nonlinearity<float> f_;
};

// y = x scale + shift, each of the two operations rounded.
class RescalingBfloat16 final : public Layer<float> {
 public:
  RescalingBfloat16(const Bfloat16Backend& verbs, std::int64_t size, double scale, double shift)
      : Layer<float>(size, size),
        verbs_(verbs),
        scale_(nearest_bfloat16(static_cast<float>(scale))),
        shift_(nearest_bfloat16(static_cast<float>(shift))) {}

  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }
  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float*) const override {
    pass.backend.rescale(pass.lease, {scale_, 0}, x, y);
    verbs_.round(pass.lease, y, y);
    pass.backend.rescale(pass.lease, {1, shift_}, y, y);
    verbs_.round(pass.lease, y, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float>, ConstMatrix<float>, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float*) const override {
    if (!dx) return;
    verbs_.round(pass.lease, dy, dy);
    pass.backend.rescale(pass.lease, {scale_, 0}, dy, dx);
    verbs_.round(pass.lease, dx, dx);
  }

 private:
  const Bfloat16Backend& verbs_;
  float scale_, shift_;
};

// A layer between two casts: Keras computes it in float.
template <class Inner>
class BetweenCasts : public Inner {
 public:
  template <class... Arguments>
  explicit BetweenCasts(const Bfloat16Backend& verbs, Arguments... arguments)
      : Inner(arguments...), verbs_(verbs) {}

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y,
               float* workspace) const override {
    Inner::forward(pass, x, y, workspace);
    verbs_.round(pass.lease, y, y);
  }
  // What goes further down is rounded by whoever was rounded on the way up: an input may have come as float.
  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> y, Matrix<float> dy,
                bool at_logits, Activation below, Matrix<float> dx, float* workspace) const override {
    verbs_.round(pass.lease, dy, dy);
    Inner::backward(pass, x, y, dy, at_logits, below, dx, workspace);
  }

 protected:
  const Bfloat16Backend& verbs() const { return verbs_; }

 private:
  const Bfloat16Backend& verbs_;
};

// Rows normalised by a gamma that is cast too, and its gradient with it.
class RowNormalisationRoundedGamma final : public BetweenCasts<RowNormalisation<float>> {
 public:
  using BetweenCasts<RowNormalisation<float>>::BetweenCasts;

  std::int64_t workspace(std::int64_t rows) const override {
    return RowNormalisation<float>::workspace(rows) + parameters_[0].extent();
  }

 protected:
  const float* gamma(const Pass<float>& pass, float* place) const override {
    round(pass, value(pass, 0), place, parameters_[0].cols);
    return place;
  }
  void finish_gradient(const Pass<float>& pass, float* dgamma, std::int64_t size) const override {
    round(pass, dgamma, dgamma, size);
  }

 private:
  void round(const Pass<float>& pass, const float* x, float* y, std::int64_t size) const {
    verbs().round(pass.lease, {x, 1, size}, {y, 1, size});
  }
};

// A rectifier whose alphas are cast too, and their gradients with them.
class PReluBetweenCasts final : public BetweenCasts<PRelu<float>> {
 public:
  using BetweenCasts<PRelu<float>>::BetweenCasts;

  std::int64_t workspace(std::int64_t) const override {
    return own_workspace() + padded<float>(parameters_[0].cols);
  }

 protected:
  const float* alphas(const Pass<float>& pass, float* place) const override {
    round(pass, value(pass, 0), place, parameters_[0].cols);
    return place;
  }
  void finish_gradient(const Pass<float>& pass, float* dalphas, std::int64_t size) const override {
    round(pass, dalphas, dalphas, size);
  }

 private:
  void round(const Pass<float>& pass, const float* x, float* y, std::int64_t size) const {
    verbs().round(pass.lease, {x, 1, size}, {y, 1, size});
  }
};

// y = (x - mean) scale + shift, each of the three operations rounded.
class StandardisationBfloat16 final : public Standardisation<float> {
 public:
  StandardisationBfloat16(const Bfloat16Backend& verbs, std::int64_t size)
      : Standardisation<float>(size), verbs_(verbs) {}

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float*) const override {
    verbs_.standardise(pass.lease, x, value(pass, 0), value(pass, 1), value(pass, 2), y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float>, ConstMatrix<float>, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float*) const override {
    if (!dx) return;
    verbs_.round(pass.lease, dy, dy);
    verbs_.standardise(pass.lease, dy, nullptr, value(pass, 1), nullptr, dx);
  }

 private:
  const Bfloat16Backend& verbs_;
};

}  // namespace lamina
