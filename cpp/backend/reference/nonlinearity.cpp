// Activations whose slope needs the input, as their formulas say. What NaN and infinities become follows from
// where the gradient is chosen and where multiplied; the reasons stand in kernels/nonlinear.h.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "backend/formulas.h"
#include "backend/reference/reference.h"

namespace lamina {
namespace {

using namespace formulas;
using Form = Nonlinearity<double>;
using enum NonlinearKind;

// Keras's threshold of sparsemax and the slope of it along each value, into `slopes`; see
// kernels/nonlinear_rows.h. Sums in T: they decide what belongs to the support.
template <class T>
T sparsemax_threshold(const T* x, std::vector<double>& slopes) {
  std::vector<std::size_t> order(slopes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [x](std::size_t i, std::size_t j) {
    return std::isnan(x[j]) ? false : std::isnan(x[i]) || x[i] > x[j];
  });
  std::fill(slopes.begin(), slopes.end(), 0.0);
  T sum = 0, sums = 0, count = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    sum += x[order[k]];
    if (!(x[order[k]] - (sum - T(1)) / static_cast<T>(k + 1) > T(0))) continue;
    count += T(1);
    sums += sum;
    for (std::size_t before = 0; before <= k; ++before) slopes[order[before]] += 1;
  }
  for (double& slope : slopes) slope = count == T(0) ? 0 : slope / double{count};
  return (sums - T(1)) / count;
}

template <class T>
void row_value(const Nonlinearity<T>& f, const T* x, T* y, std::int64_t n) {
  if (f.kind == kGlu) {
    for (std::int64_t j = 0; j < n / 2; ++j)
      y[j] = static_cast<T>(double{x[j]} * sigmoid(double{x[n / 2 + j]}));
    return;
  }
  if (f.kind == kSparsemax) {
    std::vector<double> slopes(static_cast<std::size_t>(n));
    const T threshold = sparsemax_threshold(x, slopes);
    for (std::int64_t j = 0; j < n; ++j) y[j] = static_cast<T>(positive(double{x[j]} - double{threshold}));
    return;
  }
  for (std::int64_t first = 0; first < f.inner; ++first) {
    double largest = -HUGE_VAL, sum = 0;
    for (std::int64_t j = first; j < n; j += f.inner)
      largest = double{x[j]} > largest ? double{x[j]} : largest;
    for (std::int64_t j = first; j < n; j += f.inner) sum += std::exp(double{x[j]} - largest);
    for (std::int64_t j = first; j < n; j += f.inner)
      y[j] = static_cast<T>(f.kind == kLogSoftmax ? double{x[j]} - largest - std::log(sum)
                                                  : std::exp(double{x[j]} - largest) / sum);
  }
}

template <class T>
void row_gradient(const Nonlinearity<T>& f, const T* x, const T* y, const T* dy, T* dx, std::int64_t n) {
  if (f.kind == kGlu) {
    const std::int64_t half = n / 2;
    for (std::int64_t j = 0; j < half; ++j) {
      const double s = sigmoid(double{x[half + j]}), d = double{dy[j]};
      dx[half + j] = static_cast<T>(d * double{x[j]} * s * (1 - s));
      dx[j] = static_cast<T>(d * s);
    }
    return;
  }
  if (f.kind == kSparsemax) {
    std::vector<double> slopes(static_cast<std::size_t>(n));
    const T threshold = sparsemax_threshold(x, slopes);
    const auto passed = [&](std::int64_t j) { return choose(x[j] - threshold >= T(0), double{dy[j]}); };
    double sum = 0;
    for (std::int64_t j = 0; j < n; ++j) sum += passed(j);
    for (std::int64_t j = 0; j < n; ++j) {
      const double slope = slopes[static_cast<std::size_t>(j)];
      dx[j] = static_cast<T>(slope == 0 ? passed(j) : passed(j) - slope * sum);
    }
    return;
  }
  for (std::int64_t first = 0; first < f.inner; ++first) {
    double sum = 0;
    for (std::int64_t j = first; j < n; j += f.inner)
      sum += f.kind == kLogSoftmax ? double{dy[j]} : double{y[j]} * double{dy[j]};
    for (std::int64_t j = first; j < n; j += f.inner)
      dx[j] = static_cast<T>(f.kind == kLogSoftmax ? double{dy[j]} - std::exp(double{y[j]}) * sum
                                                   : double{y[j]} * (double{dy[j]} - sum));
  }
}

template <class T>
Form in_double(const Nonlinearity<T>& f) {
  return {f.kind, double{f.a}, double{f.b}, double{f.c}, double{f.d}, nullptr, f.inner};
}

}  // namespace

template <class T>
void ReferenceBackend<T>::nonlinearity(Lease&, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                       Matrix<T> y) const {
  const Form form = in_double(f);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (f.by_rows()) {
      row_value(f, x.row(i), y.row(i), x.cols);
      continue;
    }
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const double v = double{x.row(i)[j]};
      y.row(i)[j] = static_cast<T>(f.kind == kPrelu ? positive(v) - double{f.slopes[j]} * positive(-v)
                                                    : value(form, v));
    }
  }
}

template <class T>
void ReferenceBackend<T>::nonlinearity_gradient(Lease&, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                                ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx,
                                                T* dslopes) const {
  const Form form = in_double(f);
  for (std::int64_t j = 0; dslopes != nullptr && j < x.cols; ++j) {
    double sum = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) sum -= double{dy.row(i)[j]} * positive(-double{x.row(i)[j]});
    dslopes[j] = static_cast<T>(sum);
  }
  for (std::int64_t i = 0; dx && i < x.rows; ++i) {
    if (f.by_rows()) {
      row_gradient(f, x.row(i), y.row(i), dy.row(i), dx.row(i), x.cols);
      continue;
    }
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const double v = double{x.row(i)[j]}, d = double{dy.row(i)[j]};
      dx.row(i)[j] = static_cast<T>(f.kind == kPrelu ? times(v > 0, d) + times(v < 0, d * double{f.slopes[j]})
                                                     : gradient(form, v, d));
    }
  }
}

#define LAMINA_INSTANTIATE(T)                                                                                \
  template void ReferenceBackend<T>::nonlinearity(Lease&, const Nonlinearity<T>&, ConstMatrix<T>, Matrix<T>) \
      const;                                                                                                 \
  template void ReferenceBackend<T>::nonlinearity_gradient(                                                  \
      Lease&, const Nonlinearity<T>&, ConstMatrix<T>, ConstMatrix<T>, ConstMatrix<T>, Matrix<T>, T*) const

LAMINA_INSTANTIATE(float);
LAMINA_INSTANTIATE(double);
#undef LAMINA_INSTANTIATE

}  // namespace lamina
