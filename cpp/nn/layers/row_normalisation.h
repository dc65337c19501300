// Each sample normalised by itself, over all of it or group by group; see kernels/normalisation_table.h for
// the kinds.
#pragma once

#include <string>
#include <vector>

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class RowNormalisation : public Layer<T> {
 public:
  // A sample is `groups` neighbouring groups of `lanes` values. Gamma (called `gamma_name`) and beta, where
  // there are any, have a value for each of these, the same in all of `alike` runs of groups, and for
  // `repeat` neighbouring elements.
  struct Shape {
    std::int64_t groups = 1;
    std::int64_t lanes = 1;
    std::int64_t alike = 1;
    std::int64_t repeat = 1;
    std::int64_t size() const { return groups * lanes; }
    std::int64_t period() const { return groups / alike; }
    std::int64_t parameters() const { return period() * lanes / repeat; }
  };

  RowNormalisation(const Shape& shape, Normalisation kind, double epsilon, const std::string& gamma_name,
                   bool center, const std::vector<std::int64_t>& parameter_shape)
      : Layer<T>(shape.size(), shape.size()),
        shape_(shape),
        form_{kind, static_cast<T>(epsilon), shape.period(), shape.repeat},
        scale_(!gamma_name.empty()),
        center_(center) {
    if (scale_) this->parameters_.push_back({gamma_name, 1, shape.parameters()});
    if (center_) this->parameters_.push_back({"beta", 1, shape.parameters()});
    for (Parameter& p : this->parameters_) p.shape = parameter_shape;
  }

  void settle(Memory& memory) override {
    places_ = Buffer<std::int64_t>(places(), memory);
    for (std::int64_t i = 0; i < places(); ++i) places_.data()[i] = i / shape_.repeat;
  }

  // Mean and factor of every row, gamma and beta of every element where several share one.
  std::int64_t workspace(std::int64_t rows) const override {
    return 2 * padded<T>(rows * shape_.groups) + 2 * padded<T>(places());
  }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* workspace) const override {
    pass.backend.normalise(pass.lease, form_, x.reshaped(shape_.lanes), values(pass, x.rows, workspace, true),
                           y.reshaped(shape_.lanes));
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* workspace) const override {
    const bool learns = this->learns();
    T* dgamma = scale_ && learns ? this->gradient(pass, 0) : nullptr;
    T* dbeta = center_ && learns ? this->gradient(pass, scale_ ? 1 : 0) : nullptr;
    pass.backend.normalise_gradient(pass.lease, form_, x.reshaped(shape_.lanes), dy.reshaped(shape_.lanes),
                                    values(pass, x.rows, workspace, false), dgamma, dbeta,
                                    dx ? dx.reshaped(shape_.lanes) : dx);
    if (dgamma != nullptr) finish_gradient(pass, dgamma, shape_.parameters());
    if (pass.update == nullptr) return;
    for (T* gradient : {dgamma, dbeta})
      if (gradient != nullptr) pass.backend.update(pass.lease, *pass.update, gradient, shape_.parameters());
  }

 protected:
  // Gamma as it is computed with; what is passed lies behind the workspace of this class.
  virtual const T* gamma(const Pass<T>& pass, T*) const { return this->value(pass, 0); }
  virtual void finish_gradient(const Pass<T>&, T*, std::int64_t) const {}

 private:
  NormalisationValues<T> values(const Pass<T>& pass, std::int64_t rows, T* workspace, bool spread) const {
    T* const mean = workspace;
    T* const inverse = mean + padded<T>(rows * shape_.groups);
    T* place = inverse + padded<T>(rows * shape_.groups);
    const T* parameters[2] = {scale_ ? gamma(pass, workspace + RowNormalisation::workspace(rows)) : nullptr,
                              center_ ? this->value(pass, scale_ ? 1 : 0) : nullptr};
    for (const T*& p : parameters) {
      if (places() == 0 || p == nullptr) continue;
      if (spread)
        pass.backend.gather_columns(pass.lease, {p, 1, shape_.parameters()}, places_.data(),
                                    {place, 1, places()});
      p = place;
      place += padded<T>(places());
    }
    return {parameters[0], parameters[1], mean, inverse};
  }

  // Elements whose gamma and beta are spread before they are used.
  std::int64_t places() const { return shape_.repeat == 1 ? 0 : shape_.parameters() * shape_.repeat; }

  Shape shape_;
  NormalisationForm<T> form_;
  bool scale_, center_;
  Buffer<std::int64_t> places_;
};

}  // namespace lamina
