// Losses and row metrics of the reference backend.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "backend/reference/reference.h"

#define LAMINA_ISA reference_kernels
#include "kernels/circle.h"

namespace lamina {
namespace {

// The formulas' reasons stand in kernels/losses.h.

template <class T>
double target_of(const LossForm<T>& form, const Target<T>& target, std::int64_t i, std::int64_t j) {
  if (target.labels != nullptr) return target.labels[i] == j ? 1 : 0;
  return double{form.label_scale} * double{target.values.row(i)[j]} + double{form.label_shift};
}

// As T: a float's clip bounds are floats.
template <class T>
double clipped(double p) {
  const double low = double{static_cast<T>(kClip)}, high = double{static_cast<T>(1 - kClip)};
  return p < low ? low : p > high ? high : p;
}

// Cross-entropy of a softmax over z(j), with t(j) the targets: value, and gradient softmax(z) - t into g(j,
// value).
template <class Z, class Y, class G>
double softmax_crossentropy(std::int64_t n, Z&& z, Y&& t, G&& g) {
  double largest = -HUGE_VAL, sum = 0, value = 0;
  for (std::int64_t j = 0; j < n; ++j) largest = z(j) > largest ? z(j) : largest;
  for (std::int64_t j = 0; j < n; ++j) sum += std::exp(z(j) - largest);
  for (std::int64_t j = 0; j < n; ++j) {
    if (t(j) != 0) value += t(j) * (std::log(sum) - (z(j) - largest));
    g(j, std::exp(z(j) - largest) / sum - t(j));
  }
  return value;
}

template <class T>
double loss_row(const LossForm<T>& form, const T* p, std::int64_t n, std::int64_t i, const Target<T>& target,
                double* gradient) {
  const auto value_at = [&](std::int64_t j) { return double{p[j]}; };
  const auto target_at = [&](std::int64_t j) { return target_of(form, target, i, j); };
  const auto keep = [&](std::int64_t j, double g) { gradient[j] = g; };
  const double count = static_cast<double>(n);
  double value = 0, sum = 0, dot = 0;
  switch (form.kind) {
    case LossKind::kMeanSquaredError:
      for (std::int64_t j = 0; j < n; ++j) {
        const double d = value_at(j) - double{target.values.row(i)[j]};
        value += d * d / count;
        gradient[j] = 2 * d / count;
      }
      return value;
    case LossKind::kBinaryCrossentropy:
      for (std::int64_t j = 0; j < n; ++j) {
        const double v = value_at(j), t = target_at(j), c = clipped<T>(v);
        if (form.logits) {
          value += ((v < 0 ? 0 : v) - v * t + std::log1p(std::exp(-std::abs(v)))) / count;
          gradient[j] = (1 / (1 + std::exp(-v)) - t) / count;
        } else {
          value -= (t * std::log(c) + (1 - t) * std::log(1 - c)) / count;
          gradient[j] = c == v ? ((1 - t) / (1 - c) - t / c) / count : 0;
        }
      }
      return value;
    case LossKind::kCategoricalCrossentropy:
      if (form.logits) return softmax_crossentropy(n, value_at, target_at, keep);
      for (std::int64_t j = 0; j < n; ++j) sum += value_at(j);
      for (std::int64_t j = 0; j < n; ++j) {
        const double q = value_at(j) / sum, c = clipped<T>(q);
        value -= target_at(j) * std::log(c);
        gradient[j] = c == q ? -target_at(j) / c : 0;
        dot += gradient[j] * q;
      }
      for (std::int64_t j = 0; j < n; ++j) gradient[j] = (gradient[j] - dot) / sum;
      return value;
    case LossKind::kSparseCategoricalCrossentropy:
      if (form.ignores && target.labels[i] == form.ignored) return LAMINA_ISA::no_loss(gradient, n);
      if (form.logits) return softmax_crossentropy(n, value_at, target_at, keep);
      return softmax_crossentropy(
          n, [&](std::int64_t j) { return std::log(clipped<T>(value_at(j))); }, target_at,
          [&](std::int64_t j, double g) {
            const double c = clipped<T>(value_at(j));
            gradient[j] = c == value_at(j) ? g / c : 0;
          });
    default:
      break;
  }
  // The others come from the text that the kernels share, compiled without vectors.
  std::vector<T> found(static_cast<std::size_t>(n));
  const T* t = target.values ? target.values.row(i) : nullptr;
  const std::int64_t label = target.labels != nullptr ? target.labels[i] : 0;
  value = LAMINA_ISA::has_outputs_alone(form.kind)
              ? LAMINA_ISA::scalar_loss_row(form, p, t, T(1), found.data(), n)
              : LAMINA_ISA::row_loss(form, p, t, label, T(1), found.data(), n);
  std::copy(found.begin(), found.end(), gradient);
  return value;
}

template <class T>
bool among_best(const T* p, std::int64_t label, std::int64_t k, std::int64_t n) {
  std::int64_t larger = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    if (!std::isfinite(p[j]) || label < 0 || label >= n) return false;
    if (p[j] > p[label]) ++larger;
  }
  return larger < k;
}

template <class T>
double correlation(MetricKind kind, const T* p, const T* t, std::int64_t n) {
  double mean_p = 0, mean_t = 0, var_p = 0, var_t = 0, product = 0, shifted = 0;
  const double count = static_cast<double>(n);
  for (std::int64_t j = 0; j < n; ++j) mean_p += double{p[j]} / count, mean_t += double{t[j]} / count;
  for (std::int64_t j = 0; j < n; ++j) {
    const double dp = double{p[j]} - mean_p, dt = double{t[j]} - mean_t;
    var_p += dp * dp / count;
    var_t += dt * dt / count;
    product += dp * dt / count;
    shifted += 2 * dp * (double{t[j]} - mean_p) / count;
  }
  if (kind == MetricKind::kPearsonCorrelation) return product / std::sqrt(var_p * var_t);
  return shifted / (var_t + var_p + (mean_t - mean_p) * (mean_t - mean_p) + kClip);
}

template <class T>
double metric_row(const MetricForm<T>& form, const T* p, std::int64_t n, std::int64_t i,
                  const Target<T>& target) {
  const MetricKind kind = form.kind;
  const auto first_largest = [n](const T* v) {
    std::int64_t best = 0;
    for (std::int64_t j = 1; j < n; ++j)
      if (v[j] > v[best] || (std::isnan(v[best]) && !std::isnan(v[j]))) best = j;
    return best;
  };
  if (kind == MetricKind::kSparseCategoricalAccuracy) return first_largest(p) == target.labels[i];
  if (kind == MetricKind::kSparseTopK) return among_best(p, target.labels[i], form.k, n);
  const T* t = target.values.row(i);
  if (kind == MetricKind::kCategoricalAccuracy) return first_largest(p) == first_largest(t);
  if (kind == MetricKind::kTopK) return among_best(p, first_largest(t), form.k, n);
  if (kind == MetricKind::kPearsonCorrelation || kind == MetricKind::kConcordanceCorrelation)
    return correlation(kind, p, t, n);
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const double d = double{p[j]} - double{t[j]};
    if (kind == MetricKind::kBinaryAccuracy)
      sum += (p[j] > form.threshold ? T(1) : T(0)) == t[j] ? 1 : 0;
    else if (kind == MetricKind::kAccuracy)
      sum += p[j] == t[j] ? 1 : 0;
    else
      sum += kind == MetricKind::kMeanSquaredError ? d * d : std::abs(d);
  }
  return sum / static_cast<double>(n);
}

}  // namespace

