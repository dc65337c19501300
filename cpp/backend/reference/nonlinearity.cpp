// Activations whose slope needs the input, as their formulas say. What NaN and infinities become follows from
// where the gradient is chosen and where multiplied; the reasons stand in kernels/nonlinear.h.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "backend/reference/reference.h"

namespace lamina {
namespace {

using Form = Nonlinearity<double>;
using enum NonlinearKind;

double positive(double x) { return x < 0 ? 0 : x; }
double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
double softplus(double x) { return positive(x) + std::log1p(std::exp(-std::abs(x))); }
double choose(bool condition, double d) { return condition ? d : 0; }
double times(bool condition, double d) { return d * (condition ? 1 : 0); }
double relu6(double x) { return positive(x > 6 ? 6 : x); }

constexpr double kScale = 1.0507009873554804934193349852946;
constexpr double kScaleAlpha = 1.7580993408473768599402175208123;
constexpr double kRoot = 0.79788456080286535588;                           // sqrt(2 / pi)
constexpr double kInverseRoot2 = 0.7071067811865476f, kCubic = 0.044715f;  // float's, as in TensorFlow

double above(const Form& f, double x) { return f.c == 0 ? positive(x) : choose(x > f.c, x); }

double value(const Form& f, double x) {
  switch (f.kind) {
    case kCelu:
      return positive(x) + f.a * std::expm1((x > 0 ? 0 : x) / f.a);
    case kElu:
      return x > 0 ? x : f.a * (x < 0 ? std::expm1(x) : x);
    case kGelu:
      return 0.5 * x * std::erfc(-x * kInverseRoot2);
    case kGeluTanh:
      return 0.5 * x * (1 + std::tanh(kRoot * (x + kCubic * x * x * x)));
    case kHardShrink:
      return choose(std::abs(x) > f.a, x);
    case kHardSigmoid:
      return relu6(x + 3) / 6;
    case kHardSilu:
      return x * (relu6(x + 3) / 6);
    case kHardTanh:
      return x > 1 ? 1 : x < -1 ? -1 : x;
    case kLeakyRelu:
      return x > 0 ? x : f.a * x;
    case kLogSigmoid:
      return -softplus(-x);
    case kMish:
      return x * std::tanh(softplus(x));
    case kRelu: {
      double y = above(f, x);
      if (f.b == f.b) y = positive(y > f.b ? f.b : y);
      return f.a == 0 ? y : y - f.a * positive(f.d - x);
    }
    case kRelu6:
      return relu6(x);
    case kSelu:
      return x < 0 ? kScaleAlpha * std::expm1(x) : kScale * x;
    case kSilu:
      return x * sigmoid(x);
    case kSoftShrink:
      return x > f.a ? x - f.a : choose(x < -f.a, x + f.a);
    case kSoftplus:
      return softplus(x);
    case kSoftsign:
      return x / (1 + std::abs(x));
    case kSparsePlus:
      return x <= -1 ? 0 : x < 1 ? 0.25 * (x + 1) * (x + 1) : x;
    case kSparseSigmoid:
      return x <= -1 ? 0 : x >= 1 ? 1 : 0.5 * (x + 1);
    case kSquareplus:
      return (x + std::sqrt(x * x + f.a)) / 2;
    case kTanhShrink:
      return x - std::tanh(x);
    case kThreshold:
      return x > f.a ? x : f.b;
    default:
      return x;
  }
}

double gradient(const Form& f, double x, double d) {
  switch (f.kind) {
    case kCelu:
      return choose(x >= 0, d) + choose(x <= 0, d * std::exp((x > 0 ? 0 : x) / f.a));
    case kElu: {
      const double scaled = x > 0 || f.a == 1 ? d : f.a * d;
      return x < 0 ? scaled * std::exp(x) : scaled;
    }
    case kGelu:
      return d * (0.5 * std::erfc(-x * kInverseRoot2)) +
             d * x *
                 (std::exp(-x * kInverseRoot2 * (x * kInverseRoot2)) * 0.56418958354775628695 *
                  kInverseRoot2);
    case kGeluTanh: {
      const double t = std::tanh(kRoot * (x + kCubic * x * x * x));
      const double inside = d * 0.5 * x * (1 - t * t) * kRoot;
      return d * 0.5 * (1 + t) + inside + inside * (3 * kCubic * x * x);
    }
    case kHardShrink:
      return choose(std::abs(x) > f.a, d);
    case kHardSigmoid:
      return times(x > -3 && x < 3, d / 6);
    case kHardSilu:
      return d * (relu6(x + 3) / 6) + times(x > -3 && x < 3, d * x / 6);
    case kHardTanh:
      return choose(x >= -1 && x <= 1, d);
    case kLeakyRelu:
      return x > 0 ? d : f.a * d;
    case kLogSigmoid:
      return d * sigmoid(-x);
    case kMish: {
      const double t = std::tanh(softplus(x));
      return d * t + d * x * (1 - t * t) * sigmoid(x);
    }
    case kRelu: {
      const double z = above(f, x);
      double g = d;
      if (f.b == 6 && f.c == 0)
        g = times(z < 6, g);
      else if (f.b == f.b)
        g = choose(z >= 0 && z <= f.b, g);
      g = f.c == 0 ? times(z > 0, g) : choose(x > f.c, g);
      return f.a == 0 ? g : g + times(x < f.d, d * f.a);
    }
    case kRelu6:
      return times(x > 0 && x < 6, d);
    case kSelu:
      return d * (x < 0 ? kScaleAlpha * std::exp(x) : kScale);
    case kSilu: {
      const double s = sigmoid(x);
      return d * (s * (1 + x * (1 - s)));
    }
    case kSoftShrink:
      return choose(x > f.a || x < -f.a, d);
    case kSoftplus:
      return d * sigmoid(x);
    case kSoftsign:
      return d / ((1 + std::abs(x)) * (1 + std::abs(x)));
    case kSparsePlus:
      return choose(x > -1 && x < 1, d) * 0.5 * (x + 1) + choose(!(x < 1), d);
    case kSparseSigmoid:
      return choose(!(x <= -1 || x >= 1), 0.5 * d);
    case kSquareplus:
      return d / 2 + d / 2 / std::sqrt(x * x + f.a) * x;
    case kTanhShrink:
      return d - d * (1 - std::tanh(x) * std::tanh(x));
    case kThreshold:
      return choose(x > f.a, d);
    default:
      return d;
  }
}

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
