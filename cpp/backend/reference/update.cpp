// The optimizers' steps, in double.
#include <algorithm>
#include <cmath>

#include "backend/reference/reference.h"

namespace lamina {
namespace {

template <class T>
void sgd(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* velocity) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double step = double{f.lr} * double{dw[i]};
    if (velocity == nullptr) {
      w[i] = static_cast<T>(double{w[i]} - step);
      continue;
    }
    const double v = double{f.momentum} * double{velocity[i]} - step;
    velocity[i] = static_cast<T>(v);
    w[i] = static_cast<T>(double{w[i]} + (f.nesterov ? double{f.momentum} * v - step : v));
  }
}

template <class T>
void rmsprop(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* mean_square, T* momentum,
             T* mean) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    double square = double{f.rho} * double{mean_square[i]} + double{f.one_minus_rho} * d * d;
    mean_square[i] = static_cast<T>(square);
    if (mean != nullptr) {
      const double average = double{f.rho} * double{mean[i]} + double{f.one_minus_rho} * d;
      mean[i] = static_cast<T>(average);
      square -= average * average;
    }
    double step = double{f.lr} * d / std::sqrt(square + double{f.epsilon});
    if (momentum != nullptr) {
      step += double{f.momentum} * double{momentum[i]};
      momentum[i] = static_cast<T>(step);
    }
    w[i] = static_cast<T>(double{w[i]} - step);
  }
}

template <class T>
void adagrad(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* accumulator) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]}, a = double{accumulator[i]} + d * d;
    accumulator[i] = static_cast<T>(a);
    w[i] = static_cast<T>(double{w[i]} - double{f.lr} * d / std::sqrt(a + double{f.epsilon}));
  }
}

template <class T>
void adam(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* m, T* v, T* vhat) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    const double first = double{m[i]} + (d - double{m[i]}) * double{f.one_minus_beta1};
    double second = double{v[i]} + (d * d - double{v[i]}) * double{f.one_minus_beta2};
    m[i] = static_cast<T>(first);
    v[i] = static_cast<T>(second);
    if (vhat != nullptr) {
      second = std::max(double{vhat[i]}, second);
      vhat[i] = static_cast<T>(second);
    }
    w[i] = static_cast<T>(double{w[i]} - first * double{f.lr} / (std::sqrt(second) + double{f.epsilon}));
  }
}

}  // namespace

template <class T>
void ReferenceBackend<T>::update(Lease&, const Update<T>& update, const T* dw, std::int64_t size) const {
  const StepForm<T>& form = update.form;
  T* const w = update.weight_of(dw);
  T* slots[3];
  for (int k = 0; k < 3; ++k)
    slots[k] = update.slots[k] != nullptr ? update.slots[k] + (dw - update.dw) : nullptr;
  switch (update.kind) {
    case OptimizerKind::kSgd:
      return sgd(form, size, dw, w, slots[0]);
    case OptimizerKind::kRmsprop:
      return rmsprop(form, size, dw, w, slots[0], slots[1], slots[2]);
    case OptimizerKind::kAdagrad:
      return adagrad(form, size, dw, w, slots[0]);
    case OptimizerKind::kAdam:
      return adam(form, size, dw, w, slots[0], slots[1], slots[2]);
  }
}

// The rest of the class is instantiated in reference.cpp.
template void ReferenceBackend<float>::update(Lease&, const Update<float>&, const float*, std::int64_t) const;
template void ReferenceBackend<double>::update(Lease&, const Update<double>&, const double*,
                                               std::int64_t) const;

}  // namespace lamina
