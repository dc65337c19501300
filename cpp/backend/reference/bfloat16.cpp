#include "backend/reference/bfloat16.h"

#include <algorithm>
#include <cmath>

#include "backend/reference/reference.h"
#include "kernels/bfloat16_nonlinear.h"

namespace lamina {
namespace {

// To nearest, ties to even: 8 significant bits are 16 fewer than a float has. nearbyint goes by the thread's
// rounding mode, which is to nearest unless a program changed it.
float rounded(double x) {
  const auto single = static_cast<double>(static_cast<float>(x));
  if (!std::isfinite(single) || single == 0) return static_cast<float>(single);
  int exponent = 0;
  std::frexp(single, &exponent);
  const int unit = std::max(exponent - 8, -133);  // subnormal ones are whole multiples of 2^-133
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(single, -unit)), unit));
}

// A number whose operations are done in double and rounded.
struct Number {
  double v;

  explicit Number(double x) : v(double{rounded(x)}) {}
  static Number exact(float x) {
    Number number(0);
    number.v = double{x};
    return number;
  }
};

Number operator+(Number a, Number b) { return Number(a.v + b.v); }
Number operator-(Number a, Number b) { return Number(a.v - b.v); }
Number operator*(Number a, Number b) { return Number(a.v * b.v); }
Number operator/(Number a, Number b) { return Number(a.v / b.v); }
Number operator-(Number a) { return Number(-a.v); }
bool operator<(Number a, Number b) { return a.v < b.v; }
bool operator>(Number a, Number b) { return a.v > b.v; }
bool operator<=(Number a, Number b) { return a.v <= b.v; }
bool operator>=(Number a, Number b) { return a.v >= b.v; }
Number choose(bool condition, Number a, Number b) { return condition ? a : b; }
Number absolute(Number x) { return Number(std::abs(x.v)); }
Number exp(Number x) { return Number(std::exp(x.v)); }
Number expm1(Number x) { return Number(std::expm1(x.v)); }
Number log1p(Number x) { return Number(std::log1p(x.v)); }
Number tanh(Number x) { return Number(std::tanh(x.v)); }
Number erfc(Number x) { return Number(std::erfc(x.v)); }
Number square_root(Number x) { return Number(std::sqrt(x.v)); }
Number silu(Number x) { return Number(x.v / (1 + std::exp(-x.v))); }

void activate_row(Activation a, float* y, std::int64_t n) {
  double largest = -HUGE_VAL, sum = 0;
  if (a == Activation::kSoftmax) {
    for (std::int64_t j = 0; j < n; ++j) largest = std::max(largest, static_cast<double>(y[j]));
    for (std::int64_t j = 0; j < n; ++j) sum += std::exp(static_cast<double>(y[j]) - largest);
  }
  for (std::int64_t j = 0; j < n; ++j) {
    const double z = y[j], e = rounded(std::exp(z));
    switch (a) {
      case Activation::kLinear:
        break;
      case Activation::kRelu:
        y[j] = z < 0 ? 0.0f : y[j];
        break;
      case Activation::kSigmoid:
        y[j] = std::isinf(e) ? 1.0f : rounded(e / rounded(1 + e));
        break;
      case Activation::kTanh:
        y[j] = rounded(std::tanh(z));
        break;
      case Activation::kExp:
        y[j] = static_cast<float>(e);
        break;
      case Activation::kSoftmax:
        y[j] = rounded(std::exp(z - largest) / sum);
    }
  }
}

// out = the rounded sum over k < depth of term(k)
template <class Term>
float rounded_sum(std::int64_t depth, Term&& term) {
  double sum = 0;
  for (std::int64_t k = 0; k < depth; ++k) sum += static_cast<double>(term(k));
  return rounded(sum);
}

}  // namespace

void ReferenceBfloat16::round(Lease&, ConstMatrix<float> x, Matrix<float> y) const {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j) y.row(i)[j] = rounded(x.row(i)[j]);
}

void ReferenceBfloat16::standardise(Lease&, ConstMatrix<float> x, const float* mean, const float* scale,
                                    const float* shift, Matrix<float> y) const {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j) {
      float v = x.row(i)[j];
      if (mean != nullptr) v = rounded(double{v} - double{mean[j]});
      if (scale != nullptr) v = rounded(double{v} * double{scale[j]});
      if (shift != nullptr) v = rounded(double{v} + double{shift[j]});
      y.row(i)[j] = v;
    }
}

