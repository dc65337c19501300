// The optimizers' steps, in double.
#include <algorithm>
#include <cmath>

#include "backend/formulas.h"
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
      if (double{vhat[i]} > second || std::isnan(vhat[i])) second = double{vhat[i]};
      vhat[i] = static_cast<T>(second);
    }
    w[i] = static_cast<T>(double{w[i]} - first * double{f.lr} / (std::sqrt(second) + double{f.epsilon}));
  }
}

template <class T>
void adadelta(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* mean_square, T* mean_step) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]}, e = double{f.epsilon};
    const double square = double{f.rho} * double{mean_square[i]} + double{f.one_minus_rho} * d * d;
    const double step = -std::sqrt(double{mean_step[i]} + e) * d / std::sqrt(square + e);
    mean_square[i] = static_cast<T>(square);
    mean_step[i] =
        static_cast<T>(double{f.rho} * double{mean_step[i]} + double{f.one_minus_rho} * step * step);
    w[i] = static_cast<T>(double{w[i]} + double{f.lr} * step);
  }
}

template <class T>
void adamax(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* m, T* norm) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    const double first = double{m[i]} + (d - double{m[i]}) * double{f.one_minus_beta1};
    const double largest = std::max(double{f.beta2} * double{norm[i]}, std::abs(d));
    m[i] = static_cast<T>(first);
    norm[i] = static_cast<T>(largest);
    w[i] = static_cast<T>(double{w[i]} -
                          double{f.lr} * first / (double{f.correction1} * (largest + double{f.epsilon})));
  }
}

template <class T>
void nadam(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* m, T* v) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    const double first = double{m[i]} + (d - double{m[i]}) * double{f.one_minus_beta1};
    const double second = double{v[i]} + (d * d - double{v[i]}) * double{f.one_minus_beta2};
    m[i] = static_cast<T>(first);
    v[i] = static_cast<T>(second);
    const double mean =
        double{f.of_kind[0]} * first / double{f.of_kind[1]} + double{f.of_kind[2]} * d / double{f.of_kind[3]};
    w[i] = static_cast<T>(double{w[i]} - mean * double{f.lr} /
                                             (std::sqrt(second / double{f.correction2}) + double{f.epsilon}));
  }
}

template <class T>
void ftrl(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* accumulator, T* linear) {
  const double p = double{f.of_kind[0]}, l1 = double{f.of_kind[1]}, lr = double{f.lr};
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]}, before = double{accumulator[i]}, sum = before + d * d;
    const double z = double{linear[i]} + d + double{f.of_kind[3]} * double{w[i]} -
                     (std::pow(sum, p) - std::pow(before, p)) / lr * double{w[i]};
    linear[i] = static_cast<T>(z);
    accumulator[i] = static_cast<T>(sum);
    w[i] = static_cast<T>((std::clamp(z, -l1, l1) - z) / (std::pow(sum, p) / lr + double{f.of_kind[2]}));
  }
}

template <class T>
void lion(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* m) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]}, first = double{m[i]};
    const double direction = first * double{f.beta1} + d * double{f.one_minus_beta1};
    const double sign = direction > 0 ? 1 : direction < 0 ? -1 : direction;
    w[i] = static_cast<T>(double{w[i]} - double{f.lr} * sign);
    m[i] = static_cast<T>(first * double{f.beta2} + d * double{f.one_minus_beta2});
  }
}

template <class T>
void lamb(const StepForm<T>& f, std::int64_t size, const T* dw, T* m, T* v, T* step) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    const double first = double{m[i]} + (d - double{m[i]}) * double{f.one_minus_beta1};
    const double second = double{v[i]} + (d * d - double{v[i]}) * double{f.one_minus_beta2};
    m[i] = static_cast<T>(first);
    v[i] = static_cast<T>(second);
    step[i] = static_cast<T>(first / double{f.correction1} /
                             (std::sqrt(second / double{f.correction2}) + double{f.epsilon}));
  }
}

