// Rows normalised one by one: layer normalization (Ba, Kiros, Hinton, 2016), group normalization (Wu and He,
// 2018), root-mean-square normalization (Zhang and Sennrich, 2019), unit length. Included only by
// kernels/normalisation.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/normalisation_table.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
Vec<T> or_one(const T* p, std::int64_t i, std::int64_t n) {
  return p != nullptr ? load_up_to(p + i, n) : splat(T(1));
}

// f(i, n) for vectors at i = 0, kLanes ... of which n lanes count.
template <class T, class F>
void each_vector(std::int64_t size, F&& f) {
  for (std::int64_t i = 0; i < size; i += kLanes<T>) f(i, std::min(kLanes<T>, size - i));
}

template <class T>
double sum_of_squares(const T* x, T mean, std::int64_t size) {
  return sum_by_vectors<T>(size, [&](std::int64_t i, std::int64_t n) {
    const Vec<T> d = load_up_to(x + i, n) - mean;
    return d * d;
  });
}

template <class T>
void normalise(const NormalisationForm<T>& form, std::int64_t first, ConstMatrix<T> x,
               const NormalisationValues<T>& values, Matrix<T> y) {
  const double count = static_cast<double>(x.cols);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* const row = x.row(i);
    T mean = 0;
    if (form.kind == Normalisation::kStandard || form.kind == Normalisation::kDeviation)
      mean = static_cast<T>(
          sum_by_vectors<T>(x.cols, [&](std::int64_t j, std::int64_t n) { return load_up_to(row + j, n); }) /
          count);
    const double squares = sum_of_squares(row, mean, x.cols);
    T inverse, kept = mean;
    if (form.kind == Normalisation::kUnit) {
      kept = T(1) / std::sqrt(static_cast<T>(squares));
      inverse = std::min(kept, T(1) / form.epsilon);
    } else {
      inverse = T(1) / std::sqrt(static_cast<T>(squares / count) + form.epsilon);
    }
    values.mean[first + i] = kept;
    values.inverse[first + i] = inverse;
    const std::int64_t place = (first + i) % form.period * x.cols;
    const T* const gamma = values.gamma != nullptr ? values.gamma + place : nullptr;
    const T* const beta = values.beta != nullptr ? values.beta + place : nullptr;
    const T centre = form.kind == Normalisation::kDeviation ? T(0) : mean;
    each_vector<T>(x.cols, [&](std::int64_t j, std::int64_t n) {
      Vec<T> v = (load_up_to(row + j, n) - centre) * inverse * or_one(gamma, j, n);
      if (beta != nullptr) v += load_up_to(beta + j, n);
      store_up_to(y.row(i) + j, v, n);
    });
  }
}

// With g = dy gamma and xhat = (x - mean) inverse over n values of a row:
// kStandard: dx = inverse (g - sum g / n - xhat sum(g xhat) / n);
// kRootMeanSquare: dx = inverse (g - xhat sum(g xhat) / n);
// kDeviation: dx = inverse (g - xhat sum(g x inverse) / n);
// kUnit: dx = g inverse - x r^3 sum(g x), r = 1 / sqrt(sum of x^2), without the second term where r is capped
// (of a row of zeros that is 0 times infinity, NaN, as in Keras).
template <class T>
void normalise_gradient(const NormalisationForm<T>& form, std::int64_t first, ConstMatrix<T> x,
                        ConstMatrix<T> dy, const NormalisationValues<T>& values, Matrix<T> dx) {
  const double count = static_cast<double>(x.cols);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* const row = x.row(i);
    const T* const up = dy.row(i);
    const T kept = values.mean[first + i], inverse = values.inverse[first + i];
    const std::int64_t place = (first + i) % form.period * x.cols;
    const T* const gamma = values.gamma != nullptr ? values.gamma + place : nullptr;
    const auto g = [&](std::int64_t j, std::int64_t n) {
      return load_up_to(up + j, n) * or_one(gamma, j, n);
    };
    if (form.kind == Normalisation::kUnit) {
      const double dot = sum_by_vectors<T>(
          x.cols, [&](std::int64_t j, std::int64_t n) { return g(j, n) * load_up_to(row + j, n); });
      const T pull = static_cast<T>(kept > inverse ? 0.0 : dot) * (kept * kept * kept);
      each_vector<T>(x.cols, [&](std::int64_t j, std::int64_t n) {
        store_up_to(dx.row(i) + j, g(j, n) * inverse - load_up_to(row + j, n) * pull, n);
      });
      continue;
    }
    const auto xhat = [&](std::int64_t j, std::int64_t n) {
      return (load_up_to(row + j, n) - kept) * inverse;
    };
    const T centre = form.kind == Normalisation::kDeviation ? T(0) : kept;  // of what gamma was applied to
    const T mean_g =
        form.kind == Normalisation::kStandard ? static_cast<T>(sum_by_vectors<T>(x.cols, g) / count) : T(0);
    const T mean_g_y =
        static_cast<T>(sum_by_vectors<T>(x.cols,
                                         [&](std::int64_t j, std::int64_t n) {
                                           return g(j, n) * ((load_up_to(row + j, n) - centre) * inverse);
                                         }) /
                       count);
    each_vector<T>(x.cols, [&](std::int64_t j, std::int64_t n) {
      store_up_to(dx.row(i) + j, inverse * (g(j, n) - mean_g - xhat(j, n) * mean_g_y), n);
    });
  }
}

