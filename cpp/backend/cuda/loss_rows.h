// Losses and metrics of single rows, as a thread of a device computes them; see kernels/losses.h for the
// formulas.
#pragma once

#include <cmath>

#include "backend/cuda/device.h"
#include "backend/formulas.h"

#define LAMINA_ISA device_kernels
#include "kernels/rank_metrics.h"

namespace lamina::cuda {

// Everything that the loss of a batch is made of.
template <class T>
struct LossRows {
  LossForm<T> form;
  ConstMatrix<T> p;
  const std::int64_t* labels;
  ConstMatrix<T> t;
  const T* weight;
  T scale;
  T* rows;
  Matrix<T> gradient;

  LAMINA_DEVICE T weight_of(std::int64_t i) const { return weight != nullptr ? weight[i] : T(1); }
  LAMINA_DEVICE T target(std::int64_t i, std::int64_t j) const {
    return form.label_scale * t.row(i)[j] + form.label_shift;
  }
  LAMINA_DEVICE T* gradient_of(std::int64_t i) const { return gradient ? gradient.row(i) : nullptr; }
};

// Means over a row of what each output has on its own, with kernels of their own on the CPU: squared error
// and binary cross-entropy.
template <class T>
LAMINA_DEVICE double pointwise_row(const LossRows<T>& of, std::int64_t i) {
  const std::int64_t n = of.p.cols;
  T* const gradient = of.gradient_of(i);
  const T share = of.scale * of.weight_of(i) / static_cast<T>(n);
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const T v = of.p.row(i)[j];
    T value, slope;
    if (of.form.kind == LossKind::kMeanSquaredError) {
      const T d = v - of.t.row(i)[j];
      value = d * d;
      slope = T(2) * d * share;
    } else if (of.form.logits) {
      const T target = of.target(i, j);
      value = (v < T(0) ? T(0) : v) - v * target + std::log1p(std::exp(-std::abs(v)));
      slope = (formulas::sigmoid(v) - target) * share;
    } else {
      const T target = of.target(i, j), c = LAMINA_ISA::clipped(v);
      value = -(target * std::log(c) + (T(1) - target) * std::log(T(1) - c));
      slope = LAMINA_ISA::through_clip(v, share * ((T(1) - target) / (T(1) - c) - target / c));
    }
    sum += double(value);
    if (gradient != nullptr) gradient[j] = slope;
  }
  return sum / static_cast<double>(n);
}

// -sum_j t_j log clip(q_j), q = p / sum p
template <class T>
LAMINA_DEVICE double categorical_from_probabilities(const LossRows<T>& of, std::int64_t i) {
  const std::int64_t n = of.p.cols;
  const T* const p = of.p.row(i);
  T* const gradient = of.gradient_of(i);
  double total = 0, value = 0, dot = 0;
  for (std::int64_t j = 0; j < n; ++j) total += double(p[j]);
  const T sum = static_cast<T>(total), scale = of.scale * of.weight_of(i);
  for (std::int64_t j = 0; j < n; ++j) {
    const T target = of.target(i, j), q = p[j] / sum, c = LAMINA_ISA::clipped(q);
    value -= double(target * std::log(c));
    dot += double(LAMINA_ISA::through_clip(q, -target / c) * q);
  }
  for (std::int64_t j = 0; gradient != nullptr && j < n; ++j) {
    const T target = of.target(i, j), q = p[j] / sum, c = LAMINA_ISA::clipped(q);
    gradient[j] = scale * (LAMINA_ISA::through_clip(q, -target / c) - static_cast<T>(dot)) / sum;
  }
  return value;
}

// log sum_k c_k - log c_label, c = clip(p)
template <class T>
LAMINA_DEVICE double sparse_from_probabilities(const LossRows<T>& of, std::int64_t i) {
  const std::int64_t n = of.p.cols, label = of.labels[i];
  const T* const p = of.p.row(i);
  T* const gradient = of.gradient_of(i);
  double total = 0;
  for (std::int64_t j = 0; j < n; ++j) total += double(LAMINA_ISA::clipped(p[j]));
  const T sum = static_cast<T>(total), scale = of.scale * of.weight_of(i);
  for (std::int64_t j = 0; gradient != nullptr && j < n; ++j) {
    const T at_label = j == label ? T(1) / LAMINA_ISA::clipped(p[j]) : T(0);
    gradient[j] = LAMINA_ISA::through_clip(p[j], scale * (T(1) / sum - at_label));
  }
  return double(std::log(sum) - std::log(LAMINA_ISA::clipped(p[label])));
}

template <class T>
LAMINA_DEVICE double loss_row(const LossRows<T>& of, std::int64_t i) {
  const LossForm<T>& form = of.form;
  switch (form.kind) {
    case LossKind::kMeanSquaredError:
    case LossKind::kBinaryCrossentropy:
      return pointwise_row(of, i);
    case LossKind::kCategoricalCrossentropy:
      return categorical_from_probabilities(of, i);
    case LossKind::kSparseCategoricalCrossentropy:
      if (form.ignores && of.labels[i] == form.ignored)
        return LAMINA_ISA::no_loss(of.gradient_of(i), of.p.cols);
      return sparse_from_probabilities(of, i);
    default:
      break;
  }
  const T* const t = of.t ? of.t.row(i) : nullptr;
  const T scale = of.scale * of.weight_of(i);
  if (LAMINA_ISA::has_outputs_alone(form.kind) && form.kind != LossKind::kBinaryFocal)
    return LAMINA_ISA::scalar_loss_row(form, of.p.row(i), t, scale, of.gradient_of(i), of.p.cols);
  return LAMINA_ISA::row_loss(form, of.p.row(i), t, of.labels != nullptr ? of.labels[i] : 0, scale,
                              of.gradient_of(i), of.p.cols);
}

