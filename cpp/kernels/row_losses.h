// Losses of a row as a whole, as Keras on TensorFlow computes them. Included by kernels/isa.cpp and the
// reference backend.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/clip.h"
#include "kernels/scalar_losses.h"

namespace lamina::LAMINA_ISA {
namespace {

// A row that does not count.
template <class T>
LAMINA_HOST_DEVICE double no_loss(T* gradient, std::int64_t n) {
  for (std::int64_t j = 0; gradient != nullptr && j < n; ++j) gradient[j] = T(0);
  return 0;
}

// sum_j f(j)
template <class F>
LAMINA_HOST_DEVICE double sum_over(std::int64_t n, F&& f) {
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) sum += static_cast<double>(f(j));
  return sum;
}

// sum_j t_j log(t_j / p_j), both clipped to [epsilon, 1]
template <class T>
LAMINA_HOST_DEVICE double kl_divergence_row(const T* p, const T* t, T scale, T* gradient, std::int64_t n) {
  const auto held = [](T x) { return x < kLowest<T> ? kLowest<T> : x > T(1) ? T(1) : x; };
  return sum_over(n, [&](std::int64_t j) {
    const T target = held(t[j]), q = held(p[j]);
    if (gradient != nullptr) gradient[j] = p[j] >= kLowest<T> && p[j] <= T(1) ? -scale * target / q : T(0);
    return target * std::log(target / q);
  });
}

// -sum_j p_j t_j / (|p| |t|), no norm below epsilon. The gradient of a row of zeros is NaN, as TensorFlow's.
template <class T>
LAMINA_HOST_DEVICE double cosine_similarity_row(const T* p, const T* t, T scale, T* gradient,
                                                std::int64_t n) {
  const T most = T(1) / T(kClip);
  const auto inverse_norm = [n](const T* x) {
    return T(1) / std::sqrt(static_cast<T>(sum_over(n, [x](std::int64_t j) { return x[j] * x[j]; })));
  };
  const T inverse = inverse_norm(p), of_p = inverse > most ? most : inverse;
  const T inverse_t = inverse_norm(t), of_t = inverse_t > most ? most : inverse_t;
  const double dot = sum_over(n, [&](std::int64_t j) { return (p[j] * of_p) * (t[j] * of_t); });
  if (gradient != nullptr) {
    const T along = static_cast<T>(sum_over(n, [&](std::int64_t j) { return -(t[j] * of_t) * p[j]; }));
    const T of_square = T(-0.5) * (inverse <= most ? along : T(0)) * inverse * inverse * inverse;
    for (std::int64_t j = 0; j < n; ++j)
      gradient[j] = scale * (-(t[j] * of_t) * of_p + of_square * T(2) * p[j]);
  }
  return -dot;
}

// max(max_j (1 - t_j) p_j - sum_j t_j p_j + 1, 0); equal largest values share the gradient.
template <class T>
LAMINA_HOST_DEVICE double categorical_hinge_row(const T* p, const T* t, T scale, T* gradient,
                                                std::int64_t n) {
  const T right = static_cast<T>(sum_over(n, [&](std::int64_t j) { return t[j] * p[j]; }));
  T wrong = -HUGE_VAL;
  for (std::int64_t j = 0; j < n; ++j) wrong = std::max(wrong, (T(1) - t[j]) * p[j]);
  const T value = wrong - right + T(1);
  if (gradient != nullptr) {
    const T equals =
        static_cast<T>(sum_over(n, [&](std::int64_t j) { return T((T(1) - t[j]) * p[j] == wrong); }));
    for (std::int64_t j = 0; j < n; ++j) {
      const T largest = (T(1) - t[j]) * p[j] == wrong ? (T(1) - t[j]) / equals : T(0);
      gradient[j] = value >= T(0) ? scale * (largest - t[j]) : T(0);
    }
  }
  return static_cast<double>(at_least(value, T(0)));
}

// mean_j (1 - p_t)^gamma crossentropy_j, p_t = t p + (1 - t)(1 - p); the cross-entropy is one of logits z
// where they are at hand, p is then their sigmoid or, behind a softmax, their softmax.
template <class T>
LAMINA_HOST_DEVICE double binary_focal_row(const LossForm<T>& form, const T* z, const T* t, T scale,
                                           T* gradient, std::int64_t n) {
  const bool softmax = form.logits && form.softmax_head;
  T largest = -HUGE_VAL;
  for (std::int64_t j = 0; j < n; ++j) largest = z[j] > largest ? z[j] : largest;
  const T sum =
      softmax ? static_cast<T>(sum_over(n, [&](std::int64_t j) { return std::exp(z[j] - largest); })) : T(1);
  const auto probability = [&](std::int64_t j) {
    if (!form.logits) return z[j];
    return softmax ? std::exp(z[j] - largest) / sum : T(1) / (T(1) + std::exp(-z[j]));
  };
  const T share = scale / T(n);
  double dot = 0;
  const auto gradients = [&](std::int64_t j, T* at_p, T* direct) {
    const T target = form.label_scale * t[j] + form.label_shift, p = probability(j);
    const T miss = T(1) - (target * p + (T(1) - target) * (T(1) - p));
    const T weight = form.flag ? target * form.alpha + (T(1) - target) * (T(1) - form.alpha) : T(1);
    const T factor = weight * std::pow(miss, form.gamma), c = clipped(p);
    const T entropy = form.logits
                          ? at_least(z[j], T(0)) - z[j] * target + std::log1p(std::exp(-std::abs(z[j])))
                          : -(target * std::log(c) + (T(1) - target) * std::log(T(1) - c));
    *at_p = -weight * form.gamma * std::pow(miss, form.gamma - T(1)) * (T(2) * target - T(1)) * entropy;
    *direct = form.logits ? factor * (T(1) / (T(1) + std::exp(-z[j])) - target)
                          : through_clip(p, factor * ((T(1) - target) / (T(1) - c) - target / c));
    return factor * entropy;
  };
  T at_p, direct;
  if (softmax && gradient != nullptr)
    for (std::int64_t j = 0; j < n; ++j) {
      gradients(j, &at_p, &direct);
      dot += static_cast<double>(at_p * probability(j));
    }
  const double total = sum_over(n, [&](std::int64_t j) {
    const T value = gradients(j, &at_p, &direct), p = probability(j);
    const T slope = !form.logits ? T(1) : softmax ? p : p * (T(1) - p);
    if (gradient != nullptr) gradient[j] = share * (direct + slope * (softmax ? at_p - T(dot) : at_p));
    return value;
  });
  return total / static_cast<double>(n);
}

// -alpha sum_j t_j (1 - c_j)^gamma log c_j, c = clip(p / sum p); from logits p is their softmax
template <class T>
LAMINA_HOST_DEVICE double categorical_focal_row(const LossForm<T>& form, const T* p, const T* t, T scale,
                                                T* gradient, std::int64_t n) {
  T largest = -HUGE_VAL;
  for (std::int64_t j = 0; j < n; ++j) largest = p[j] > largest ? p[j] : largest;
  const auto given = [&](std::int64_t j) { return form.logits ? std::exp(p[j] - largest) : p[j]; };
  const T sum = static_cast<T>(sum_over(n, given));
  double value = 0, dot = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const T target = form.label_scale * t[j] + form.label_shift, q = given(j) / sum, c = clipped(q);
    const T factor = std::pow(T(1) - c, form.gamma), entropy = -target * std::log(c);
    value += static_cast<double>(form.alpha * factor * entropy);
    if (gradient == nullptr) continue;
    const T slope = form.gamma * std::pow(T(1) - c, form.gamma - T(1));
    gradient[j] = through_clip(q, form.alpha * (-target / c * factor - entropy * slope));  // at q
    dot += static_cast<double>(gradient[j] * q);
  }
  if (gradient != nullptr)  // a softmax in front turns the gradient at p into p times it, its mean taken off
    for (std::int64_t j = 0; j < n; ++j)
      gradient[j] = scale * (gradient[j] - T(dot)) * (form.logits ? given(j) / sum : T(1) / sum);
  return value;
}