// dbeta = sum dy, dgamma = sum dy xhat (kDeviation: sum dy x inverse) over the samples, for columns
// first..first+width-1 of the samples as rows; sums of kRun rows in T, of these in double.
template <class T>
void column_products(const NormalisationForm<T>& form, ConstMatrix<T> x, ConstMatrix<T> dy,
                     const NormalisationValues<T>& values, std::int64_t first, std::int64_t width,
                     double* with_xhat, double* alone) {
  constexpr std::int64_t kRun = 64, kMost = 64;
  const std::int64_t samples = x.rows / form.period;
  std::fill(with_xhat, with_xhat + width, 0.0);
  std::fill(alone, alone + width, 0.0);
  for (std::int64_t begin = 0; begin < samples; begin += kRun) {
    T products[kMost] = {}, sums[kMost] = {};
    const std::int64_t end = std::min(samples, begin + kRun);
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j = 0; j < width;) {  // from group to group
        const std::int64_t group = (first + j) / x.cols, at = (first + j) % x.cols;
        const std::int64_t row = i * form.period + group, stop = std::min(width, j + x.cols - at);
        const T mean = form.kind == Normalisation::kDeviation ? T(0) : values.mean[row],
                inverse = values.inverse[row];
        const T* const from = x.row(row) + at - j;
        const T* const up = dy.row(row) + at - j;
        for (; j < stop; ++j) {
          sums[j] += up[j];
          products[j] += up[j] * ((from[j] - mean) * inverse);
        }
      }
    for (std::int64_t j = 0; j < width; ++j) {
      with_xhat[j] += static_cast<double>(products[j]);
      alone[j] += static_cast<double>(sums[j]);
    }
  }
}

template <class T>
void normalise_parameters(const NormalisationForm<T>& form, ConstMatrix<T> x, ConstMatrix<T> dy,
                          const NormalisationValues<T>& values, std::int64_t first, std::int64_t end,
                          T* dgamma, T* dbeta) {
  constexpr std::int64_t kMost = 64;
  double with_xhat[kMost], alone[kMost];
  if (form.repeat == 1) {
    for (; first < end; first += kMost) {
      const std::int64_t width = std::min(kMost, end - first);
      column_products(form, x, dy, values, first, width, with_xhat, alone);
      for (std::int64_t j = 0; j < width; ++j) {
        if (dgamma != nullptr) dgamma[first + j] = static_cast<T>(with_xhat[j]);
        if (dbeta != nullptr) dbeta[first + j] = static_cast<T>(alone[j]);
      }
    }
    return;
  }
  for (; first < end; ++first) {
    double gamma = 0, beta = 0;
    for (std::int64_t k = 0; k < form.repeat; k += kMost) {
      const std::int64_t width = std::min(kMost, form.repeat - k);
      column_products(form, x, dy, values, first * form.repeat + k, width, with_xhat, alone);
      for (std::int64_t j = 0; j < width; ++j) {
        gamma += with_xhat[j];
        beta += alone[j];
      }
    }
    if (dgamma != nullptr) dgamma[first] = static_cast<T>(gamma);
    if (dbeta != nullptr) dbeta[first] = static_cast<T>(beta);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
