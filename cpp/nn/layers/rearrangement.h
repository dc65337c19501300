// A sample's values in another order.
#pragma once

#include <vector>

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class Rearrangement final : public Layer<T> {
 public:
  // y[j] = x[from[j]]; `from` holds every number below its size once.
  explicit Rearrangement(std::vector<std::int64_t> from)
      : Layer<T>(static_cast<std::int64_t>(from.size()), static_cast<std::int64_t>(from.size())),
        order_(std::move(from)) {}

  void settle(Memory& memory) override {
    from_ = copy_of(order_, memory);
    back_ = Buffer<std::int64_t>(from_.size(), memory);
    for (std::int64_t j = 0; j < from_.size(); ++j) back_.data()[from_.data()[j]] = j;
  }

  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T*) const override {
    pass.backend.gather_columns(pass.lease, x, from_.data(), y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T*) const override {
    if (dx) pass.backend.gather_columns(pass.lease, dy, back_.data(), dx);
  }

 private:
  std::vector<std::int64_t> order_;
  Buffer<std::int64_t> from_, back_;
};

}  // namespace lamina
