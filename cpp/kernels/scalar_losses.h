// Losses that are the mean over a row of what each output has on its own: value and slope at one output, as
// Keras on TensorFlow has them, also where they have no slope. Included by kernels/isa.cpp and the reference
// backend.
#pragma once

#include <cmath>

#include "kernels/arguments.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
struct AtOutput {
  T value, slope;
};

// 0 at 0, NaN at NaN
template <class T>
LAMINA_HOST_DEVICE T sign(T x) {
  return x > 0 ? T(1) : x < 0 ? T(-1) : x;
}

// max(x, low); NaN stays NaN.
template <class T>
LAMINA_HOST_DEVICE T at_least(T x, T low) {
  return x < low ? low : x;
}

template <class T>
LAMINA_HOST_DEVICE T softplus(T x) {
  return at_least(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
}

// 100 |t - p| / max(|t|, epsilon)
template <class T>
LAMINA_HOST_DEVICE AtOutput<T> absolute_percentage_error(T p, T t) {
  const T size = at_least(std::abs(t), T(kClip)), d = (t - p) / size;
  return {T(100) * std::abs(d), T(-100) * sign(d) / size};
}

// (log(1 + p) - log(1 + t))^2, both at least epsilon
template <class T>
LAMINA_HOST_DEVICE AtOutput<T> squared_logarithmic_error(T p, T t) {
  const T low = T(kClip), q = at_least(p, low) + T(1);
  const T d = std::log(q) - std::log(at_least(t, low) + T(1));
  return {d * d, p >= low ? T(2) * d / q : T(0)};
}

// d^2 / 2 up to |d| = delta, then a line. The product by 0 is NaN where d is infinite, as TensorFlow's.
template <class T>
LAMINA_HOST_DEVICE AtOutput<T> huber(T delta, T p, T t) {
  const T d = p - t, size = std::abs(d);
  if (size <= delta) return {T(0.5) * d * d, d};
  return {delta * size - T(0.5) * delta * delta, delta * sign(d) + T(0) * d};
}

// Keras has it as a float also among doubles.
inline constexpr float kLog2 = 0.69314718055994530942F;

// log cosh d = d + softplus(-2 d) - log 2, slope tanh d
template <class T>
LAMINA_HOST_DEVICE AtOutput<T> log_cosh(T p, T t) {
  const T d = p - t;
  return {d + softplus(T(-2) * d) - T(kLog2), T(1) - T(2) / (T(1) + std::exp(T(2) * d))};
}

// max(1 - t p, 0), or its square
template <class T>
LAMINA_HOST_DEVICE AtOutput<T> hinge(T p, T t, bool squared) {
  const T margin = T(1) - t * p, value = at_least(margin, T(0));
  const T slope = margin >= T(0) ? -t : T(0);
  if (squared) return {value * value, T(2) * value * slope};
  return {value, slope};
}

template <class T>
LAMINA_HOST_DEVICE AtOutput<T> at_output(const LossForm<T>& form, T p, T target) {
  const T t = form.label_scale * target + form.label_shift;
  switch (form.kind) {
    case LossKind::kMeanAbsoluteError:
      return {std::abs(p - t), sign(p - t)};
    case LossKind::kMeanAbsolutePercentageError:
      return absolute_percentage_error(p, t);
    case LossKind::kMeanSquaredLogarithmicError:
      return squared_logarithmic_error(p, t);
    case LossKind::kHuber:
      return huber(form.delta, p, t);
    case LossKind::kLogCosh:
      return log_cosh(p, t);
    case LossKind::kPoisson:  // p - t log(p + epsilon)
      return {p - t * std::log(p + T(kClip)), T(1) - t / (p + T(kClip))};
    default:
      return hinge(p, t, form.kind == LossKind::kSquaredHinge);
  }
}

LAMINA_HOST_DEVICE inline bool has_outputs_alone(LossKind kind) {
  return kind >= LossKind::kMeanAbsoluteError && kind <= LossKind::kSquaredHinge;
}

template <class T>
LAMINA_HOST_DEVICE double scalar_loss_row(const LossForm<T>& form, const T* p, const T* t, T scale,
                                          T* gradient, std::int64_t n) {
  double sum = 0;
  const T share = scale / T(n);
  for (std::int64_t j = 0; j < n; ++j) {
    const AtOutput<T> at = at_output(form, p[j], t[j]);
    sum += static_cast<double>(at.value);
    if (gradient != nullptr) gradient[j] = share * at.slope;
  }
  return sum / static_cast<double>(n);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