void ReferenceBfloat16::dense(Lease&, ConstMatrix<float> x, ConstMatrix<float> w, const float* b,
                              Activation a, bool fused, Matrix<float> y, float*) const {
  const bool at_once = b != nullptr && fused && (a == Activation::kSigmoid || a == Activation::kTanh);
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::int64_t j = 0; j < y.cols; ++j) {
      double z = 0;
      for (std::int64_t k = 0; k < x.cols; ++k)
        z += double{rounded(x.row(i)[k])} * double{rounded(w.row(j)[k])};
      if (b != nullptr) z = (fused ? z : double{rounded(z)}) + double{rounded(b[j])};
      if (at_once) z = a == Activation::kTanh ? std::tanh(z) : 1 / (1 + std::exp(-z));
      y.row(i)[j] = rounded(z);
    }
    if (!at_once) activate_row(a, y.row(i), y.cols);
  }
}

void ReferenceBfloat16::dense_gradient(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w,
                                       ConstMatrix<float> dz, Activation below, Matrix<float> dw, float* db,
                                       Matrix<float> dx, const Update<float>* update, float*) const {
  for (std::int64_t u = 0; u < dw.rows; ++u) {
    for (std::int64_t i = 0; i < dw.cols; ++i)
      dw.row(u)[i] = rounded_sum(
          x.rows, [&](std::int64_t k) { return double{dz.row(k)[u]} * double{rounded(x.row(k)[i])}; });
    if (db == nullptr) continue;
    db[u] = 0;
    for (std::int64_t k = 0; k < dz.rows; ++k) db[u] = rounded(double{db[u]} + double{dz.row(k)[u]});
  }
  for (std::int64_t r = 0; r < dx.rows; ++r)  // none where it is not wanted
    for (std::int64_t i = 0; i < dx.cols; ++i)
      dx.row(r)[i] = rounded_sum(
          dz.cols, [&](std::int64_t k) { return double{dz.row(r)[k]} * double{rounded(w.row(k)[i])}; });
  if (dx && below != Activation::kLinear) activation_gradient(lease, below, x, dx, dx);
  // Last: dx is that of the weights before their step.
  if (update == nullptr) return;
  const ReferenceBackend<float> verbs;
  for (std::int64_t u = 0; u < dw.rows; ++u) verbs.update(lease, *update, dw.row(u), dw.cols);
  if (db != nullptr) verbs.update(lease, *update, db, dw.rows);
}

void ReferenceBfloat16::activation(Lease& lease, Activation a, ConstMatrix<float> x, Matrix<float> y) const {
  round(lease, x, y);
  for (std::int64_t i = 0; i < y.rows; ++i) activate_row(a, y.row(i), y.cols);
}

void ReferenceBfloat16::activation_gradient(Lease&, Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                                            Matrix<float> dx) const {
  for (std::int64_t i = 0; i < y.rows; ++i) {
    const float* v = y.row(i);
    const float* d = dy.row(i);
    const float dot = a != Activation::kSoftmax ? 0.0f : rounded_sum(y.cols, [&](std::int64_t k) {
      return rounded(double{v[k]} * double{rounded(d[k])});
    });
    for (std::int64_t j = 0; j < y.cols; ++j) {
      const double at = v[j], up = rounded(d[j]);
      switch (a) {
        case Activation::kLinear:
          dx.row(i)[j] = static_cast<float>(up);
          break;
        case Activation::kRelu:
          dx.row(i)[j] = static_cast<float>(up * (at > 0 ? 1 : 0));
          break;
        case Activation::kSigmoid:
          dx.row(i)[j] = rounded(up * rounded(at * rounded(1 - at)));
          break;
        case Activation::kTanh:
          dx.row(i)[j] = rounded(up * rounded(1 - rounded(at * at)));
          break;
        case Activation::kExp:
          dx.row(i)[j] = rounded(up * at);
          break;
        case Activation::kSoftmax:
          dx.row(i)[j] = rounded(double{rounded(up - dot)} * at);
      }
    }
  }
}

void ReferenceBfloat16::nonlinearity(Lease&, const Nonlinearity<float>& f, ConstMatrix<float> x,
                                     Matrix<float> y) const {
  const bfloat16::Form<Number> form{f};
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j)
      y.row(i)[j] = static_cast<float>(form.value(Number(double{x.row(i)[j]})).v);
}

void ReferenceBfloat16::nonlinearity_gradient(Lease&, const Nonlinearity<float>& f, ConstMatrix<float> x,
                                              ConstMatrix<float> y, ConstMatrix<float> dy,
                                              Matrix<float> dx) const {
  const bfloat16::Form<Number> form{f};
  const auto at = [](ConstMatrix<float> m, std::int64_t i, std::int64_t j) {
    return Number(double{m.row(i)[j]});
  };
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j)
      dx.row(i)[j] = static_cast<float>(form.gradient(at(x, i, j), at(y, i, j), at(dy, i, j)).v);
}

}  // namespace lamina
