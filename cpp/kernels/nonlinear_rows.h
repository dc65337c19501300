// Activations over whole rows whose slope needs the input, and those of kernels/nonlinear.h row by row.
// Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/activations.h"
#include "kernels/columns.h"
#include "kernels/nonlinear.h"

namespace lamina::LAMINA_ISA {
namespace {

// Softmax over x[0], x[inner], x[2 inner] ... for each of `inner` neighbours, which lie in the lanes.
template <class T>
void strided_softmax_row(const T* x, T* y, std::int64_t n, std::int64_t inner) {
  for (std::int64_t j = 0; j < inner; j += kLanes<T>) {
    const std::int64_t lanes = std::min(kLanes<T>, inner - j);
    Vec<T> most = splat<T>(-__builtin_huge_val()), sum{};
    for (std::int64_t i = 0; i < n; ++i) {
      const Vec<T> v = load_up_to(x + i * inner + j, lanes);
      most = v > most ? v : most;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const Vec<T> e = exp<T>(load_up_to(x + i * inner + j, lanes) - most);
      sum += e;
      store_up_to(y + i * inner + j, e, lanes);
    }
    for (std::int64_t i = 0; i < n; ++i)
      store_up_to(y + i * inner + j, load_up_to(y + i * inner + j, lanes) / sum, lanes);
  }
}

template <class T>
void strided_softmax_gradient_row(const T* y, const T* dy, T* dx, std::int64_t n, std::int64_t inner) {
  for (std::int64_t j = 0; j < inner; j += kLanes<T>) {
    const std::int64_t lanes = std::min(kLanes<T>, inner - j);
    Vec<T> dot{};
    for (std::int64_t i = j; i < n * inner; i += inner)
      dot += load_up_to(y + i, lanes) * load_up_to(dy + i, lanes);
    for (std::int64_t i = j; i < n * inner; i += inner)
      store_up_to(dx + i, load_up_to(y + i, lanes) * (load_up_to(dy + i, lanes) - dot), lanes);
  }
}

// x - max x - log sum e^(x - max x)
template <class T>
void log_softmax_row(const T* x, T* y, std::int64_t n) {
  const T most = largest_of(x, n);
  const T log_sum = std::log(exp_sum<T>(x, most, nullptr, n));
  map<T>(n, y, [=](Vec<T> v) { return v - most - log_sum; }, x);
}

// dy - e^y sum dy
template <class T>
void log_softmax_gradient_row(const T* y, const T* dy, T* dx, std::int64_t n) {
  const T sum = static_cast<T>(
      sum_by_vectors<T>(n, [&](std::int64_t i, std::int64_t lanes) { return load_up_to(dy + i, lanes); }));
  map<T>(n, dx, [sum](Vec<T> v, Vec<T> d) { return d - exp<T>(v) * sum; }, y, dy);
}

// The places of x's values, from the largest to the smallest and equals in their order, as numbers of T; NaN
// counts as largest.
template <class T>
void descending(const T* x, T* order, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) order[i] = static_cast<T>(i);
  std::sort(order, order + n, [x](T i, T j) {
    const T a = x[static_cast<std::int64_t>(i)], b = x[static_cast<std::int64_t>(j)];
    const bool nan_a = a != a, nan_b = b != b;
    if (nan_a || nan_b) return nan_a && nan_b ? i < j : nan_a;
    return a > b || (a == b && i < j);
  });
}

// Keras's threshold of sparsemax. With x sorted downward, and s_k the sum of its first k values, the support
// are those k for which x_k > (s_k - 1) / k. Where Martins and Astudillo (2016) take s_k of the last of them,
// Keras takes the sum of s_k over all of them; the two agree where the support is one value.
template <class T>
struct Support {
  T threshold, count = 0;

  // each(k) for every k of the support, counted from 0.
  template <class Each>
  Support(const T* x, const T* order, std::int64_t n, Each&& each) {
    T sum = 0, sums = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const T v = x[static_cast<std::int64_t>(order[k])];
      sum += v;
      if (!(v - (sum - T(1)) / static_cast<T>(k + 1) > T(0))) continue;
      count += T(1);
      sums += sum;
      each(k);
    }
    threshold = (sums - T(1)) / count;
  }
};

template <class T>
void sparsemax_row(const T* x, T* y, std::int64_t n, T* order) {
  descending(x, order, n);
  const Support<T> support(x, order, n, [](std::int64_t) {});
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = x[i] - support.threshold;
    y[i] = v < T(0) ? T(0) : v;
  }
}

// d threshold / d x is (how many of the support do not come before it) / count.
template <class T>
void sparsemax_gradient_row(const T* x, const T* dy, T* dx, std::int64_t n, T* order) {
  descending(x, order, n);
  const Support<T> support(x, order, n, [](std::int64_t) {});
  T sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    dx[i] = x[i] - support.threshold >= T(0) ? dy[i] : T(0);
    sum += dx[i];
  }
  std::int64_t place = 0;
  T left = support.count;
  Support<T>(x, order, n, [&](std::int64_t k) {
    for (; place <= k; ++place) dx[static_cast<std::int64_t>(order[place])] -= left / support.count * sum;
    left -= T(1);
  });
}

