// Batch normalization over all positions of all samples, channel by channel (Ioffe and Szegedy, 2015).
#pragma once

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class BatchNorm : public Layer<T> {
 public:
  BatchNorm(std::int64_t positions, std::int64_t channels, double momentum, double epsilon, bool center,
            bool scale)
      : Layer<T>(positions * channels, positions * channels),
        channels_(channels),
        momentum_(momentum),
        epsilon_(static_cast<T>(epsilon)),
        center_(center),
        scale_(scale) {
    if (scale) this->parameters_.push_back({"gamma", 1, channels});
    if (center) this->parameters_.push_back({"beta", 1, channels});
    this->parameters_.push_back({"moving_mean", 1, channels, false});
    this->parameters_.push_back({"moving_variance", 1, channels, false});
  }

  // The batch's mean and variance, 1/sqrt(variance + epsilon), its product with gamma, and the gradients that
  // a layer without gamma or beta, or with frozen ones, has no other place for. With frozen statistics
  // nothing writes the fifth, which is then a mean of zeros.
  std::int64_t workspace(std::int64_t) const override { return kParts * padded<T>(channels_); }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* workspace) const override {
    pass.backend.batch_norm(pass.lease, x.reshaped(channels_), values(pass, workspace), epsilon_,
                            of_the_batch(pass), y.reshaped(channels_));
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* workspace) const override {
    if (!of_the_batch(pass)) return scale_gradient(pass, dy, dx, workspace);
    const bool learns = this->learns();
    T* dgamma = scale_ && learns ? this->gradient(pass, 0) : part(workspace, 4);
    T* dbeta = center_ && learns ? this->gradient(pass, scale_ ? 1 : 0) : part(workspace, 5);
    const Matrix<T> in_place = dx ? dx : dy;
    pass.backend.batch_norm_gradient(pass.lease, x.reshaped(channels_), dy.reshaped(channels_),
                                     values(pass, workspace), dgamma, dbeta, in_place.reshaped(channels_));
    finish_gradient(pass, dgamma, dbeta, workspace);
    if (pass.update == nullptr || !learns) return;
    if (scale_) pass.backend.update(pass.lease, *pass.update, dgamma, channels_);
    if (center_) pass.backend.update(pass.lease, *pass.update, dbeta, channels_);
  }

  void commit(const Pass<T>& pass, T* workspace) const override {
    if (!of_the_batch(pass)) return;
    T* const moving[] = {moving_mean(pass), moving_variance(pass)};
    for (std::int64_t k = 0; k < 2; ++k) follow(pass, momentum_, part(workspace, k), moving[k]);
  }

 protected:
  static constexpr std::int64_t kParts = 6;

  // moving = momentum moving + (1 - momentum) batch
  void follow(const Pass<T>& pass, double momentum, const T* batch, T* moving) const {
    pass.backend.blend(pass.lease, Blend::kAverage, static_cast<T>(momentum), static_cast<T>(1 - momentum),
                       batch, moving, channels_);
  }

  bool of_the_batch(const Pass<T>& pass) const { return pass.training && !this->frozen_statistics(); }

  std::int64_t channels() const { return channels_; }
  double momentum() const { return momentum_; }
  T epsilon() const { return epsilon_; }
  bool has_gamma() const { return scale_; }

  // What the batch is normalised with.
  virtual BatchNormValues<T> values(const Pass<T>& pass, T* workspace) const {
    return {scale_ ? this->value(pass, 0) : nullptr,
            center_ ? this->value(pass, scale_ ? 1 : 0) : nullptr,
            of_the_batch(pass) ? part(workspace, 0) : moving_mean(pass),
            of_the_batch(pass) ? part(workspace, 1) : moving_variance(pass),
            part(workspace, 2),
            part(workspace, 3)};
  }
  // From the gradient of the factor of xhat to that of gamma.
  virtual void finish_gradient(const Pass<T>&, T*, const T*, T*) const {}

  T* part(T* workspace, std::int64_t k) const { return workspace + k * padded<T>(channels_); }
  // Those behind gamma and beta.
  T* statistic(const Pass<T>& pass, std::size_t k) const {
    return this->value(pass, (scale_ ? 1u : 0u) + (center_ ? 1u : 0u) + k);
  }
  T* moving_mean(const Pass<T>& pass) const { return statistic(pass, 0); }
  T* moving_variance(const Pass<T>& pass) const { return statistic(pass, 1); }

 private:
  // With statistics that do not depend on x, dx = dy gamma / sqrt(variance + epsilon).
  void scale_gradient(const Pass<T>& pass, ConstMatrix<T> dy, Matrix<T> dx, T* workspace) const {
    if (!dx) return;
    BatchNormValues<T> v = values(pass, workspace);
    v.beta = nullptr;
    v.mean = part(workspace, 4);
    pass.backend.batch_norm(pass.lease, dy.reshaped(channels_), v, epsilon_, false, dx.reshaped(channels_));
  }

  std::int64_t channels_;
  double momentum_;
  T epsilon_;
  bool center_, scale_;
};

}  // namespace lamina
