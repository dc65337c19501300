// Losses and metrics: a thread to a row, but a block where a softmax runs over it.
#include <cmath>

#include "backend/cuda/cuda.h"
#include "backend/cuda/sums.h"
#include "backend/formulas.h"

#define LAMINA_ISA device_kernels
#include "kernels/circle.h"
#include "kernels/rank_metrics.h"

namespace lamina {
namespace {

using cuda::Block;
using cuda::Pair;

// Everything that the loss of a batch is made of; see kernels/losses.h for the formulas.
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

// Cross-entropy of a softmax over a row of logits, by a block: sum_j t_j (log sum_k e^z_k - z_j), gradient
// softmax(z) - t. With class numbers t is 1 at the label.
template <class T>
struct SoftmaxCrossentropy {
  LossRows<T> of;

  LAMINA_DEVICE void operator()(const Block& block) const {
    const std::int64_t i = block.index, n = of.p.cols;
    const T* const z = of.p.row(i);
    T* const gradient = of.gradient_of(i);
    const std::int64_t label = of.labels != nullptr ? of.labels[i] : -1;
    if (of.form.ignores && label == of.form.ignored) {
      block.each_thread([&](int t) {
        for (std::int64_t j = t; gradient != nullptr && j < n; j += block.threads) gradient[j] = T(0);
        if (t == 0) of.rows[i] = T(0);
      });
      return;
    }
    const auto target = [&](std::int64_t j) {
      return of.labels != nullptr ? (j == label ? T(1) : T(0)) : of.target(i, j);
    };
    const T largest = static_cast<T>(cuda::over_range<cuda::Largest>(block, n, [&](std::int64_t j) {
                                       return cuda::Largest{double(z[j])};
                                     }).value);
    const T sum = static_cast<T>(
        cuda::over_range<double>(block, n, [&](std::int64_t j) { return double(std::exp(z[j] - largest)); }));
    const T log_sum = std::log(sum);
    const double value = cuda::over_range<double>(block, n, [&](std::int64_t j) {
      if (of.labels != nullptr && j != label) return 0.0;
      return double(target(j) * (log_sum - (z[j] - largest)));
    });
    const T w = of.weight_of(i), scale = of.scale * w;
    block.each_thread([&](int t) {
      if (t == 0) of.rows[i] = w * static_cast<T>(value);
      for (std::int64_t j = t; gradient != nullptr && j < n; j += block.threads)
        gradient[j] = scale * (std::exp(z[j] - largest) / sum - target(j));
    });
  }
};

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

}  // namespace

template <class T>
void CudaBackend<T>::loss(Lease& lease, const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
                          const T* weight, T scale, T* rows, Matrix<T> gradient, double* sum) const {
  device_.check(prediction.data, target.labels, target.values.data, weight, rows, gradient.data, sum);
  const LossRows<T> of{form, prediction, target.labels, target.values, weight, scale, rows, gradient};
  const bool softmax = form.logits && (form.kind == LossKind::kCategoricalCrossentropy ||
                                       form.kind == LossKind::kSparseCategoricalCrossentropy);
  if (form.kind == LossKind::kCircle) {  // pairs of rows, whose gradients meet: one thread, in their order
    device_.each(1, [=] LAMINA_DEVICE(std::int64_t) {
      LAMINA_ISA::circle<T>(of.form, of.p, of.labels, of.weight, of.scale, of.rows, of.gradient);
    });
  } else if (softmax) {
    cuda::each_row<double>(device_, prediction.rows, prediction.cols, SoftmaxCrossentropy<T>{of});
  } else {
    device_.each(prediction.rows, [=] LAMINA_DEVICE(std::int64_t i) {
      of.rows[i] = of.weight_of(i) * static_cast<T>(loss_row(of, i));
    });
  }
  this->sum(lease, rows, prediction.rows, sum);
}

template <class T>
void CudaBackend<T>::metric(Lease&, const MetricForm<T>& given, ConstMatrix<T> prediction, Target<T> target,
                            const T* weight, T* rows, double* sum) const {
  device_.check(prediction.data, target.labels, target.values.data, weight, rows, sum);
  const MetricForm<T> form = given;
  device_.each(prediction.rows, [=] LAMINA_DEVICE(std::int64_t i) {
    rows[i] = metric_row(form, prediction.row(i), target.values ? target.values.row(i) : nullptr,
                         target.labels != nullptr ? target.labels[i] : 0, prediction.cols);
  });
  cuda::sum_of_all(
      device_, prediction.rows,
      [=] LAMINA_DEVICE(std::int64_t i) { return double(weight != nullptr ? rows[i] * weight[i] : rows[i]); },
      [=] LAMINA_DEVICE(double total) { *sum = total; });
}

#define LAMINA_INSTANTIATE(T)                                                                                \
  template void CudaBackend<T>::loss(Lease&, const LossForm<T>&, ConstMatrix<T>, Target<T>, const T*, T, T*, \
                                     Matrix<T>, double*) const;                                              \
  template void CudaBackend<T>::metric(Lease&, const MetricForm<T>&, ConstMatrix<T>, Target<T>, const T*,    \
                                       T*, double*) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
