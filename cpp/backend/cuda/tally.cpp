// Tallies: a thread to each number of the state, which goes through the batch in the order of the rows.
#include <cmath>

#include "backend/cuda/cuda.h"

namespace lamina {
namespace {

// A TallyForm without its vectors, and the batch; see backend/tally.cpp.
template <class T>
struct Count {
  TallyForm::Kind kind;
  const double* thresholds;
  bool has_thresholds;
  const double* label_weights;  // or null
  std::int64_t levels, labels, top_k, class_id;
  bool first_takes_all, sigmoid;
  ConstMatrix<T> prediction, target;
  const T* weight;

  LAMINA_DEVICE double weight_of(std::int64_t i) const {
    return weight != nullptr ? static_cast<double>(weight[i]) : 1;
  }
  LAMINA_DEVICE bool among_largest(const T* p, std::int64_t j) const {
    std::int64_t before = 0;
    for (std::int64_t i = 0; i < prediction.cols; ++i)
      before += p[i] > p[j] || (p[i] == p[j] && i < j) ? 1 : 0;
    return before < top_k;
  }

  // Whether value p lies above threshold `level`, or in bucket `level`.
  LAMINA_DEVICE bool belongs(T p, bool hit, std::int64_t level) const {
    if (kind != TallyForm::Kind::kBuckets) return hit && p > static_cast<T>(thresholds[level]);
    if (!hit) p = T(0);
    const T held = p < T(0) ? T(0) : p > T(1) ? T(1) : p;
    const T place = std::ceil(held * static_cast<T>(levels - 1)) - T(1);
    return (first_takes_all && place < T(0) ? T(0) : place) == static_cast<T>(level);
  }

  // Number s of the state grows by this; its places are those of `above`, by level and label, of true targets
  // and then of false ones, and then the totals of both.
  LAMINA_DEVICE double of_thresholds(std::int64_t s) const {
    const std::int64_t counts = levels * labels;
    const bool total = s >= 2 * counts;
    const std::int64_t label = s % labels, level = s % counts / labels;
    const bool of_true = total ? s < 2 * counts + labels : s < counts;
    double sum = 0;
    for (std::int64_t i = 0; i < prediction.rows; ++i) {
      const T* const p = prediction.row(i);
      for (std::int64_t j = labels > 1 ? label : 0; j < (labels > 1 ? label + 1 : prediction.cols); ++j) {
        if (class_id >= 0 && j != class_id) continue;
        if ((target.row(i)[j] != T(0)) != of_true) continue;
        double w = weight_of(i);
        if (label_weights != nullptr) w *= label_weights[j];
        const bool hit = top_k == 0 || among_largest(p, j);
        const T value = sigmoid ? T(1) / (T(1) + std::exp(-p[j])) : p[j];
        if (total || belongs(value, hit, level)) sum += w;
      }
    }
    return sum;
  }

  LAMINA_DEVICE double of_classes(std::int64_t s) const {
    const std::int64_t cols = prediction.cols, j = s % cols, part = s / cols;
    double sum = 0;
    for (std::int64_t i = 0; i < prediction.rows; ++i) {
      const T* const p = prediction.row(i);
      T largest = -__builtin_huge_val();
      bool finite = true;  // a NaN is the largest, and nothing reaches it
      for (std::int64_t k = 0; k < cols; ++k) {
        finite = finite && p[k] == p[k];
        if (largest < p[k]) largest = p[k];
      }
      const bool hit = !has_thresholds ? finite && p[j] >= largest && std::abs(p[j]) > T(1e-9)
                                       : p[j] > static_cast<T>(thresholds[0]);
      const double w = weight_of(i), t = static_cast<double>(target.row(i)[j]);
      sum += part == 3   ? w * t
             : part == 2 ? (hit ? 0 * t : w * t)
             : hit       ? w * (part == 0 ? t : 1 - t)
                         : 0 * t;
    }
    return sum;
  }

  LAMINA_DEVICE double of_moments(std::int64_t s) const {
    const std::int64_t cols = prediction.cols, j = s % cols, part = s / cols;
    if (part == 4) return static_cast<double>(prediction.size());
    double sum = 0;
    for (std::int64_t i = 0; i < prediction.rows; ++i) {
      const double w = weight_of(i), t = static_cast<double>(target.row(i)[j]);
      const double d = t - static_cast<double>(prediction.row(i)[j]);
      sum += part == 0 ? w * t : part == 1 ? w * t * t : part == 2 ? w * d * d : w;
    }
    return sum;
  }
};

}  // namespace

template <class T>
void CudaBackend<T>::tally(Lease&, const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target,
                           const T* weight, double* state) const {
  device_.check(prediction.data, target.data, weight, state);
  const Count<T> counted{form.kind,
                         device_.constant(form.thresholds),
                         !form.thresholds.empty(),
                         device_.constant(form.label_weights),
                         form.levels(),
                         form.by_label ? prediction.cols : 1,
                         form.top_k,
                         form.class_id,
                         form.first_takes_all,
                         form.sigmoid,
                         prediction,
                         target,
                         weight};
  device_.each(form.size(prediction.cols), [=] LAMINA_DEVICE(std::int64_t s) {
    switch (counted.kind) {
      case TallyForm::Kind::kThresholds:
      case TallyForm::Kind::kBuckets:
        state[s] += counted.of_thresholds(s);
        break;
      case TallyForm::Kind::kClasses:
        state[s] += counted.of_classes(s);
        break;
      case TallyForm::Kind::kMoments:
        state[s] += counted.of_moments(s);
    }
  });
}

#define LAMINA_INSTANTIATE(T)                                                                             \
  template void CudaBackend<T>::tally(Lease&, const TallyForm&, ConstMatrix<T>, ConstMatrix<T>, const T*, \
                                      double*) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
