// Metrics of single rows, each a value whose mean is reported. Included only by kernels/isa.cpp.
#pragma once

#include <cmath>

#include "kernels/activations.h"
#include "kernels/row_losses.h"

namespace lamina::LAMINA_ISA {
namespace {

// Of equal values the first counts; NaN never does.
template <class T>
std::int64_t argmax(const T* p, std::int64_t n) {
  std::int64_t best = 0;
  T largest = -__builtin_huge_val();
  for (std::int64_t j = 0; j < n; ++j) {
    if (p[j] > largest) {
      largest = p[j];
      best = j;
    }
  }
  return best;
}

// Whether fewer than k values are larger than that of the label; no if one of those met is not finite. As
// TensorFlow's in_top_k, which stops looking at the k-th larger one.
template <class T>
bool is_among_best(const T* p, std::int64_t label, std::int64_t k, std::int64_t n) {
  if (label < 0 || label >= n || !std::isfinite(p[label])) return false;
  std::int64_t larger = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    if (!std::isfinite(p[j])) return false;
    if (p[j] > p[label] && ++larger > k) return false;
  }
  return larger < k;
}

// Of the row's values: mean_j (t_j - mean t)(p_j - mean p) / (std t std p); or the concordance
// mean_j 2 (t_j - mean p)(p_j - mean p) / (var t + var p + (mean t - mean p)^2 + epsilon), as Keras has it.
template <class T>
T correlation(MetricKind kind, const T* p, const T* t, std::int64_t n) {
  const auto mean = [n](auto&& f) { return static_cast<T>(sum_over(n, f) / static_cast<double>(n)); };
  const T mean_p = mean([p](std::int64_t j) { return p[j]; }),
          mean_t = mean([t](std::int64_t j) { return t[j]; });
  const T var_p = mean([&](std::int64_t j) { return (p[j] - mean_p) * (p[j] - mean_p); });
  const T var_t = mean([&](std::int64_t j) { return (t[j] - mean_t) * (t[j] - mean_t); });
  if (kind == MetricKind::kPearsonCorrelation) {
    const T std_p = std::sqrt(var_p), std_t = std::sqrt(var_t);
    return mean([&](std::int64_t j) { return ((t[j] - mean_t) / std_t) * ((p[j] - mean_p) / std_p); });
  }
  const T norm = var_t + var_p + (mean_t - mean_p) * (mean_t - mean_p) + T(kClip);
  return mean([&](std::int64_t j) { return T(2) * ((t[j] - mean_p) * (p[j] - mean_p)) / norm; });
}

inline bool is_pointwise(MetricKind kind) {
  return kind == MetricKind::kBinaryAccuracy || kind == MetricKind::kMeanAbsoluteError ||
         kind == MetricKind::kMeanSquaredError || kind == MetricKind::kAccuracy;
}

// Metrics whose value of a row is the mean over its outputs.
template <class T>
Vec<T> pointwise_metric(const MetricForm<T>& form, Vec<T> p, Vec<T> t) {
  const Vec<T> d = p - t, one = splat(T(1));
  if (form.kind == MetricKind::kMeanSquaredError) return d * d;
  if (form.kind == MetricKind::kMeanAbsoluteError) return absolute<T>(d);
  if (form.kind == MetricKind::kAccuracy) return p == t ? one : Vec<T>{};
  return (p > form.threshold ? one : Vec<T>{}) == t ? one : Vec<T>{};
}

template <class T>
T metric_row(const MetricForm<T>& form, const T* p, const T* t, std::int64_t label, std::int64_t n) {
  switch (form.kind) {
    case MetricKind::kSparseCategoricalAccuracy:
      return T(argmax(p, n) == label);
    case MetricKind::kCategoricalAccuracy:
      return T(argmax(p, n) == argmax(t, n));
    case MetricKind::kTopK:
      return T(is_among_best(p, argmax(t, n), form.k, n));
    case MetricKind::kSparseTopK:
      return T(is_among_best(p, label, form.k, n));
    case MetricKind::kPearsonCorrelation:
    case MetricKind::kConcordanceCorrelation:
      return correlation(form.kind, p, t, n);
    default:
      break;
  }
  const double sum = sum_by_vectors<T>(n, [&](std::int64_t i, std::int64_t lanes) {
    return pointwise_metric<T>(form, load_up_to(p + i, lanes), load_up_to(t + i, lanes));
  });
  return static_cast<T>(sum / static_cast<double>(n));
}

template <class T>
void metric(const MetricForm<T>& form, ConstMatrix<T> prediction, Target<T> target, T* value) {
  if (is_pointwise(form.kind) && prediction.cols == 1 && prediction.contiguous() &&
      target.values.contiguous())
    return map<T>(
        prediction.rows, value, [&form](Vec<T> p, Vec<T> t) { return pointwise_metric<T>(form, p, t); },
        prediction.data, target.values.data);
  for (std::int64_t i = 0; i < prediction.rows; ++i)
    value[i] = metric_row(form, prediction.row(i), target.values ? target.values.row(i) : nullptr,
                          target.labels != nullptr ? target.labels[i] : 0, prediction.cols);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
