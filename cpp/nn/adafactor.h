// Adafactor's step of one parameter: a matrix's second moments are held as the product of a row and a column
// (Shazeer and Stern, 2018).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "nn/layer.h"

namespace lamina {

template <class T>
struct AdafactorForm {
  T lr;        // of this step
  T kept;      // of the averages, beta2_t
  T epsilon1;  // added to squares
  T epsilon2;  // the least size of a weight
  T clip;      // of the step's root mean square
};

// Means over Keras's last axis are in `rows`, those over the last but one in `cols`, both null for a vector;
// v is laid out as w. dw is of no use then; sums: room for a row and a column.
template <class T>
void adafactor(const AdafactorForm<T>& f, const Parameter& p, T* dw, T* w, T* rows, T* cols, T* v,
               double* sums) {
  const auto each = [&p](auto&& g) {
    for (std::int64_t i = 0; i < p.rows; ++i)
      for (std::int64_t j = 0; j < p.cols; ++j) g(i, j, i * p.stride + j);
  };
  const double count = static_cast<double>(p.rows * p.cols);
  double size = 0;
  each([&](std::int64_t, std::int64_t, std::int64_t at) { size += double{w[at]} * double{w[at]}; });
  const T rms = std::sqrt(static_cast<T>(size / count));
  const T alpha = std::max(f.epsilon2, rms) * f.lr;

  if (p.vector) {
    each([&](std::int64_t, std::int64_t, std::int64_t at) {
      v[at] = f.kept * v[at] + (T(1) - f.kept) * (dw[at] * dw[at] + f.epsilon1);
    });
  } else {
    double* const of_row = sums;
    double* const of_col = sums + p.rows;
    std::fill_n(sums, p.rows + p.cols, 0.0);
    each([&](std::int64_t i, std::int64_t j, std::int64_t at) {
      const double square = double{dw[at] * dw[at] + f.epsilon1};
      of_row[i] += square;
      of_col[j] += square;
    });
    T* const by_row = p.transposed ? cols : rows;
    T* const by_col = p.transposed ? rows : cols;
    const auto average = [&](T* mean, const double* sum, std::int64_t length, std::int64_t over) {
      for (std::int64_t k = 0; k < length; ++k)
        mean[k] = f.kept * mean[k] + (T(1) - f.kept) * static_cast<T>(sum[k] / static_cast<double>(over));
    };
    average(by_row, of_row, p.rows, p.cols);
    average(by_col, of_col, p.cols, p.rows);
    const std::int64_t length = p.transposed ? p.cols : p.rows;
    double total = 0;
    for (std::int64_t k = 0; k < length; ++k) total += double{rows[k]};
    const T mean = static_cast<T>(total / static_cast<double>(length));
    each([&](std::int64_t i, std::int64_t j, std::int64_t at) {
      v[at] = (p.transposed ? rows[j] / mean : rows[i] / mean) * (p.transposed ? cols[i] : cols[j]);
    });
  }

  double square = 0;
  each([&](std::int64_t, std::int64_t, std::int64_t at) {
    dw[at] /= std::sqrt(v[at]);
    square += double{dw[at]} * double{dw[at]};
  });
  const T length = std::sqrt(static_cast<T>(square / count)) / f.clip;
  const T divisor = length > T(1) || length != length ? length : T(1);
  each([&](std::int64_t, std::int64_t, std::int64_t at) { w[at] -= alpha * (dw[at] / divisor); });
}

}  // namespace lamina
