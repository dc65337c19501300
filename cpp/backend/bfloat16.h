// The verbs of layers that compute in bfloat16 (Keras's mixed_bfloat16). Values lie in float matrices; those
// that go from layer to layer, and gradients with respect to them, are rounded to bfloat16, parameters and
// their gradients are float. A weight's gradient is rounded to bfloat16 too, as it comes out of a product of
// such.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/team.h"
#include "kernels/arguments.h"

namespace lamina {

class Bfloat16Backend {
 public:
  virtual ~Bfloat16Backend() = default;

  // Floats that `dense` and `dense_gradient` need as scratch.
  virtual std::int64_t dense_scratch(std::int64_t rows, std::int64_t inputs, std::int64_t units) const = 0;

  // y = x rounded; y may be x.
  virtual void round(Lease& lease, ConstMatrix<float> x, Matrix<float> y) const = 0;

  // y = a(x wT + b): x, w and b are rounded on the way in. With a bias the result is rounded once where a is
  // linear, relu, sigmoid or tanh, as TensorFlow fuses the three operations; else once before a and once
  // after. b may be null.
  virtual void dense(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, const float* b, Activation a,
                     Matrix<float> y, float* scratch) const = 0;
  // dw = dzT x, db = column sums of dz, dx = dz w, each rounded; dz is rounded already; db and dx may be
  // null. db is rounded after each row: so TensorFlow's BiasAddGrad adds on a CPU, and Keras's bias gets no
  // other.
  virtual void dense_gradient(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, ConstMatrix<float> dz,
                              Matrix<float> dw, float* db, Matrix<float> dx, float* scratch) const = 0;

  // y = a(x) of rounded x, rounded as TensorFlow does within it; y may be x.
  virtual void activation(Lease& lease, Activation a, ConstMatrix<float> x, Matrix<float> y) const = 0;
  // dx = dy a'(z) from the output y, dy and each operation rounded; dx may be dy.
  virtual void activation_gradient(Lease& lease, Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                                   Matrix<float> dx) const = 0;
};

// That of the backend of this name; it lives as long as the process. std::invalid_argument for another name.
const Bfloat16Backend& bfloat16_backend_named(std::string_view name);

}  // namespace lamina
