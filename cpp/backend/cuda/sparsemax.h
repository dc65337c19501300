// Sparsemax of a row by one thread; what Keras computes, and why, stands in kernels/nonlinear_rows.h.
#pragma once

#include "backend/cuda/device.h"
#include "base/view.h"

namespace lamina::cuda {

// Whether x[i] comes before x[j], from the largest to the smallest and equals in their order; NaN counts as
// largest.
template <class T>
LAMINA_DEVICE bool comes_before(const T* x, std::int64_t i, std::int64_t j) {
  const T a = x[i], b = x[j];
  const bool nan_a = a != a, nan_b = b != b;
  if (nan_a || nan_b) return nan_a && nan_b ? i < j : nan_a;
  return a > b || (a == b && i < j);
}

// The values in descending order.
template <class T>
LAMINA_DEVICE void sort_down(const T* x, T* order, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t place = 0;
    for (std::int64_t j = 0; j < n; ++j) place += comes_before(x, j, i) ? 1 : 0;
    order[place] = x[i];
  }
}

template <class T>
struct Support {
  T threshold, count;
};

// each(k) for every k of the support, counted from 0.
template <class T, class Each>
LAMINA_DEVICE Support<T> support_of(const T* order, std::int64_t n, Each&& each) {
  T sum = 0, sums = 0, count = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    sum += order[k];
    if (!(order[k] - (sum - T(1)) / static_cast<T>(k + 1) > T(0))) continue;
    count += T(1);
    sums += sum;
    each(k);
  }
  return {(sums - T(1)) / count, count};
}

template <class T>
LAMINA_DEVICE void sparsemax(ConstMatrix<T> x, Matrix<T> y, T* order, std::int64_t i) {
  sort_down(x.row(i), order, x.cols);
  const Support<T> support = support_of(order, x.cols, [](std::int64_t) {});
  for (std::int64_t j = 0; j < x.cols; ++j) {
    const T v = x.row(i)[j] - support.threshold;
    y.row(i)[j] = v < T(0) ? T(0) : v;
  }
}

// d threshold / d x is (how many of the support do not come before it) / count.
template <class T>
LAMINA_DEVICE void sparsemax_gradient(ConstMatrix<T> x, ConstMatrix<T> dy, Matrix<T> dx, T* order,
                                      std::int64_t i) {
  const T* const row = x.row(i);
  sort_down(row, order, x.cols);
  const Support<T> support = support_of(order, x.cols, [](std::int64_t) {});
  T sum = 0;
  for (std::int64_t j = 0; j < x.cols; ++j) {
    dx.row(i)[j] = row[j] - support.threshold >= T(0) ? dy.row(i)[j] : T(0);
    sum += dx.row(i)[j];
  }
  for (std::int64_t j = 0; j < x.cols; ++j) {
    std::int64_t place = 0;
    for (std::int64_t k = 0; k < x.cols; ++k) place += comes_before(row, k, j) ? 1 : 0;
    T left = 0;  // of the support, those at its place and after it
    support_of(order, x.cols, [&](std::int64_t k) { left += k >= place ? T(1) : T(0); });
    if (left > T(0)) dx.row(i)[j] -= left / support.count * sum;
  }
}

}  // namespace lamina::cuda
