// A backend that lets another one work and notes how long each verb takes.
#pragma once

#include "backend/backend.h"

namespace lamina {

template <class T>
class ProfiledBackend final : public Backend<T> {
 public:
  explicit ProfiledBackend(const Backend<T>& inner) : inner_(inner) {}
  std::string_view name() const override { return "profile"; }
  bool on_device() const override { return inner_.on_device(); }
  Memory& memory() const override { return inner_.memory(); }
  void finish() const override { inner_.finish(); }
  std::int64_t fewest_samples() const override { return inner_.fewest_samples(); }

  void gather(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
              Matrix<T> out) const override;
  void gather_labels(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                     const LabelRange& range, Matrix<std::int64_t> out) const override;
  void dense(Lease& lease, const Input<T>& x, ConstMatrix<T> w, const T* b, Activation a,
             Matrix<T> y) const override;
  void dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w, Activation a,
                            const Input<T>& y, Matrix<T> dx) const override;
  void dense_weight_gradient(Lease& lease, const Input<T>& x, ConstMatrix<T> dz, Matrix<T> dw, T* db,
                             const Update<T>* update) const override;
  void activation(Lease& lease, Activation a, ConstMatrix<T> x, Matrix<T> y) const override;
  void activation_gradient(Lease& lease, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                           Matrix<T> dx) const override;
  void nonlinearity(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x, Matrix<T> y) const override;
  void nonlinearity_gradient(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x, ConstMatrix<T> y,
                             ConstMatrix<T> dy, Matrix<T> dx, T* dslopes) const override;
  void batch_norm(Lease& lease, ConstMatrix<T> x, const BatchNormValues<T>& values, T epsilon, bool training,
                  Matrix<T> y) const override;
  void batch_norm_gradient(Lease& lease, ConstMatrix<T> x, ConstMatrix<T> dy,
                           const BatchNormValues<T>& values, T* dgamma, T* dbeta,
                           Matrix<T> dx) const override;
  void renorm(Lease& lease, const Renorm<T>& form, const RenormValues<T>& values,
              std::int64_t channels) const override;
  void dropout_mask(Lease& lease, const RandomStream& stream, double rate, Matrix<T> mask) const override;
  void multiply(Lease& lease, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const override;
  void rescale(Lease& lease, const Rescale<T>& rescale, ConstMatrix<T> x, Matrix<T> y) const override;
  void normal(Lease& lease, const RandomStream& stream, double mean, double stddev, ConstMatrix<T> base,
              Matrix<T> out) const override;
  void gather_columns(Lease& lease, ConstMatrix<T> x, const std::int64_t* from, Matrix<T> y) const override;
  void normalise(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                 const NormalisationValues<T>& values, Matrix<T> y) const override;
  void normalise_gradient(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x, ConstMatrix<T> dy,
                          const NormalisationValues<T>& values, T* dgamma, T* dbeta,
                          Matrix<T> dx) const override;
  void loss(Lease& lease, const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
            const T* weight, T scale, T* rows, Matrix<T> gradient, double* sum) const override;
  void metric(Lease& lease, const MetricForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
              const T* weight, T* rows, double* sum) const override;
  void tally(Lease& lease, const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target,
             const T* weight, double* state) const override;
  void update(Lease& lease, const Update<T>& update, const T* dw, std::int64_t size) const override;
  void scaled_update(Lease& lease, const Update<T>& update, T a, T b, T* dw,
                     std::int64_t size) const override;
  void blend(Lease& lease, Blend kind, T a, T b, const T* x, T* y, std::int64_t size) const override;
  void sum(Lease& lease, const T* x, std::int64_t size, double* out) const override;
  T sum_of_squares(Lease& lease, const T* x, std::int64_t size) const override;
  void penalty(Lease& lease, const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows, Matrix<T> gradient,
               double* sum) const override;
  void constrain(Lease& lease, const Constraint<T>& form, Matrix<T> w) const override;

 private:
  const Backend<T>& inner_;
};

}  // namespace lamina