// Cross-entropy of a softmax over a row of logits, by one thread: sum_j t_j (log sum_k e^z_k - z_j), gradient
// softmax(z) - t. With class numbers t is 1 at the label.
template <class T>
LAMINA_DEVICE double softmax_crossentropy_row(const LossRows<T>& of, std::int64_t i) {
  const std::int64_t n = of.p.cols;
  const T* const z = of.p.row(i);
  T* const gradient = of.gradient_of(i);
  const std::int64_t label = of.labels != nullptr ? of.labels[i] : -1;
  const auto target = [&](std::int64_t j) {
    return of.labels != nullptr ? (j == label ? T(1) : T(0)) : of.target(i, j);
  };
  T largest = -__builtin_huge_val();
  for (std::int64_t j = 0; j < n; ++j) largest = z[j] > largest ? z[j] : largest;
  double total = 0, value = 0;
  for (std::int64_t j = 0; j < n; ++j) total += double(std::exp(z[j] - largest));
  const T sum = static_cast<T>(total), log_sum = std::log(sum), scale = of.scale * of.weight_of(i);
  for (std::int64_t j = 0; j < n; ++j) {
    const T t = target(j);
    if (of.labels == nullptr || j == label) value += double(t * (log_sum - (z[j] - largest)));
    if (gradient != nullptr) gradient[j] = scale * (std::exp(z[j] - largest) / sum - t);
  }
  return value;
}

template <class T>
LAMINA_DEVICE double any_loss_row(const LossRows<T>& of, std::int64_t i) {
  const bool softmax = of.form.logits && (of.form.kind == LossKind::kCategoricalCrossentropy ||
                                          of.form.kind == LossKind::kSparseCategoricalCrossentropy);
  return softmax ? softmax_crossentropy_row(of, i) : loss_row(of, i);
}

// y = a(z), by one thread.
template <class T>
LAMINA_DEVICE void output_row(Activation a, const T* z, T* y, std::int64_t n) {
  if (a != Activation::kSoftmax) {
    for (std::int64_t j = 0; j < n; ++j) y[j] = formulas::activated(a, z[j]);
    return;
  }
  T largest = -__builtin_huge_val();
  for (std::int64_t j = 0; j < n; ++j) largest = z[j] > largest ? z[j] : largest;
  double total = 0;
  for (std::int64_t j = 0; j < n; ++j) total += double(y[j] = std::exp(z[j] - largest));
  for (std::int64_t j = 0; j < n; ++j) y[j] /= static_cast<T>(total);
}

// From the gradient at y = a(z) to that at z, in place.
template <class T>
LAMINA_DEVICE void to_logits_row(Activation a, const T* y, T* dy, std::int64_t n) {
  if (a == Activation::kLinear) return;
  double dot = 0;
  for (std::int64_t j = 0; a == Activation::kSoftmax && j < n; ++j) dot += double(y[j] * dy[j]);
  for (std::int64_t j = 0; j < n; ++j)
    dy[j] = a == Activation::kSoftmax ? y[j] * (dy[j] - static_cast<T>(dot))
                                      : dy[j] * formulas::derivative_from_output(a, y[j]);
}

template <class T>
LAMINA_DEVICE T metric_row(const MetricForm<T>& form, const T* p, const T* t, std::int64_t label,
                           std::int64_t n) {
  switch (form.kind) {
    case MetricKind::kSparseCategoricalAccuracy:
      return T(LAMINA_ISA::argmax(p, n) == label);
    case MetricKind::kCategoricalAccuracy:
      return T(LAMINA_ISA::argmax(p, n) == LAMINA_ISA::argmax(t, n));
    case MetricKind::kTopK:
      return T(LAMINA_ISA::is_among_best(p, LAMINA_ISA::argmax(t, n), form.k, n));
    case MetricKind::kSparseTopK:
      return T(LAMINA_ISA::is_among_best(p, label, form.k, n));
    case MetricKind::kPearsonCorrelation:
    case MetricKind::kConcordanceCorrelation:
      return LAMINA_ISA::correlation(form.kind, p, t, n);
    default:
      break;
  }
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const T d = p[j] - t[j];
    if (form.kind == MetricKind::kBinaryAccuracy)
      sum += (p[j] > form.threshold ? T(1) : T(0)) == t[j] ? 1 : 0;
    else if (form.kind == MetricKind::kAccuracy)
      sum += p[j] == t[j] ? 1 : 0;
    else
      sum += double(form.kind == MetricKind::kMeanSquaredError ? d * d : std::abs(d));
  }
  return static_cast<T>(sum / static_cast<double>(n));
}

}  // namespace lamina::cuda