template <class T>
void schedule_free_adamw(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* z, T* v) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    const double second = double{v[i]} + (d * d - double{v[i]}) * double{f.one_minus_beta2};
    const double after =
        double{z[i]} - double{f.lr} * d / (std::sqrt(second / double{f.correction2}) + double{f.epsilon});
    v[i] = static_cast<T>(second);
    z[i] = static_cast<T>(after);
    w[i] = static_cast<T>(double{f.of_kind[1]} * double{w[i]} + double{f.of_kind[0]} * after);
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
  const double decay = double{form.weight_decay} * double{form.base_lr};
  if (form.weight_decay != 0)
    for (std::int64_t i = 0; i < size; ++i) w[i] = static_cast<T>(double{w[i]} - double{w[i]} * decay);
  switch (update.kind) {
    case OptimizerKind::kSgd:
      return sgd(form, size, dw, w, slots[0]);
    case OptimizerKind::kRmsprop:
      return rmsprop(form, size, dw, w, slots[0], slots[1], slots[2]);
    case OptimizerKind::kAdagrad:
      return adagrad(form, size, dw, w, slots[0]);
    case OptimizerKind::kAdam:
      return adam(form, size, dw, w, slots[0], slots[1], slots[2]);
    case OptimizerKind::kAdadelta:
      return adadelta(form, size, dw, w, slots[0], slots[1]);
    case OptimizerKind::kAdamax:
      return adamax(form, size, dw, w, slots[0], slots[1]);
    case OptimizerKind::kNadam:
      return nadam(form, size, dw, w, slots[0], slots[1]);
    case OptimizerKind::kFtrl:
      return ftrl(form, size, dw, w, slots[0], slots[1]);
    case OptimizerKind::kLion:
      return lion(form, size, dw, w, slots[0]);
    case OptimizerKind::kLamb:
      return lamb(form, size, dw, slots[0], slots[1], slots[2]);
    case OptimizerKind::kScheduleFreeAdamW:
      return schedule_free_adamw(form, size, dw, w, slots[0], slots[1]);
    case OptimizerKind::kAdafactor:
    case OptimizerKind::kMuon:
      return;
  }
}

template <class T>
void ReferenceBackend<T>::blend(Lease&, Blend kind, T a, T b, const T* x, T* y, std::int64_t size) const {
  const double p = double{a}, q = double{b};
  for (std::int64_t i = 0; i < size; ++i) {
    const double other = x != nullptr ? double{x[i]} : 0.0, old = double{y[i]};
    y[i] = static_cast<T>(formulas::blended(kind, p, q, other, old));
  }
}

template <class T>
void ReferenceBackend<T>::sum(Lease&, const T* x, std::int64_t size, double* out) const {
  *out = 0;
  for (std::int64_t i = 0; i < size; ++i) *out += double{x[i]};
}

template <class T>
T ReferenceBackend<T>::sum_of_squares(Lease&, const T* x, std::int64_t size) const {
  double total = 0;
  for (std::int64_t i = 0; i < size; ++i) total += double{x[i]} * double{x[i]};
  return static_cast<T>(total);
}

// The rest of the class is instantiated in reference.cpp.
template void ReferenceBackend<float>::update(Lease&, const Update<float>&, const float*, std::int64_t) const;
template void ReferenceBackend<double>::update(Lease&, const Update<double>&, const double*,
                                               std::int64_t) const;
template void ReferenceBackend<float>::blend(Lease&, Blend, float, float, const float*, float*,
                                             std::int64_t) const;
template void ReferenceBackend<double>::blend(Lease&, Blend, double, double, const double*, double*,
                                              std::int64_t) const;
template void ReferenceBackend<float>::sum(Lease&, const float*, std::int64_t, double*) const;
template void ReferenceBackend<double>::sum(Lease&, const double*, std::int64_t, double*) const;
template float ReferenceBackend<float>::sum_of_squares(Lease&, const float*, std::int64_t) const;
template double ReferenceBackend<double>::sum_of_squares(Lease&, const double*, std::int64_t) const;

}  // namespace lamina
