// The verbs of layers that compute in bfloat16 (Keras's mixed_bfloat16). Values lie in float matrices; those
// that go from layer to layer, and gradients with respect to them, are rounded to bfloat16, parameters and
// their gradients are float. A weight's gradient is rounded to bfloat16 too, as it comes out of a product of
// such.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/team.h"
#include "kernels/arguments.h"
#include "kernels/nonlinearity.h"

namespace lamina {

class Bfloat16Backend {
 public:
  virtual ~Bfloat16Backend() = default;

  // Floats that `dense` and `dense_gradient` need as scratch.
  virtual std::int64_t dense_scratch(std::int64_t rows, std::int64_t inputs, std::int64_t units) const = 0;

  // y = x rounded; y may be x.
  virtual void round(Lease& lease, ConstMatrix<float> x, Matrix<float> y) const = 0;

  // y = (x - mean) scale + shift, rounded after each of the three; mean, scale and shift, rounded already
  // but for a scale that stands for a division, have a value for each column and may be null: 0, 1 and 0.
  virtual void standardise(Lease& lease, ConstMatrix<float> x, const float* mean, const float* scale,
                           const float* shift, Matrix<float> y) const = 0;

  // y = a(x wT + b), b may be null; x, w and b are rounded on the way in, and the result after each of the
  // three operations; but `fused` as TensorFlow fuses them, with a bias and a linear, relu, sigmoid or tanh,
  // only once.
  virtual void dense(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, const float* b, Activation a,
                     bool fused, Matrix<float> y, float* scratch) const = 0;
  // dw = dzT x, db = column sums of dz, dx = dz w, each rounded, dx then times the slope of the activation
  // `below` that x came out of, as activation_gradient has it (no softmax); dz is rounded already; db and dx
  // may be null. db is rounded after each row: so TensorFlow's BiasAddGrad adds on a CPU, and Keras's bias
  // gets no other. With an update, w and the bias take their step at once, and what dw and db hold is of no
  // use.
  virtual void dense_gradient(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, ConstMatrix<float> dz,
                              Activation below, Matrix<float> dw, float* db, Matrix<float> dx,
                              const Update<float>* update, float* scratch) const = 0;

  // y = a(x) of rounded x, rounded as TensorFlow does within it; y may be x.
  virtual void activation(Lease& lease, Activation a, ConstMatrix<float> x, Matrix<float> y) const = 0;
  // dx = dy a'(z) from the output y, dy and each operation rounded; dx may be dy.
  virtual void activation_gradient(Lease& lease, Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                                   Matrix<float> dx) const = 0;

  // y = f(x) number by number, in other memory, and dx = dy f'(x) with y = f(x).
  virtual void nonlinearity(Lease& lease, const Nonlinearity<float>& f, ConstMatrix<float> x,
                            Matrix<float> y) const = 0;
  virtual void nonlinearity_gradient(Lease& lease, const Nonlinearity<float>& f, ConstMatrix<float> x,
                                     ConstMatrix<float> y, ConstMatrix<float> dy, Matrix<float> dx) const = 0;
};

// That of the backend of this name; it lives as long as the process. std::invalid_argument for another name.
const Bfloat16Backend& bfloat16_backend_named(std::string_view name);

}  // namespace lamina
