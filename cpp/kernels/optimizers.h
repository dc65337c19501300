// One step of each optimizer over a flat range, in Keras's formulas: where epsilon stands differs between
// libraries. Plain loops, which the compiler turns into vectors. Included only by kernels/isa.cpp.
#pragma once

#include <cmath>

#include "kernels/arguments.h"
#include "kernels/optimizer_rules.h"

namespace lamina::LAMINA_ISA {
namespace {

// v = momentum v - lr dw;  w += v, or with Nesterov's momentum w += momentum v - lr dw (Sutskever et al.,
// 2013).
template <class T>
LAMINA_HOST_DEVICE void sgd(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                            T* __restrict w, T* __restrict velocity) {
  const T lr = form.lr, momentum = form.momentum;
  if (velocity == nullptr) {
    for (std::int64_t i = 0; i < size; ++i) w[i] -= lr * dw[i];
  } else if (form.nesterov) {
    for (std::int64_t i = 0; i < size; ++i) {
      velocity[i] = momentum * velocity[i] - lr * dw[i];
      w[i] += momentum * velocity[i] - lr * dw[i];
    }
  } else {
    for (std::int64_t i = 0; i < size; ++i) {
      velocity[i] = momentum * velocity[i] - lr * dw[i];
      w[i] += velocity[i];
    }
  }
}

// s = rho s + (1-rho) dw^2;  step = lr dw / sqrt(s + epsilon);  centered: s - mean^2 in place of s;
// with momentum: b = momentum b + step;  w -= step or b (Hinton, 2012).
template <class T>
LAMINA_HOST_DEVICE void rmsprop(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                                T* __restrict w, T* __restrict mean_square, T* __restrict momentum,
                                T* __restrict mean) {
  const T lr = form.lr, rho = form.rho, rest = form.one_minus_rho, epsilon = form.epsilon;
  for (std::int64_t i = 0; i < size; ++i) {
    mean_square[i] = rho * mean_square[i] + rest * (dw[i] * dw[i]);
    T square = mean_square[i];
    if (mean != nullptr) {
      mean[i] = rho * mean[i] + rest * dw[i];
      square -= mean[i] * mean[i];
    }
    T step = lr * dw[i] / std::sqrt(square + epsilon);
    if (momentum != nullptr) step = momentum[i] = form.momentum * momentum[i] + step;
    w[i] -= step;
  }
}

// a += dw^2;  w -= lr dw / sqrt(a + epsilon) (Duchi, Hazan, Singer, 2011).
template <class T>
LAMINA_HOST_DEVICE void adagrad(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                                T* __restrict w, T* __restrict accumulator) {
  const T lr = form.lr, epsilon = form.epsilon;
  for (std::int64_t i = 0; i < size; ++i) {
    accumulator[i] += dw[i] * dw[i];
    w[i] -= lr * dw[i] / std::sqrt(accumulator[i] + epsilon);
  }
}

// m += (1-beta1) (dw - m);  v += (1-beta2) (dw^2 - v);  w -= lr_t m / (sqrt(v) + epsilon), with
// lr_t = lr sqrt(1-beta2^t) / (1-beta1^t): epsilon is not bias-corrected (Kingma and Ba, 2015, end of section
// 2); amsgrad: the largest v so far in place of v (Reddi, Kale, Kumar, 2018).
template <class T>
LAMINA_HOST_DEVICE void adam(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                             T* __restrict w, T* __restrict m, T* __restrict v, T* __restrict vhat) {
  const T lr = form.lr, rest1 = form.one_minus_beta1, rest2 = form.one_minus_beta2, epsilon = form.epsilon;
  for (std::int64_t i = 0; i < size; ++i) {
    m[i] += (dw[i] - m[i]) * rest1;
    v[i] += (dw[i] * dw[i] - v[i]) * rest2;
    T second = v[i];
    // NaN stays, in either
    if (vhat != nullptr) second = vhat[i] = vhat[i] > second || vhat[i] != vhat[i] ? vhat[i] : second;
    w[i] -= m[i] * lr / (std::sqrt(second) + epsilon);
  }
}

// The step of the parameters whose gradients are dw[0..size-1].
template <class T>
LAMINA_HOST_DEVICE void update_range(const Update<T>& update, const T* dw, std::int64_t size) {
  const std::int64_t first = dw - update.dw;
  const auto slot = [&](int k) { return update.slots[k] != nullptr ? update.slots[k] + first : nullptr; };
  T* const w = update.w + first;
  if (const T decay = update.form.weight_decay, lr = update.form.base_lr; decay != 0)
    for (std::int64_t i = 0; i < size; ++i) w[i] -= w[i] * decay * lr;
  switch (update.kind) {
    case OptimizerKind::kSgd:
      return sgd<T>(update.form, size, dw, w, slot(0));
    case OptimizerKind::kRmsprop:
      return rmsprop<T>(update.form, size, dw, w, slot(0), slot(1), slot(2));
    case OptimizerKind::kAdagrad:
      return adagrad<T>(update.form, size, dw, w, slot(0));
    case OptimizerKind::kAdam:
      return adam<T>(update.form, size, dw, w, slot(0), slot(1), slot(2));
    case OptimizerKind::kAdadelta:
      return adadelta<T>(update.form, size, dw, w, slot(0), slot(1));
    case OptimizerKind::kAdamax:
      return adamax<T>(update.form, size, dw, w, slot(0), slot(1));
    case OptimizerKind::kNadam:
      return nadam<T>(update.form, size, dw, w, slot(0), slot(1));
    case OptimizerKind::kFtrl:
      return ftrl<T>(update.form, size, dw, w, slot(0), slot(1));
    case OptimizerKind::kLion:
      return lion<T>(update.form, size, dw, w, slot(0));
    case OptimizerKind::kLamb:
      return lamb<T>(update.form, size, dw, slot(0), slot(1), slot(2));
    case OptimizerKind::kScheduleFreeAdamW:
      return schedule_free_adamw<T>(update.form, size, dw, w, slot(0), slot(1));
    case OptimizerKind::kAdafactor:
    case OptimizerKind::kMuon:
      return;  // these work on matrices: nn/optimizers/
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
