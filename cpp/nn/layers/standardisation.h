// y = (x - mean) scale + shift, each a number per element of a sample that training does not change.
#pragma once

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class Standardisation : public Layer<T> {
 public:
  explicit Standardisation(std::int64_t size) : Layer<T>(size, size) {
    for (const char* name : {"mean", "scale", "shift"}) this->parameters_.push_back({name, 1, size, false});
  }

  // Zeros, and what the verb writes.
  std::int64_t workspace(std::int64_t) const override { return 3 * padded<T>(this->outputs()); }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* workspace) const override {
    apply(pass, this->value(pass, 0), this->value(pass, 2), x, y, workspace);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* workspace) const override {
    if (dx) apply(pass, workspace, nullptr, dy, dx, workspace);
  }

 private:
  // With a variance of 0 and an epsilon of 1 the verb divides by 1.
  void apply(const Pass<T>& pass, T* mean, const T* shift, ConstMatrix<T> x, Matrix<T> y,
             T* workspace) const {
    const std::int64_t part = padded<T>(this->outputs());
    pass.backend.batch_norm(
        pass.lease, x, {this->value(pass, 1), shift, mean, workspace, workspace + part, workspace + 2 * part},
        T(1), false, y);
  }
};

}  // namespace lamina
