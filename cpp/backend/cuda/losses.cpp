// Losses and metrics: a thread to a row, but a block where a softmax runs over it.
#include <cmath>

#include "backend/cuda/cuda.h"
#include "backend/cuda/loss_rows.h"
#include "backend/cuda/sums.h"
#include "kernels/circle.h"

namespace lamina {
namespace {

using cuda::Block;
using cuda::LossRows;

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
    rows[i] = cuda::metric_row(form, prediction.row(i), target.values ? target.values.row(i) : nullptr,
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
