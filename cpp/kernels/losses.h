// Losses: value and gradient of each row in one pass, as Keras on TensorFlow computes them: from logits where
// they are at hand, else from probabilities clipped to [1e-7, 1 - 1e-7]. Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/activations.h"
#include "kernels/circle.h"
#include "kernels/clip.h"
#include "kernels/row_losses.h"
#include "kernels/row_metrics.h"
#include "kernels/scalar_losses.h"

namespace lamina::LAMINA_ISA {
namespace {

// A loss that is the mean over a row of a value that each output has on its own, and that value's slope.
template <class T>
struct Pointwise {
  Vec<T> value, slope;
};

// (p - t)^2, slope 2 (p - t)
template <class T>
Pointwise<T> squared_error(Vec<T> p, Vec<T> t) {
  const Vec<T> d = p - t;
  return {d * d, T(2) * d};
}

// max(z, 0) - z t + log(1 + e^-|z|), slope sigmoid(z) - t
template <class T>
Pointwise<T> binary_from_logits(Vec<T> z, Vec<T> t) {
  return {(z < T(0) ? Vec<T>{} : z) - z * t + log1p_of_unit<T>(exp<T>(-absolute<T>(z))), sigmoid<T>(z) - t};
}

// The mean of f(p_j, t_j) over a row; gradient scale * slope / n.
template <class T, class F>
double pointwise_row(F&& f, const T* p, const T* t, T scale, T* gradient, std::int64_t size) {
  const T factor = scale / T(size);
  const double sum = sum_by_vectors<T>(size, [&](std::int64_t i, std::int64_t n) {
    const Pointwise<T> at = f(load_up_to(p + i, n), load_up_to(t + i, n));
    if (gradient != nullptr) store_up_to(gradient + i, at.slope * factor, n);
    return at.value;
  });
  return sum / static_cast<double>(size);
}

// The same for rows of one output, many rows to a vector: the one column of a binary classifier or a
// regression.
template <class T, class F>
void pointwise_column(F&& f, const T* p, const T* t, const T* weight, T scale, T* loss, T* gradient,
                      std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; i += kLanes<T>) {
    const std::int64_t n = std::min(kLanes<T>, rows - i);
    const Pointwise<T> at = f(load_up_to(p + i, n), load_up_to(t + i, n));
    const Vec<T> w = weight != nullptr ? load_up_to(weight + i, n) : splat(T(1));
    store_up_to(loss + i, w * at.value, n);
    if (gradient != nullptr) store_up_to(gradient + i, at.slope * (scale * w), n);
  }
}

// mean_j -(t log c + (1 - t) log(1 - c)), c = clip(p)
template <class T>
double binary_from_probabilities_row(const LossForm<T>& form, const T* p, const T* t, T scale, T* gradient,
                                     std::int64_t n) {
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const T target = form.label_scale * t[j] + form.label_shift, c = clipped(p[j]);
    sum -= static_cast<double>(target * std::log(c) + (T(1) - target) * std::log(T(1) - c));
    if (gradient != nullptr)
      gradient[j] = through_clip(p[j], (scale / T(n)) * ((T(1) - target) / (T(1) - c) - target / c));
  }
  return sum / static_cast<double>(n);
}

// sum_j t_j (log sum_k e^z_k - z_j);  gradient softmax(z) - t, which like TensorFlow's takes sum t for 1
template <class T>
double categorical_from_logits_row(const LossForm<T>& form, const T* z, const T* t, T scale, T* gradient,
                                   std::int64_t size) {
  const T largest = largest_of(z, size);
  const T sum = exp_sum(z, largest, gradient, size);
  const T log_sum = std::log(sum);
  return sum_by_vectors<T>(size, [&](std::int64_t i, std::int64_t n) {
    const Vec<T> target = load_up_to(t + i, n) * form.label_scale + form.label_shift;
    if (gradient != nullptr)
      store_up_to(gradient + i, scale * (load_up_to(gradient + i, n) / sum - target), n);
    return target * (log_sum - (load_up_to(z + i, n) - largest));
  });
}

// -sum_j t_j log clip(q_j), q = p / sum p
template <class T>
double categorical_from_probabilities_row(const LossForm<T>& form, const T* p, const T* t, T scale,
                                          T* gradient, std::int64_t size) {
  const T sum = static_cast<T>(
      sum_by_vectors<T>(size, [&](std::int64_t i, std::int64_t n) { return load_up_to(p + i, n); }));
  double value = 0, dot = 0;
  for (std::int64_t j = 0; j < size; ++j) {
    const T target = form.label_scale * t[j] + form.label_shift, q = p[j] / sum, c = clipped(q);
    value -= static_cast<double>(target * std::log(c));
    if (gradient != nullptr) {
      gradient[j] = through_clip(q, -target / c);  // at q
      dot += static_cast<double>(gradient[j] * q);
    }
  }
  if (gradient != nullptr)
    map<T>(size, gradient, [&](Vec<T> g) { return scale * (g - T(dot)) / sum; }, gradient);
  return value;
}

