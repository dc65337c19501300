// Metrics of a row as a whole: which of its values is largest, how they go with the targets. Included by
// kernels/isa.cpp and the device's backend.
#pragma once

#include <cmath>

#include "kernels/row_losses.h"

namespace lamina::LAMINA_ISA {
namespace {

// Of equal values the first counts; NaN never does.
template <class T>
LAMINA_HOST_DEVICE std::int64_t argmax(const T* p, std::int64_t n) {
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
LAMINA_HOST_DEVICE bool is_among_best(const T* p, std::int64_t label, std::int64_t k, std::int64_t n) {
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
LAMINA_HOST_DEVICE T correlation(MetricKind kind, const T* p, const T* t, std::int64_t n) {
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

}  // namespace
}  // namespace lamina::LAMINA_ISA