// (1 - p_label^q) / q
template <class T>
LAMINA_HOST_DEVICE double generalized_crossentropy_row(const LossForm<T>& form, const T* p,
                                                       std::int64_t label, T scale, T* gradient,
                                                       std::int64_t n) {
  const T q = form.alpha;
  const T of_label =
      static_cast<T>(sum_over(n, [&](std::int64_t j) { return p[j] * (j == label ? T(1) : T(0)); }));
  if (gradient != nullptr)
    for (std::int64_t j = 0; j < n; ++j)
      gradient[j] = -scale * std::pow(of_label, q - T(1)) * (j == label ? T(1) : T(0));
  return static_cast<double>((T(1) - std::pow(of_label, q)) / q);
}

// 1 - 2 I / (sum t + sum p + epsilon), I = sum t p; or 1 - I / (I + alpha sum t (1 - p) + beta sum p (1 - t)
// + epsilon)
template <class T>
LAMINA_HOST_DEVICE double overlap_row(const LossForm<T>& form, const T* p, const T* t, T scale, T* gradient,
                                      std::int64_t n) {
  const bool dice = form.kind == LossKind::kDice;
  const T both = static_cast<T>(sum_over(n, [&](std::int64_t j) { return t[j] * p[j]; }));
  const T epsilon = T(kClip), alpha = form.alpha, beta = form.beta;
  const T above = dice ? T(2) * both : both;
  T below;
  if (dice) {
    below = static_cast<T>(sum_over(n, [&](std::int64_t j) { return t[j]; })) +
            static_cast<T>(sum_over(n, [&](std::int64_t j) { return p[j]; })) + epsilon;
  } else {
    const double missed = sum_over(n, [&](std::int64_t j) { return (T(1) - p[j]) * t[j]; });
    const double added = sum_over(n, [&](std::int64_t j) { return p[j] * (T(1) - t[j]); });
    below = both + static_cast<T>(missed) * alpha + static_cast<T>(added) * beta + epsilon;
  }
  if (gradient != nullptr)
    for (std::int64_t j = 0; j < n; ++j) {
      const T d_above = dice ? T(2) * t[j] : t[j];
      const T d_below = dice ? T(1) : t[j] - alpha * t[j] + beta * (T(1) - t[j]);
      gradient[j] = scale * (above / below * d_below - d_above) / below;
    }
  return static_cast<double>(T(1) - above / below);
}

template <class T>
LAMINA_HOST_DEVICE double row_loss(const LossForm<T>& form, const T* p, const T* t, std::int64_t label,
                                   T scale, T* gradient, std::int64_t n) {
  switch (form.kind) {
    case LossKind::kKlDivergence:
      return kl_divergence_row(p, t, scale, gradient, n);
    case LossKind::kCosineSimilarity:
      return cosine_similarity_row(p, t, scale, gradient, n);
    case LossKind::kCategoricalHinge:
      return categorical_hinge_row(p, t, scale, gradient, n);
    case LossKind::kBinaryFocal:
      return binary_focal_row(form, p, t, scale, gradient, n);
    case LossKind::kCategoricalFocal:
      return categorical_focal_row(form, p, t, scale, gradient, n);
    case LossKind::kGeneralizedCrossentropy:
      return generalized_crossentropy_row(form, p, label, scale, gradient, n);
    default:
      return overlap_row(form, p, t, scale, gradient, n);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
