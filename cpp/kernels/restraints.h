// Penalties on numbers that should be small, and constraints that weights are brought back to. Included only
// by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/arguments.h"
#include "kernels/columns.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// rows[i] = l1 sum |x| + l2 sum x^2 over row i;  gradient += scale (l1 sign(x) + 2 l2 x), with sign(0) = 0 as
// in TensorFlow. What has no factor is not computed: 0 times infinity is NaN.
template <class T>
void penalty(const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows, Matrix<T> gradient) {
  const T l1 = form.l1, l2 = form.l2;
  const auto size_of = [](Vec<T> v) { return v < T(0) ? -v : v; };
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* const row = x.row(i);
    double sum = 0;
    if (l1 != T(0))
      sum += static_cast<double>(l1) * sum_by_vectors<T>(x.cols, [&](std::int64_t j, std::int64_t n) {
               return size_of(load_up_to(row + j, n));
             });
    if (l2 != T(0))
      sum += static_cast<double>(l2) * sum_by_vectors<T>(x.cols, [&](std::int64_t j, std::int64_t n) {
               const Vec<T> v = load_up_to(row + j, n);
               return v * v;
             });
    rows[i] = static_cast<T>(sum);
    if (!gradient) continue;
    const T slope1 = scale * l1, slope2 = scale * T(2) * l2;
    T* const out = gradient.row(i);
    if (l1 != T(0))
      map<T>(
          x.cols, out,
          [&](Vec<T> g, Vec<T> v) {
            const Vec<T> up = splat(slope1);
            return g + (v > T(0) ? up : v < T(0) ? -up : v * slope1);
          },
          out, row);
    if (l2 != T(0)) map<T>(x.cols, out, [&](Vec<T> g, Vec<T> v) { return g + v * slope2; }, out, row);
  }
}

// What numbers whose squares add up to this are multiplied by. NaN stays NaN.
template <class T>
T factor_of(const Constraint<T>& form, T squares) {
  const T norm = std::sqrt(squares);
  if (form.kind == ConstraintKind::kUnitNorm) return T(1) / (form.epsilon + norm);
  T wanted = norm > form.max_value ? form.max_value : norm;
  wanted = wanted < form.min_value ? form.min_value : wanted;
  if (form.kind == ConstraintKind::kMinMaxNorm) wanted = form.rate * wanted + form.rest * norm;
  return wanted / (form.epsilon + norm);
}

template <class T>
T squares_of(const T* x, std::int64_t size) {
  return static_cast<T>(sum_by_vectors<T>(size, [&](std::int64_t j, std::int64_t n) {
    const Vec<T> v = load_up_to(x + j, n);
    return v * v;
  }));
}

// w brought back to where the constraint wants it; all numbers that share a norm are in w.
template <class T>
void constrain(const Constraint<T>& form, Matrix<T> w) {
  if (form.kind == ConstraintKind::kNonNegative) {
    for (std::int64_t i = 0; i < w.rows; ++i)
      map<T>(w.cols, w.row(i), [](Vec<T> v) { return v < T(0) ? Vec<T>{} : v; }, w.row(i));
  } else if (form.over == NormOver::kColumns) {
    double total[kStrip];
    for (std::int64_t c = 0; c < w.cols; c += kStrip) {
      const std::int64_t width = std::min(kStrip, w.cols - c);
      strip_sums<T>(w.rows, width, total,
                    [&](std::int64_t i, std::int64_t j) { return w.row(i)[c + j] * w.row(i)[c + j]; });
      T factor[kStrip];
      for (std::int64_t j = 0; j < width; ++j) factor[j] = factor_of(form, static_cast<T>(total[j]));
      for (std::int64_t i = 0; i < w.rows; ++i)
        for (std::int64_t j = 0; j < width; ++j) w.row(i)[c + j] *= factor[j];
    }
  } else {
    const bool all = form.over == NormOver::kAll;
    T squares = T(0);
    if (all)
      for (std::int64_t i = 0; i < w.rows; ++i) squares += squares_of(w.row(i), w.cols);
    for (std::int64_t i = 0; i < w.rows; ++i) {
      const T factor = factor_of(form, all ? squares : squares_of(w.row(i), w.cols));
      map<T>(w.cols, w.row(i), [&](Vec<T> v) { return v * factor; }, w.row(i));
    }
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
