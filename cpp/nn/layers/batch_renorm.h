// Batch renormalization (Ioffe, "Batch Renormalization", 2017): in training y = gamma (xhat r + d) + beta,
// where r and d lead from the batch's mean and deviation to moving ones and count as constants in the
// gradient. Besides these two it keeps those that serve outside of training, whose variance is its deviation
// squared, less epsilon.
#pragma once

#include "nn/layers/batch_norm.h"

namespace lamina {

struct RenormForm {
  double momentum, rmin, rmax, dmax;
};

template <class T>
class BatchRenorm : public BatchNorm<T> {
 public:
  BatchRenorm(std::int64_t positions, std::int64_t channels, double momentum, double epsilon, bool center,
              bool scale, const RenormForm& form)
      : BatchNorm<T>(positions, channels, momentum, epsilon, center, scale),
        momentum_(form.momentum),
        form_{static_cast<T>(epsilon), static_cast<T>(form.rmin), static_cast<T>(form.rmax),
              static_cast<T>(form.dmax)} {
    for (const char* name : {"moving_stddev", "renorm_mean", "renorm_stddev"})
      this->parameters_.push_back({name, 1, channels, false});
  }

  // Behind those of batch normalization: deviation, r, d, scale, shift.
  std::int64_t workspace(std::int64_t) const override { return (kFirst + 5) * padded<T>(this->channels()); }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* workspace) const override {
    if (!this->of_the_batch(pass)) return BatchNorm<T>::forward(pass, x, y, workspace);
    const std::int64_t channels = this->channels();
    const BatchNormValues<T> plain = BatchNorm<T>::values(pass, workspace);
    pass.backend.batch_norm(pass.lease, x.reshaped(channels), plain, this->epsilon(), true, {});
    pass.backend.renorm(pass.lease, form_,
                        {plain.mean, plain.variance, this->statistic(pass, 3), this->statistic(pass, 4),
                         plain.gamma, plain.beta, own(workspace, 0), own(workspace, 1), own(workspace, 2),
                         own(workspace, 3), own(workspace, 4)},
                        channels);
    pass.backend.batch_norm(pass.lease, x.reshaped(channels), values(pass, workspace), this->epsilon(), false,
                            y.reshaped(channels));
  }

  void commit(const Pass<T>& pass, T* workspace) const override {
    if (!this->of_the_batch(pass)) return;
    const std::int64_t channels = this->channels();
    const auto follow = [&](double momentum, const T* batch, std::size_t k) {
      BatchNorm<T>::follow(pass, momentum, batch, this->statistic(pass, k));
    };
    const T* const mean = this->part(workspace, 0);
    const T* const deviation = own(workspace, 0);
    follow(this->momentum(), mean, 0);
    follow(this->momentum(), deviation, 2);
    follow(momentum_, mean, 3);
    follow(momentum_, deviation, 4);
    const ConstMatrix<T> moving_deviation(this->statistic(pass, 2), 1, channels);
    const Matrix<T> variance(this->moving_variance(pass), 1, channels);
    pass.backend.multiply(pass.lease, moving_deviation, moving_deviation, variance);
    pass.backend.rescale(pass.lease, {T(1), -this->epsilon()}, variance, variance);
    pass.backend.activation(pass.lease, Activation::kRelu, variance, variance);  // rounding may go below 0
  }

 protected:
  BatchNormValues<T> values(const Pass<T>& pass, T* workspace) const override {
    BatchNormValues<T> v = BatchNorm<T>::values(pass, workspace);
    if (!this->of_the_batch(pass)) return v;
    v.gamma = own(workspace, 3);
    v.beta = own(workspace, 4);
    return v;
  }

  // dgamma = r sum dy xhat + d sum dy
  void finish_gradient(const Pass<T>& pass, T* dgamma, const T* dbeta, T* workspace) const override {
    if (!this->has_gamma()) return;
    const std::int64_t channels = this->channels();
    const Matrix<T> product(own(workspace, 3), 1, channels), sum(dgamma, 1, channels);
    pass.backend.multiply(pass.lease, sum, ConstMatrix<T>(own(workspace, 1), 1, channels), sum);
    pass.backend.multiply(pass.lease, {dbeta, 1, channels}, ConstMatrix<T>(own(workspace, 2), 1, channels),
                          product);
    pass.backend.blend(pass.lease, Blend::kAdd, T(1), T(1), product.data, dgamma, channels);
  }

 private:
  static constexpr std::int64_t kFirst = BatchNorm<T>::kParts;
  T* own(T* workspace, std::int64_t k) const { return this->part(workspace, kFirst + k); }

  double momentum_;
  Renorm<T> form_;
};

}  // namespace lamina
