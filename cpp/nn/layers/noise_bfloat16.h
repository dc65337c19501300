// The layers that draw numbers, where they compute in bfloat16: each operation is rounded, and so are the
// numbers drawn and the layers' own.
#pragma once

#include <utility>

#include "backend/bfloat16.h"
#include "kernels/bfloat16_number.h"
#include "nn/layers/alpha_dropout.h"
#include "nn/layers/dropout.h"
#include "nn/layers/normal_noise.h"

namespace lamina {

// Dropout with 1 / (1 - rate) rounded, and the product with it.
class DropoutBfloat16 final : public Dropout<float> {
 public:
  DropoutBfloat16(const Bfloat16Backend& verbs, std::int64_t size, double rate, std::uint64_t seed,
                  std::uint32_t stream, DropoutShape shape = {})
      : Dropout<float>(size, rate, seed, stream, std::move(shape)), verbs_(verbs) {}

  const Dropping* drops() const override { return nullptr; }
  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float* mask) const override {
    draw(pass, x.rows, mask);
    const Matrix<float> kept(mask, x.rows, x.cols);
    verbs_.round(pass.lease, kept, kept);
    pass.backend.multiply(pass.lease, x, kept, y);
    verbs_.round(pass.lease, y, y);
  }
  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> y, Matrix<float> dy,
                bool at_logits, Activation below, Matrix<float> dx, float* mask) const override {
    if (!dx) return;
    verbs_.round(pass.lease, dy, dy);
    Dropout<float>::backward(pass, x, y, dy, at_logits, below, dx, mask);
    verbs_.round(pass.lease, dx, dx);
  }

 private:
  const Bfloat16Backend& verbs_;
};

// y = a (x kept + low (1 - kept)) + b, kept 0 or 1.
class AlphaDropoutBfloat16 final : public AlphaDropout<float> {
 public:
  AlphaDropoutBfloat16(const Bfloat16Backend& verbs, std::int64_t size, double rate, std::uint64_t seed,
                       std::uint32_t stream, DropoutShape shape)
      : AlphaDropout<float>(size, rate, seed, stream, std::move(shape)), verbs_(verbs) {}

  // Behind the mask what is filled in where it is 0.
  std::int64_t workspace(std::int64_t rows) const override {
    return padded<float>(AlphaDropout<float>::workspace(rows)) + rows * outputs();
  }

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float* mask) const override {
    draw(pass, x.rows, mask);
    const Matrix<float> kept(mask, x.rows, x.cols);
    const Matrix<float> rest(mask + padded<float>(AlphaDropout<float>::workspace(x.rows)), x.rows, x.cols);
    const float fill = constant(kLow);
    scale(pass, static_cast<float>(1 - rate()), kept, kept);  // 0 or 1
    pass.backend.rescale(pass.lease, {-fill, fill}, kept, rest);
    pass.backend.multiply(pass.lease, x, kept, y);
    pass.backend.blend(pass.lease, Blend::kAdd, 1, 1, rest.data, y.data, y.size());
    scale(pass, constant(a()), y, y);
    pass.backend.rescale(pass.lease, {1, constant(b())}, y, y);
    verbs_.round(pass.lease, y, y);
  }

  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float>, Matrix<float> dy, bool,
                Activation, Matrix<float> dx, float* mask) const override {
    if (!dx) return;
    verbs_.round(pass.lease, dy, dy);
    scale(pass, constant(a()), dy, dx);
    pass.backend.multiply(pass.lease, dx, ConstMatrix<float>(mask, x.rows, x.cols), dx);
  }

 private:
  void scale(const Pass<float>& pass, float by, ConstMatrix<float> x, Matrix<float> y) const {
    pass.backend.rescale(pass.lease, {by, 0}, x, y);
    verbs_.round(pass.lease, y, y);
  }
  float constant(double x) const { return nearest_bfloat16(static_cast<float>(x)); }

  const Bfloat16Backend& verbs_;
};

// In training y = x + stddev z, or y = x (1 + stddev z), with normal numbers z.
class NormalNoiseBfloat16 final : public NormalNoise<float> {
 public:
  NormalNoiseBfloat16(const Bfloat16Backend& verbs, std::int64_t size, double stddev, bool factor,
                      std::uint64_t seed, std::uint32_t stream)
      : NormalNoise<float>(size, stddev, factor, seed, stream), verbs_(verbs) {}

  std::int64_t workspace(std::int64_t rows) const override { return rows * outputs(); }

  void forward(const Pass<float>& pass, ConstMatrix<float> x, Matrix<float> y, float* drawn) const override {
    const Matrix<float> z(drawn, x.rows, x.cols);
    pass.backend.normal(pass.lease, stream(pass), 0, 1, {}, z);
    verbs_.round(pass.lease, z, z);
    rescale(pass, {nearest_bfloat16(static_cast<float>(stddev())), 0}, z);
    if (is_factor()) {
      rescale(pass, {1, 1}, z);
      pass.backend.multiply(pass.lease, x, z, y);
    } else {
      verbs_.round(pass.lease, x, y);
      pass.backend.blend(pass.lease, Blend::kAdd, 1, 1, z.data, y.data, y.size());
    }
    verbs_.round(pass.lease, y, y);
  }

  void backward(const Pass<float>& pass, ConstMatrix<float> x, ConstMatrix<float> y, Matrix<float> dy,
                bool at_logits, Activation below, Matrix<float> dx, float* drawn) const override {
    if (!dx) return;
    verbs_.round(pass.lease, dy, dy);
    NormalNoise<float>::backward(pass, x, y, dy, at_logits, below, dx, drawn);
    verbs_.round(pass.lease, dx, dx);
  }

 private:
  void rescale(const Pass<float>& pass, const Rescale<float>& by, Matrix<float> z) const {
    pass.backend.rescale(pass.lease, by, z, z);
    verbs_.round(pass.lease, z, z);
  }

  const Bfloat16Backend& verbs_;
};

}  // namespace lamina
