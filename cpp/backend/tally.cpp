#include "backend/tally.h"

#include <algorithm>
#include <cmath>

namespace lamina {
namespace {

// Whether column j is among the k largest of the row; of equal values the first counts.
template <class T>
bool among_largest(const T* p, std::int64_t j, std::int64_t k, std::int64_t n) {
  std::int64_t before = 0;
  for (std::int64_t i = 0; i < n; ++i) before += p[i] > p[j] || (p[i] == p[j] && i < j);
  return before < k;
}

template <class T>
void add_to_levels(const TallyForm& form, T p, bool hit, double weight, std::int64_t labels, double* above) {
  const std::int64_t levels = form.levels();
  if (form.kind == TallyForm::Kind::kBuckets) {
    if (!hit) p = T(0);
    const T held = p < T(0) ? T(0) : p > T(1) ? T(1) : p;
    const T place = std::ceil(held * static_cast<T>(levels - 1)) - T(1);
    const T bucket = form.first_takes_all && place < T(0) ? T(0) : place;
    if (bucket >= T(0)) above[static_cast<std::int64_t>(bucket) * labels] += weight;  // not for NaN
    return;
  }
  for (std::int64_t k = 0; k < levels; ++k)
    if (hit && p > static_cast<T>(form.thresholds[static_cast<std::size_t>(k)])) above[k * labels] += weight;
}

template <class T>
void add_to_thresholds(const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target,
                       const T* weight, double* state) {
  const std::int64_t cols = prediction.cols, labels = form.by_label ? cols : 1, levels = form.levels();
  double* const of_true = state;
  double* const of_false = state + levels * labels;
  double* const totals = state + 2 * levels * labels;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const T* const p = prediction.row(i);
    for (std::int64_t j = 0; j < cols; ++j) {
      if (form.class_id >= 0 && j != form.class_id) continue;
      double w = weight != nullptr ? static_cast<double>(weight[i]) : 1;
      if (!form.label_weights.empty()) w *= form.label_weights[static_cast<std::size_t>(j)];
      const bool hit = form.top_k == 0 || among_largest(p, j, form.top_k, cols);
      const T value = form.sigmoid ? T(1) / (T(1) + std::exp(-p[j])) : p[j];
      const bool is_true = target.row(i)[j] != T(0);
      const std::int64_t label = form.by_label ? j : 0;
      add_to_levels(form, value, hit, w, labels, (is_true ? of_true : of_false) + label);
      totals[(is_true ? 0 : labels) + label] += w;
    }
  }
}

template <class T>
void add_to_classes(const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target, const T* weight,
                    double* state) {
  const std::int64_t cols = prediction.cols;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const T* const p = prediction.row(i);
    const double w = weight != nullptr ? static_cast<double>(weight[i]) : 1;
    T largest = -HUGE_VAL;
    bool finite = true;  // a NaN is the largest, and nothing reaches it
    for (std::int64_t j = 0; j < cols; ++j) {
      finite = finite && !std::isnan(p[j]);
      largest = std::max(largest, p[j]);
    }
    for (std::int64_t j = 0; j < cols; ++j) {
      // A row of zeros has no hit.
      const bool hit = form.thresholds.empty() ? finite && p[j] >= largest && std::abs(p[j]) > T(1e-9)
                                               : p[j] > static_cast<T>(form.thresholds[0]);
      const double t = static_cast<double>(target.row(i)[j]);
      state[j] += hit ? w * t : 0 * t;
      state[cols + j] += hit ? w * (1 - t) : 0 * t;
      state[2 * cols + j] += hit ? 0 * t : w * t;
      state[3 * cols + j] += w * t;
    }
  }
}

template <class T>
void add_to_moments(ConstMatrix<T> prediction, ConstMatrix<T> target, const T* weight, double* state) {
  const std::int64_t cols = prediction.cols;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const double w = weight != nullptr ? static_cast<double>(weight[i]) : 1;
    for (std::int64_t j = 0; j < cols; ++j) {
      const double t = static_cast<double>(target.row(i)[j]);
      const double d = t - static_cast<double>(prediction.row(i)[j]);
      state[j] += w * t;
      state[cols + j] += w * t * t;
      state[2 * cols + j] += w * d * d;
      state[3 * cols + j] += w;
    }
  }
  state[4 * cols] += static_cast<double>(prediction.size());
}

}  // namespace

std::int64_t TallyForm::size(std::int64_t cols) const {
  switch (kind) {
    case Kind::kThresholds:
    case Kind::kBuckets:
      return (2 * levels() + 2) * (by_label ? cols : 1);
    case Kind::kClasses:
      return 4 * cols;
    case Kind::kMoments:
      return 4 * cols + 1;
  }
  __builtin_unreachable();
}

template <class T>
void add_to_tally(const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target, const T* weight,
                  double* state) {
  switch (form.kind) {
    case TallyForm::Kind::kThresholds:
    case TallyForm::Kind::kBuckets:
      return add_to_thresholds(form, prediction, target, weight, state);
    case TallyForm::Kind::kClasses:
      return add_to_classes(form, prediction, target, weight, state);
    case TallyForm::Kind::kMoments:
      return add_to_moments(prediction, target, weight, state);
  }
}

template void add_to_tally(const TallyForm&, ConstMatrix<float>, ConstMatrix<float>, const float*, double*);
template void add_to_tally(const TallyForm&, ConstMatrix<double>, ConstMatrix<double>, const double*,
                           double*);

}  // namespace lamina