// a sigmoid(b), a the first half of a row and b the second (Dauphin et al., 2017).
template <class T>
void glu_row(const T* x, T* y, std::int64_t n) {
  map<T>(n, y, [](Vec<T> a, Vec<T> b) { return a * sigmoid<T>(b); }, x, x + n);
}

template <class T>
void glu_gradient_row(const T* x, const T* dy, T* dx, std::int64_t n) {
  map<T>(n, dx, [](Vec<T> b, Vec<T> d) { return d * sigmoid<T>(b); }, x + n, dy);
  map<T>(
      n, dx + n,
      [](Vec<T> a, Vec<T> b, Vec<T> d) {
        const Vec<T> s = sigmoid<T>(b);
        return d * a * s * (T(1) - s);
      },
      x, x + n, dy);
}

// max(x, 0) - slope max(-x, 0), a slope for each column (He et al., 2015).
template <class T>
Vec<T> prelu(Vec<T> x, Vec<T> slope) {
  return positive<T>(x) - slope * positive<T>(-x);
}

// y = f(x); scratch: a row of x's width, for sparsemax
template <class T>
void nonlinearity(const Nonlinearity<T>& f, ConstMatrix<T> x, Matrix<T> y, T* scratch) {
  if (f.by_rows() || f.kind == NonlinearKind::kPrelu) {
    for (std::int64_t i = 0; i < x.rows; ++i) switch (f.kind) {
        case NonlinearKind::kSoftmax:
          strided_softmax_row(x.row(i), y.row(i), x.cols / f.inner, f.inner);
          break;
        case NonlinearKind::kLogSoftmax:
          log_softmax_row(x.row(i), y.row(i), x.cols);
          break;
        case NonlinearKind::kSparsemax:
          sparsemax_row(x.row(i), y.row(i), x.cols, scratch);
          break;
        case NonlinearKind::kGlu:
          glu_row(x.row(i), y.row(i), y.cols);
          break;
        default:
          map<T>(x.cols, y.row(i), [](Vec<T> v, Vec<T> s) { return prelu<T>(v, s); }, x.row(i), f.slopes);
      }
    return;
  }
  with_nonlinearity<T>(f, [&](auto g) { map_rows<T>(x, nullptr, y, [g](Vec<T> v) { return g.value(v); }); });
}

// dx = dy f'(x), y = f(x); scratch as there
template <class T>
void nonlinearity_gradient(const Nonlinearity<T>& f, ConstMatrix<T> x, ConstMatrix<T> y, ConstMatrix<T> dy,
                           Matrix<T> dx, T* scratch) {
  if (f.by_rows() || f.kind == NonlinearKind::kPrelu) {
    for (std::int64_t i = 0; i < x.rows; ++i) switch (f.kind) {
        case NonlinearKind::kSoftmax:
          strided_softmax_gradient_row(y.row(i), dy.row(i), dx.row(i), x.cols / f.inner, f.inner);
          break;
        case NonlinearKind::kLogSoftmax:
          log_softmax_gradient_row(y.row(i), dy.row(i), dx.row(i), x.cols);
          break;
        case NonlinearKind::kSparsemax:
          sparsemax_gradient_row(x.row(i), dy.row(i), dx.row(i), x.cols, scratch);
          break;
        case NonlinearKind::kGlu:
          glu_gradient_row(x.row(i), dy.row(i), dx.row(i), y.cols);
          break;
        default:
          map<T>(
              x.cols, dx.row(i),
              [](Vec<T> v, Vec<T> d, Vec<T> s) { return times<T>(v > T(0), d) + times<T>(v < T(0), d * s); },
              x.row(i), dy.row(i), f.slopes);
      }
    return;
  }
  with_nonlinearity<T>(f, [&](auto g) {
    const auto slope = [g](Vec<T> v, Vec<T> w, Vec<T> d) { return g.gradient(v, w, d); };
    if (x.contiguous() && y.contiguous() && dy.contiguous() && dx.contiguous())
      return map<T>(x.size(), dx.data, slope, x.data, y.data, dy.data);
    for (std::int64_t i = 0; i < x.rows; ++i) map<T>(x.cols, dx.row(i), slope, x.row(i), y.row(i), dy.row(i));
  });
}

// out[j] = the gradient of prelu's slope j: the sum over rows of dy min(x, 0).
template <class T>
void slope_gradient(ConstMatrix<T> x, ConstMatrix<T> dy, T* out) {
  double total[kStrip];
  for (std::int64_t c = 0; c < x.cols; c += kStrip) {
    const std::int64_t width = std::min(kStrip, x.cols - c);
    strip_sums<T>(x.rows, width, total, [&](std::int64_t i, std::int64_t j) {
      const T v = x.row(i)[c + j];
      return dy.row(i)[c + j] * (v > T(0) ? T(0) : v);
    });
    for (std::int64_t j = 0; j < width; ++j) out[c + j] = static_cast<T>(total[j]);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
