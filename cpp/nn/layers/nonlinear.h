// y = f(x) on each of a sample's positions, where the slope of f needs x.
#pragma once

#include "nn/layer.h"

namespace lamina {

template <class T>
class Nonlinear : public Layer<T> {
 public:
  // features: that f takes at once. logits: whether a loss sees through a softmax to its input.
  Nonlinear(std::int64_t positions, std::int64_t features, const Nonlinearity<T>& f, bool logits)
      : Layer<T>(positions * features, positions * width(features, f)),
        features_(features),
        f_(f),
        logits_(logits) {}

  std::int64_t features() const override { return width(features_, f_); }
  Activation head() const override { return logits_ ? Activation::kSoftmax : Activation::kLinear; }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }
  void output_from_logits(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const override {
    forward(pass, x, y, nullptr);
  }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T*) const override {
    pass.backend.nonlinearity(pass.lease, f_, x.reshaped(features_), y.reshaped(features()));
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T> y, Matrix<T> dy, bool at_logits,
                Activation, Matrix<T> dx, T*) const override {
    if (!dx) return;
    if (at_logits) return pass.backend.activation(pass.lease, Activation::kLinear, dy, dx);
    pass.backend.nonlinearity_gradient(pass.lease, f_, x.reshaped(features_), y.reshaped(features()),
                                       dy.reshaped(features()), dx.reshaped(features_), nullptr);
  }

 private:
  static std::int64_t width(std::int64_t features, const Nonlinearity<T>& f) {
    return f.kind == NonlinearKind::kGlu ? features / 2 : features;
  }

  std::int64_t features_;
  Nonlinearity<T> f_;
  bool logits_;
};

}  // namespace lamina
