// The rules of the optimizers beyond the four of optimizers.h, in Keras's formulas, over flat ranges.
// Included only by kernels/optimizers.h.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/arguments.h"

namespace lamina::LAMINA_ISA {
namespace {

// s = rho s + (1-rho) dw^2;  d = -sqrt(u + epsilon) / sqrt(s + epsilon) dw;  u = rho u + (1-rho) d^2;  w +=
// lr d (Zeiler, 2012).
template <class T>
LAMINA_HOST_DEVICE void adadelta(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                                 T* __restrict w, T* __restrict mean_square, T* __restrict mean_step) {
  const T lr = form.lr, rho = form.rho, rest = form.one_minus_rho, epsilon = form.epsilon;
  for (std::int64_t i = 0; i < size; ++i) {
    mean_square[i] = rho * mean_square[i] + rest * (dw[i] * dw[i]);
    const T step = -(std::sqrt(mean_step[i] + epsilon) * dw[i] / std::sqrt(mean_square[i] + epsilon));
    mean_step[i] = rho * mean_step[i] + rest * (step * step);
    w[i] += lr * step;
  }
}

// m += (1-beta1) (dw - m);  u = max(beta2 u, |dw|);  w -= lr m / ((1-beta1^t) (u + epsilon)) (Kingma and Ba,
// 2015, section 7.1).
template <class T>
LAMINA_HOST_DEVICE void adamax(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                               T* __restrict w, T* __restrict m, T* __restrict norm) {
  const T lr = form.lr, rest1 = form.one_minus_beta1, beta2 = form.beta2, epsilon = form.epsilon;
  const T correction = form.correction1;
  for (std::int64_t i = 0; i < size; ++i) {
    m[i] += (dw[i] - m[i]) * rest1;
    const T decayed = beta2 * norm[i], now = std::abs(dw[i]);
    norm[i] = decayed > now || decayed != decayed ? decayed : now;  // NaN stays
    w[i] -= lr * m[i] / (correction * (norm[i] + epsilon));
  }
}

// m and v as in Adam;  w -= lr (a m / b + c dw / d) / (sqrt(v / (1-beta2^t)) + epsilon), where a is the next
// step's momentum, c = 1 - this one's, b and d are 1 - the products of all momentums to the next and to this
// one (Dozat, 2016).
template <class T>
LAMINA_HOST_DEVICE void nadam(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                              T* __restrict w, T* __restrict m, T* __restrict v) {
  const T lr = form.lr, rest1 = form.one_minus_beta1, rest2 = form.one_minus_beta2, epsilon = form.epsilon;
  const T a = form.of_kind[0], b = form.of_kind[1], c = form.of_kind[2], d = form.of_kind[3];
  const T correction = form.correction2;
  for (std::int64_t i = 0; i < size; ++i) {
    m[i] += (dw[i] - m[i]) * rest1;
    v[i] += (dw[i] * dw[i] - v[i]) * rest2;
    const T first = a * m[i] / b + c * dw[i] / d;
    w[i] -= first * lr / (std::sqrt(v[i] / correction) + epsilon);
  }
}

// n' = n + dw^2;  z += dw + 2 s w - (n'^p - n^p) / lr w;  w = (clip(z, -l1, l1) - z) / (n'^p / lr + 2 l2),
// with p = -learning_rate_power, s the shrinkage and beta / (2 lr) in l2 (McMahan et al., 2013). of_kind: p,
// l1, 2 l2, 2 s.
template <class T>
LAMINA_HOST_DEVICE void ftrl(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                             T* __restrict w, T* __restrict accumulator, T* __restrict linear) {
  const T lr = form.lr, p = form.of_kind[0], l1 = form.of_kind[1];
  const T twice_l2 = form.of_kind[2], twice_shrinkage = form.of_kind[3];
  const auto loop = [&](auto&& power) {
    for (std::int64_t i = 0; i < size; ++i) {
      const T sum = accumulator[i] + dw[i] * dw[i], raised = power(sum);
      linear[i] += (dw[i] + twice_shrinkage * w[i]) - (raised - power(accumulator[i])) / lr * w[i];
      const T z = linear[i], clipped = z > l1 ? l1 : z < -l1 ? -l1 : z;
      w[i] = (clipped - z) / (raised / lr + twice_l2);
      accumulator[i] = sum;
    }
  };
  if (p == T(0.5))
    loop([](T x) { return std::sqrt(x); });
  else
    loop([p](T x) { return std::pow(x, p); });
}

// w -= lr sign(beta1 m + (1-beta1) dw);  m = beta2 m + (1-beta2) dw (Chen et al., 2023).
template <class T>
LAMINA_HOST_DEVICE void lion(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                             T* __restrict w, T* __restrict m) {
  const T lr = form.lr, beta1 = form.beta1, rest1 = form.one_minus_beta1;
  const T beta2 = form.beta2, rest2 = form.one_minus_beta2;
  for (std::int64_t i = 0; i < size; ++i) {
    const T direction = m[i] * beta1 + dw[i] * rest1;
    const T sign = direction > 0 ? T(1) : direction < 0 ? T(-1) : direction;  // of NaN: NaN
    w[i] -= lr * sign;
    m[i] = m[i] * beta2 + dw[i] * rest2;
  }
}

// m and v as in Adam;  step = m / (1-beta1^t) / (sqrt(v / (1-beta2^t)) + epsilon), to be taken when its norm
// is known (You et al., 2020).
template <class T>
LAMINA_HOST_DEVICE void lamb(const StepForm<T>& form, std::int64_t size, const T* __restrict dw,
                             T* __restrict m, T* __restrict v, T* __restrict step) {
  const T rest1 = form.one_minus_beta1, rest2 = form.one_minus_beta2, epsilon = form.epsilon;
  const T correction1 = form.correction1, correction2 = form.correction2;
  for (std::int64_t i = 0; i < size; ++i) {
    m[i] += (dw[i] - m[i]) * rest1;
    v[i] += (dw[i] * dw[i] - v[i]) * rest2;
    step[i] = m[i] / correction1 / (std::sqrt(v[i] / correction2) + epsilon);
  }
}

// v as in Adam;  z -= lr dw / (sqrt(v / (1-beta2^t)) + epsilon);  w = (1 - c) w + c z, with c = 1/t (Defazio
// et al., 2024). Keras recovers x from w = (1-beta1) z + beta1 x with the z that already took its step (on
// TensorFlow, where what it kept is the variable itself), so that beta1 cancels. of_kind: c, 1 - c.
template <class T>
LAMINA_HOST_DEVICE void schedule_free_adamw(const StepForm<T>& form, std::int64_t size,
                                            const T* __restrict dw, T* __restrict w, T* __restrict z,
                                            T* __restrict v) {
  const T lr = form.lr, rest2 = form.one_minus_beta2, epsilon = form.epsilon, correction = form.correction2;
  const T share = form.of_kind[0], rest = form.of_kind[1];
  for (std::int64_t i = 0; i < size; ++i) {
    v[i] += (dw[i] * dw[i] - v[i]) * rest2;
    z[i] -= lr * dw[i] / (std::sqrt(v[i] / correction) + epsilon);
    w[i] = rest * w[i] + share * z[i];
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
