// The loss of a stack's batch with its gradient, and the metrics, by each block for itself; the first one
// reports them.
#pragma once

#include "backend/cuda/loss_rows.h"
#include "backend/cuda/stack_plan.h"

namespace lamina::cuda {

template <class T>
struct StackLoss {
  const Block& block;
  const StackTask<T>& task;
  const StackMemory<T>& places;
  Matrix<T> gradient;  // at what goes into the last layer's activation
  std::int64_t step;

  // Output, loss, gradient and metrics of a row, by a thread.
  LAMINA_DEVICE void find() const {
    const SharedLayer& last = task.layer[task.layers - 1];
    const int n = last.units, pitch = last.y_pitch, count = rows();
    T* const values = all_values();
    const ConstMatrix<T> logits(values + task.logits_at, count, n, pitch);
    const Matrix<T> output(values + last.y_at, count, n, pitch);
    const ConstMatrix<T> targets(task.labels ? nullptr : values + task.targets_at, count, n, n);
    T* const numbers = values + task.rows_at;
    const auto* const labels =
        task.labels ? reinterpret_cast<const std::int64_t*>(block.memory + places.labels) : nullptr;
    const T* const weights = task.weighted ? values + task.weights_at : nullptr;
    const double all_weights = task.weighted ? sum_of_weights() : count;
    const double divisor = task.by_weights ? all_weights : task.from_mean ? count : 1;
    const T scale = static_cast<T>(divisor != 0 ? task.loss_weight / divisor : 0);
    block.each_thread([&](int t) {
      for (int i = t; i < count; i += block.threads) {
        output_row(last.a, logits.row(i), output.row(i), n);
        const LossRows<T> rows{task.loss, task.at_logits ? logits : ConstMatrix<T>(output),
                               labels,    targets,
                               weights,   scale,
                               nullptr,   gradient};
        numbers[i] = rows.weight_of(i) * static_cast<T>(any_loss_row(rows, i));
        if (!task.at_logits) to_logits_row(last.a, output.row(i), gradient.row(i), n);
        for (int m = 0; block.index == 0 && m < task.metrics; ++m) {
          const StackMetric<T>& metric = task.metric[m];
          const T* const target = targets ? targets.row(i) : nullptr;
          T* const number = numbers + (1 + m) * task.capacity + i;
          const T weight = metric.weighted ? weights[i] : T(1);
          if (metric.is_loss) {
            const LossRows<T> of{metric.loss, metric.at_logits ? logits : ConstMatrix<T>(output),
                                 labels,      targets,
                                 nullptr,     T(1),
                                 nullptr,     {}};
            *number = weight * static_cast<T>(any_loss_row(of, i));
          } else {
            *number =
                weight * metric_row(metric.rows, output.row(i), target, labels != nullptr ? labels[i] : 0, n);
          }
        }
      }
    });
    if (block.index == 0) report(all_weights);
  }

 private:
  static constexpr int kLanes = 32;

  LAMINA_DEVICE int rows() const { return static_cast<int>(gradient.rows); }
  LAMINA_DEVICE T* all_values() const { return reinterpret_cast<T*>(block.memory + places.values); }
  LAMINA_DEVICE double sum_of_weights() const {
    double* const sums = reinterpret_cast<double*>(block.memory + places.sums);
    const T* const weights = all_values() + task.weights_at;
    block.each_thread([&](int t) {
      double sum = 0;
      for (int i = t; t < kLanes && i < rows(); i += kLanes) sum += double(weights[i]);
      if (t < kLanes) sums[t] = sum;
    });
    double sum = 0;
    for (int k = 0; k < kLanes; ++k) sum += sums[k];
    return sum;
  }
  // The sums over rows: 32 threads a sum, and one over these.
  LAMINA_DEVICE void report(double all_weights) const {
    double* const sums = reinterpret_cast<double*>(block.memory + places.sums);
    const T* const numbers = all_values() + task.rows_at;
    const int count = rows();
    block.each_thread([&](int t) {
      if (t / kLanes > task.metrics) return;
      double sum = 0;
      for (int i = t % kLanes; i < count; i += kLanes) sum += double(numbers[t / kLanes * task.capacity + i]);
      sums[t] = sum;
    });
    block.each_thread([&](int t) {
      if (t > task.metrics) return;
      double sum = 0;
      for (int k = 0; k < kLanes; ++k) sum += sums[t * kLanes + k];
      double* const to = task.numbers + step * task.width;
      if (t == 0 && task.by_weights) sum = all_weights != 0 ? sum / all_weights : 0;
      to[t == 0 ? 0 : 2 * t - 1] = sum;
      if (t > 0 && task.metric[t - 1].weighted) to[2 * t] = all_weights;
    });
  }
};

}  // namespace lamina::cuda