template <class T>
void ReferenceBackend<T>::loss(Lease&, const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
                               const T* weight, T scale, T* rows, Matrix<T> gradient, double* total) const {
  if (form.kind == LossKind::kCircle) {
    LAMINA_ISA::circle(form, prediction, target.labels, weight, scale, rows, gradient);
    *total = std::accumulate(rows, rows + prediction.rows, 0.0);
    return;
  }
  std::vector<double> row(static_cast<std::size_t>(prediction.cols));
  double sum = 0;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const double w = weight != nullptr ? double{weight[i]} : 1;
    const double value = w * loss_row(form, prediction.row(i), prediction.cols, i, target, row.data());
    rows[i] = static_cast<T>(value);
    sum += value;
    if (gradient)
      for (std::int64_t j = 0; j < prediction.cols; ++j)
        gradient.row(i)[j] = static_cast<T>(double{scale} * w * row[static_cast<std::size_t>(j)]);
  }
  *total = sum;
}

template <class T>
void ReferenceBackend<T>::metric(Lease&, const MetricForm<T>& form, ConstMatrix<T> prediction,
                                 Target<T> target, const T* weight, T* rows, double* total) const {
  double sum = 0;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const double value = metric_row(form, prediction.row(i), prediction.cols, i, target);
    rows[i] = static_cast<T>(value);
    sum += weight != nullptr ? value * double{weight[i]} : value;
  }
  *total = sum;
}

template <class T>
void ReferenceBackend<T>::tally(Lease&, const TallyForm& form, ConstMatrix<T> prediction,
                                ConstMatrix<T> target, const T* weight, double* state) const {
  add_to_tally(form, prediction, target, weight, state);  // in the order of the rows, as sums of doubles
}

template void ReferenceBackend<float>::loss(Lease&, const LossForm<float>&, ConstMatrix<float>, Target<float>,
                                            const float*, float, float*, Matrix<float>, double*) const;
template void ReferenceBackend<double>::loss(Lease&, const LossForm<double>&, ConstMatrix<double>,
                                             Target<double>, const double*, double, double*, Matrix<double>,
                                             double*) const;
template void ReferenceBackend<float>::metric(Lease&, const MetricForm<float>&, ConstMatrix<float>,
                                              Target<float>, const float*, float*, double*) const;
template void ReferenceBackend<double>::metric(Lease&, const MetricForm<double>&, ConstMatrix<double>,
                                               Target<double>, const double*, double*, double*) const;
template void ReferenceBackend<float>::tally(Lease&, const TallyForm&, ConstMatrix<float>, ConstMatrix<float>,
                                             const float*, double*) const;
template void ReferenceBackend<double>::tally(Lease&, const TallyForm&, ConstMatrix<double>,
                                              ConstMatrix<double>, const double*, double*) const;

}  // namespace lamina
