#include <algorithm>
#include <cmath>

#include "nn/optimizer_form.h"

namespace lamina {
namespace {

// base^t, the base as `Power` holds it: Keras on TensorFlow makes float32 of Adam's betas before they are
// raised, in float64 models too (with float 0.999, 1 - beta^1 is 6e-6 off that in double, and so is the first
// step).
template <class T, class Power>
T power(double base, std::int64_t t) {
  return static_cast<T>(std::pow(static_cast<double>(static_cast<Power>(base)), static_cast<double>(t)));
}

}  // namespace

template <class T, class Power>
StepForm<T> step_form(const OptimizerForm& f, std::int64_t t) {
  StepForm<T> s;
  s.lr = s.base_lr = static_cast<T>(f.learning_rate);
  s.momentum = static_cast<T>(f.momentum);
  s.rho = static_cast<T>(f.rho);
  s.one_minus_rho = static_cast<T>(1 - f.rho);
  s.one_minus_beta1 = static_cast<T>(1 - f.beta1);
  s.one_minus_beta2 = static_cast<T>(1 - f.beta2);
  s.epsilon = static_cast<T>(f.epsilon);
  s.nesterov = f.nesterov;
  s.beta1 = static_cast<T>(f.beta1);
  s.beta2 = static_cast<T>(f.beta2);
  // What Keras casts to a tensor is float32 first, and 1 - beta is then taken of that. (volatile: GCC 12
  // leaves such a rounding out where it vectorises two of them.)
  const auto cast = [](double x) {
    const volatile Power rounded = static_cast<Power>(x);
    return static_cast<T>(rounded);
  };
  const auto cast_betas = [&] {
    s.beta1 = cast(f.beta1);
    s.beta2 = cast(f.beta2);
    s.one_minus_beta1 = T(1) - s.beta1;
    s.one_minus_beta2 = T(1) - s.beta2;
  };
  switch (f.kind) {
    case OptimizerKind::kAdam:
      s.lr = s.lr * std::sqrt(T(1) - power<T, Power>(f.beta2, t)) / (T(1) - power<T, Power>(f.beta1, t));
      break;
    case OptimizerKind::kAdamax:
    case OptimizerKind::kLamb:
      s.correction1 = T(1) - power<T, Power>(f.beta1, t);
      s.correction2 = T(1) - power<T, Power>(f.beta2, t);
      break;
    case OptimizerKind::kNadam:
      cast_betas();
      s.correction2 = T(1) - power<T, Power>(f.beta2, t);
      s.of_kind[0] = s.beta1 * (T(1) - T(0.5) * power<T, Power>(0.96, t + 1));
      s.of_kind[2] = T(1) - s.beta1 * (T(1) - T(0.5) * power<T, Power>(0.96, t));
      break;  // the products are the optimizer's: they depend on all steps before
    case OptimizerKind::kLion:
      cast_betas();
      break;
    case OptimizerKind::kFtrl:
      s.of_kind[0] = static_cast<T>(-f.learning_rate_power);
      s.of_kind[1] = static_cast<T>(f.l1);
      s.of_kind[2] = T(2) * (static_cast<T>(f.l2) + static_cast<T>(f.beta) / (T(2) * s.lr));
      s.of_kind[3] = static_cast<T>(2 * f.l2_shrinkage);
      break;
    case OptimizerKind::kScheduleFreeAdamW: {
      cast_betas();
      s.epsilon = cast(f.epsilon);
      s.correction2 = T(1) - power<T, Power>(f.beta2, t);
      const T step = static_cast<T>(t);
      if (f.warmup_steps > 0) s.lr = s.lr * std::min(step / cast(f.warmup_steps), T(1));
      s.of_kind[0] = T(1) / step;
      s.of_kind[1] = T(1) - s.of_kind[0];
      break;
    }
    default:
      break;
  }
  return s;
}

template StepForm<float> step_form<float, float>(const OptimizerForm&, std::int64_t);
template StepForm<double> step_form<double, double>(const OptimizerForm&, std::int64_t);
template StepForm<double> step_form<double, float>(const OptimizerForm&, std::int64_t);

}  // namespace lamina