// log sum_k e^z_k - z_label;  gradient softmax(z) - onehot
template <class T>
double sparse_from_logits_row(const T* z, std::int64_t label, T scale, T* gradient, std::int64_t n) {
  const T largest = largest_of(z, n);
  const T sum = exp_sum(z, largest, gradient, n);
  if (gradient != nullptr) {
    map<T>(n, gradient, [&](Vec<T> e) { return scale * (e / sum); }, gradient);
    gradient[label] -= scale;
  }
  return static_cast<double>(std::log(sum) - (z[label] - largest));
}

// The same with z = log c, c = clip(p): log sum_k c_k - log c_label. Nothing is divided by sum p before the
// clip.
template <class T>
double sparse_from_probabilities_row(const T* p, std::int64_t label, T scale, T* gradient, std::int64_t n) {
  double total = 0;
  for (std::int64_t j = 0; j < n; ++j) total += static_cast<double>(clipped(p[j]));
  const T sum = static_cast<T>(total);
  if (gradient != nullptr)
    for (std::int64_t j = 0; j < n; ++j)
      gradient[j] = through_clip(p[j], scale * (T(1) / sum - (j == label ? T(1) / clipped(p[j]) : T(0))));
  return static_cast<double>(std::log(sum) - std::log(clipped(p[label])));
}

// With smoothed targets.
template <class T>
auto smoothed_binary(const LossForm<T>& form) {
  return [&form](Vec<T> z, Vec<T> t) {
    return binary_from_logits<T>(z, t * form.label_scale + form.label_shift);
  };
}

template <class T>
double loss_row(const LossForm<T>& form, const T* p, const T* t, std::int64_t label, T scale, T* gradient,
                std::int64_t n) {
  switch (form.kind) {
    case LossKind::kMeanSquaredError:
      return pointwise_row<T>(squared_error<T>, p, t, scale, gradient, n);
    case LossKind::kBinaryCrossentropy:
      if (!form.logits) return binary_from_probabilities_row(form, p, t, scale, gradient, n);
      return pointwise_row<T>(smoothed_binary(form), p, t, scale, gradient, n);
    case LossKind::kCategoricalCrossentropy:
      return form.logits ? categorical_from_logits_row(form, p, t, scale, gradient, n)
                         : categorical_from_probabilities_row(form, p, t, scale, gradient, n);
    case LossKind::kSparseCategoricalCrossentropy:
      if (form.ignores && label == form.ignored) return no_loss(gradient, n);
      return form.logits ? sparse_from_logits_row(p, label, scale, gradient, n)
                         : sparse_from_probabilities_row(p, label, scale, gradient, n);
    default:
      return has_outputs_alone(form.kind) ? scalar_loss_row(form, p, t, scale, gradient, n)
                                          : row_loss(form, p, t, label, scale, gradient, n);
  }
}

template <class T>
void loss(const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target, const T* weight, T scale,
          T* loss, Matrix<T> gradient) {
  if (form.kind == LossKind::kCircle)
    return circle<T>(form, prediction, target.labels, weight, scale, loss, gradient);
  if (prediction.cols == 1 && prediction.contiguous() && target.values.contiguous() &&
      gradient.contiguous()) {
    const auto column = [&](auto&& f) {
      pointwise_column<T>(f, prediction.data, target.values.data, weight, scale, loss, gradient.data,
                          prediction.rows);
    };
    if (form.kind == LossKind::kMeanSquaredError) return column(squared_error<T>);
    if (form.kind == LossKind::kBinaryCrossentropy && form.logits) return column(smoothed_binary(form));
  }
  const bool softmax = form.logits && (form.kind == LossKind::kCategoricalCrossentropy ||
                                       form.kind == LossKind::kSparseCategoricalCrossentropy);
  if (softmax && prediction.cols <= kNarrow && !form.ignores)
    return narrow_crossentropy<T>(form, prediction, target, weight, scale, loss, gradient);
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const T w = weight != nullptr ? weight[i] : T(1);
    const double value = loss_row(form, prediction.row(i), target.values ? target.values.row(i) : nullptr,
                                  target.labels != nullptr ? target.labels[i] : 0, scale * w,
                                  gradient ? gradient.row(i) : nullptr, prediction.cols);
    loss[i] = w * static_cast<T>(value);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
