// A gated linear unit in bfloat16: y = a sigmoid(b) with the halves a and b of each of a sample's positions,
// each operation rounded.
#pragma once

#include <vector>

#include "backend/bfloat16.h"
#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

class GatedBfloat16 final : public Layer<float> {
 public:
  GatedBfloat16(const Bfloat16Backend& verbs, std::int64_t positions, std::int64_t features)
      : Layer<float>(positions * features, positions * features / 2), verbs_(verbs), features_(features / 2) {
    for (std::int64_t p = 0; p < positions; ++p)
      for (std::int64_t j = 0; j < features; ++j) (j < features_ ? a_ : b_).push_back(p * features + j);
    // Where each value of a sample stands in one whose a lie before all b.
    for (std::int64_t p = 0; p < positions; ++p)
      for (std::int64_t half = 0; half < 2; ++half)
        for (std::int64_t j = 0; j < features_; ++j) joined_.push_back(half * outputs() + p * features_ + j);
  }

  void settle(Memory& memory) override {
    of_a_ = copy_of(a_, memory);
    of_b_ = copy_of(b_, memory);
    of_joined_ = copy_of(joined_, memory);
  }

  std::int64_t features() const override { return features_; }
  ConstMatrix<float> logits(const Pass<float>&, ConstMatrix<float> x, Matrix<float>) const override {
    return x;
  }
  // a and sigmoid(b); and on the way back their gradients, side by side.
  std::int64_t workspace(std::int64_t rows) const override { return 4 * padded<float>(rows * outputs()); }

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float* place) const override {
    const Matrix<float> a = half(place, 0, x.rows), s = half(place, 1, x.rows);
    pass.backend.gather_columns(pass.lease, x, of_a_.data(), a);
    pass.backend.gather_columns(pass.lease, x, of_b_.data(), s);
    verbs_.activation(pass.lease, Activation::kSigmoid, s, s);
    product(pass, a, s, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float>, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float* place) const override {
    if (!dx) return;
    const std::int64_t n = x.rows, size = outputs();
    const Matrix<float> a = half(place, 0, n), s = half(place, 1, n),
                        both(half(place, 2, n).data, n, 2 * size);
    verbs_.round(pass.lease, dy, dy);
    product(pass, dy, a, a);
    verbs_.activation_gradient(pass.lease, Activation::kSigmoid, s, a, both.cols_of(size, 2 * size));
    pass.backend.multiply(pass.lease, dy, s, s);
    verbs_.round(pass.lease, s, both.cols_of(0, size));
    pass.backend.gather_columns(pass.lease, both, of_joined_.data(), dx);
  }

 private:
  Matrix<float> half(float* place, std::int64_t k, std::int64_t rows) const {
    return {place + k * padded<float>(rows * outputs()), rows, outputs()};
  }
  void product(const Pass<float>& pass, ConstMatrix<float> a, ConstMatrix<float> b, Matrix<float> y) const {
    pass.backend.multiply(pass.lease, a, b, y);
    verbs_.round(pass.lease, y, y);
  }

  const Bfloat16Backend& verbs_;
  std::int64_t features_;
  std::vector<std::int64_t> a_, b_, joined_;
  Buffer<std::int64_t> of_a_, of_b_, of_joined_;
};

}  // namespace lamina
