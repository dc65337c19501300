// Metrics of single rows, each a value whose mean is reported. Included only by kernels/isa.cpp.
#pragma once

#include <cmath>

#include "kernels/activations.h"
#include "kernels/rank_metrics.h"

namespace lamina::LAMINA_ISA {
namespace {

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
