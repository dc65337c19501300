// The circle loss of a batch of embeddings with class numbers (Sun et al., "Circle Loss", CVPR 2020), as
// Keras computes it: for row i, with d_ij = max(1 - p_i . p_j, 0),
//   L_i = softplus(log sum_{j of its class} e^f(d_ij) + log sum_{j of others} e^g(d_ij)),
//   f(d) = -gamma max(d + m, 0) (m - d),  g(d) = gamma max(1 + m - d, 0) (1 - m - d).
// Included by kernels/isa.cpp and the reference backend.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/row_losses.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
struct Circle {
  const LossForm<T>& form;
  ConstMatrix<T> p;
  const std::int64_t* labels;

  LAMINA_HOST_DEVICE bool positive(std::int64_t i, std::int64_t j) const { return labels[i] == labels[j]; }
  LAMINA_HOST_DEVICE bool pairs(std::int64_t i, std::int64_t j) const { return !(form.flag && i == j); }

  LAMINA_HOST_DEVICE T similarity(std::int64_t i, std::int64_t j) const {
    return static_cast<T>(sum_over(p.cols, [&](std::int64_t k) { return p.row(i)[k] * p.row(j)[k]; }));
  }

  // f or g at d, and its slope.
  LAMINA_HOST_DEVICE AtOutput<T> at(bool same, T d) const {
    const T m = form.delta, gamma = form.gamma;
    const T reach = same ? m + d : T(1) + m - d, rest = same ? m - d : T(1) - m - d;
    const T weight = at_least(reach, T(0)), inside = reach >= T(0) ? T(1) : T(0);
    if (same) return {-gamma * weight * rest, -gamma * (inside * rest - weight)};
    return {gamma * weight * rest, gamma * (-inside * rest - weight)};
  }

  // log of the sum of e^value over the row's pairs of one kind; -inf without such.
  LAMINA_HOST_DEVICE T log_sum(std::int64_t i, bool same) const {
    T largest = -HUGE_VAL;
    for (std::int64_t j = 0; j < p.rows; ++j)
      if (counts(i, j, same)) largest = std::max(largest, value(i, j, same));
    if (!std::isfinite(largest)) largest = 0;
    const double sum = sum_over(p.rows, [&](std::int64_t j) {
      return counts(i, j, same) ? std::exp(value(i, j, same) - largest) : T(0);
    });
    return std::log(static_cast<T>(sum)) + largest;
  }

  // One that is of the same class but the row itself is of neither kind.
  LAMINA_HOST_DEVICE bool counts(std::int64_t i, std::int64_t j, bool same) const {
    return positive(i, j) == same && (!same || pairs(i, j));
  }

  LAMINA_HOST_DEVICE T distance(std::int64_t i, std::int64_t j) const {
    return at_least(T(1) - similarity(i, j), T(0));
  }
  LAMINA_HOST_DEVICE T value(std::int64_t i, std::int64_t j, bool same) const {
    return at(same, distance(i, j)).value;
  }
};

template <class T>
LAMINA_HOST_DEVICE void circle(const LossForm<T>& form, ConstMatrix<T> p, const std::int64_t* labels,
                               const T* weight, T scale, T* loss, Matrix<T> gradient) {
  const Circle<T> of{form, p, labels};
  const auto weight_of = [&](std::int64_t i) { return weight != nullptr ? weight[i] : T(1); };
  double counted = 0;  // rows with a loss above 0, or their weights
  for (std::int64_t i = 0; i < p.rows; ++i) {
    loss[i] = softplus(of.log_sum(i, true) + of.log_sum(i, false));
    if (loss[i] > T(0)) counted += form.counted == Counted::kWeighted ? static_cast<double>(weight_of(i)) : 1;
  }
  // The scale is that of a mean over all rows; those without a loss do not count.
  const T factor = form.counted == Counted::kAll ? T(1)
                   : counted == 0                ? T(0)
                                                 : static_cast<T>(static_cast<double>(p.rows) / counted);
  if (gradient)
    for (std::int64_t i = 0; i < p.rows; ++i) no_loss(gradient.row(i), p.cols);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const T w = factor * weight_of(i) * (loss[i] > T(0) ? T(1) : T(0));
    if (gradient && loss[i] > T(0)) {
      const T of_same = of.log_sum(i, true), of_others = of.log_sum(i, false);
      const T steep = scale * w / (T(1) + std::exp(-(of_same + of_others)));
      for (std::int64_t j = 0; j < p.rows; ++j) {
        const bool same = of.positive(i, j);
        const T similarity = of.similarity(i, j);
        if (!of.counts(i, j, same) || !(T(1) - similarity >= T(0))) continue;
        const AtOutput<T> at = of.at(same, T(1) - similarity);
        const T g = -steep * std::exp(at.value - (same ? of_same : of_others)) * at.slope;
        for (std::int64_t k = 0; k < p.cols; ++k) {
          const T pi = p.row(i)[k], pj = p.row(j)[k];
          gradient.row(i)[k] += g * pj;
          gradient.row(j)[k] += g * pi;
        }
      }
    }
    loss[i] = w * loss[i];
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
