// Activations of both sorts: number by number, or a block to a row.
#include "backend/cuda/cuda.h"
#include "backend/cuda/sparsemax.h"
#include "backend/cuda/sums.h"
#include "backend/formulas.h"

namespace lamina {
namespace {

using cuda::Block;

// One of `inner` softmaxes of a row: over x[first], x[first + inner] ...
template <class T>
struct Softmax {
  ConstMatrix<T> x;
  Matrix<T> y;
  std::int64_t inner;
  bool logarithm;

  LAMINA_DEVICE void operator()(const Block& block) const {
    const T* const from = x.row(block.index / inner) + block.index % inner;
    T* const to = y.row(block.index / inner) + block.index % inner;
    const std::int64_t n = x.cols / inner, step = inner;
    const T largest = static_cast<T>(cuda::over_range<cuda::Largest>(block, n, [&](std::int64_t j) {
                                       return cuda::Largest{static_cast<double>(from[j * step])};
                                     }).value);
    const double sum = cuda::over_range<double>(
        block, n, [&](std::int64_t j) { return static_cast<double>(std::exp(from[j * step] - largest)); });
    const T total = static_cast<T>(sum), log_total = std::log(total);
    block.each_thread([&](int t) {
      for (std::int64_t j = t; j < n; j += block.threads)
        to[j * step] =
            logarithm ? from[j * step] - largest - log_total : std::exp(from[j * step] - largest) / total;
    });
  }
};

template <class T>
struct SoftmaxGradient {
  ConstMatrix<T> y, dy;
  Matrix<T> dx;
  std::int64_t inner;
  bool logarithm;

  LAMINA_DEVICE void operator()(const Block& block) const {
    const std::int64_t row = block.index / inner, place = block.index % inner, n = y.cols / inner;
    const T* const out = y.row(row) + place;
    const T* const up = dy.row(row) + place;
    T* const to = dx.row(row) + place;
    const std::int64_t step = inner;
    const T sum = static_cast<T>(cuda::over_range<double>(block, n, [&](std::int64_t j) {
      return static_cast<double>(logarithm ? up[j * step] : out[j * step] * up[j * step]);
    }));
    block.each_thread([&](int t) {
      for (std::int64_t j = t; j < n; j += block.threads)
        to[j * step] =
            logarithm ? up[j * step] - std::exp(out[j * step]) * sum : out[j * step] * (up[j * step] - sum);
    });
  }
};

template <class T>
void softmax(const cuda::Device& device, ConstMatrix<T> x, Matrix<T> y, std::int64_t inner, bool logarithm) {
  cuda::each_row<double>(device, x.rows * inner, x.cols / inner, Softmax<T>{x, y, inner, logarithm});
}

template <class T>
void softmax_gradient(const cuda::Device& device, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx,
                      std::int64_t inner, bool logarithm) {
  cuda::each_row<double>(device, y.rows * inner, y.cols / inner,
                         SoftmaxGradient<T>{y, dy, dx, inner, logarithm});
}

}  // namespace

template <class T>
void CudaBackend<T>::activation(Lease&, Activation a, ConstMatrix<T> x, Matrix<T> y) const {
  device_.check(x.data, y.data);
  if (a == Activation::kSoftmax) return softmax(device_, x, y, 1, false);
  device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / x.cols, j = k % x.cols;
    y.row(i)[j] = formulas::activated(a, x.row(i)[j]);
  });
}

template <class T>
void CudaBackend<T>::activation_gradient(Lease&, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                                         Matrix<T> dx) const {
  device_.check(y.data, dy.data, dx.data);
  if (a == Activation::kSoftmax) return softmax_gradient(device_, y, dy, dx, 1, false);
  device_.each(y.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / y.cols, j = k % y.cols;
    const T d = dy.row(i)[j];
    dx.row(i)[j] = a == Activation::kLinear ? d : d * formulas::derivative_from_output(a, y.row(i)[j]);
  });
}

template <class T>
void CudaBackend<T>::nonlinearity(Lease&, const Nonlinearity<T>& given, ConstMatrix<T> x, Matrix<T> y) const {
  device_.check(given.slopes, x.data, y.data);
  const Nonlinearity<T> f = given;
  switch (f.kind) {
    case NonlinearKind::kSoftmax:
    case NonlinearKind::kLogSoftmax:
      return softmax(device_, x, y, f.inner, f.kind == NonlinearKind::kLogSoftmax);
    case NonlinearKind::kSparsemax: {
      T* const order = static_cast<T*>(device_.scratch(x.size() * std::int64_t{sizeof(T)}));
      return device_.each(
          x.rows, [=] LAMINA_DEVICE(std::int64_t i) { cuda::sparsemax(x, y, order + i * x.cols, i); });
    }
    case NonlinearKind::kGlu:
      return device_.each(y.size(), [=] LAMINA_DEVICE(std::int64_t k) {
        const std::int64_t i = k / y.cols, j = k % y.cols;
        y.row(i)[j] = x.row(i)[j] * formulas::sigmoid(x.row(i)[y.cols + j]);
      });
    default:
      device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) {
        const std::int64_t i = k / x.cols, j = k % x.cols;
        const T v = x.row(i)[j];
        y.row(i)[j] = f.kind == NonlinearKind::kPrelu
                          ? formulas::positive(v) - f.slopes[j] * formulas::positive(-v)
                          : formulas::value(f, v);
      });
  }
}

template <class T>
void CudaBackend<T>::nonlinearity_gradient(Lease&, const Nonlinearity<T>& given, ConstMatrix<T> x,
                                           ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx,
                                           T* dslopes) const {
  device_.check(given.slopes, x.data, y.data, dy.data, dx.data, dslopes);
  const Nonlinearity<T> f = given;
  if (dslopes != nullptr)
    cuda::column_sums(
        device_, x.rows, x.cols,
        [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
          return cuda::Pair{-double(dy.row(i)[j] * formulas::positive(-x.row(i)[j])), 0};
        },
        [=] LAMINA_DEVICE(std::int64_t j, cuda::Pair sum) { dslopes[j] = static_cast<T>(sum.a); });
  if (!dx) return;
  switch (f.kind) {
    case NonlinearKind::kSoftmax:
    case NonlinearKind::kLogSoftmax:
      return softmax_gradient(device_, y, dy, dx, f.inner, f.kind == NonlinearKind::kLogSoftmax);
    case NonlinearKind::kSparsemax: {
      T* const order = static_cast<T*>(device_.scratch(x.size() * std::int64_t{sizeof(T)}));
      return device_.each(x.rows, [=] LAMINA_DEVICE(std::int64_t i) {
        cuda::sparsemax_gradient(x, dy, dx, order + i * x.cols, i);
      });
    }
    case NonlinearKind::kGlu:
      return device_.each(y.size(), [=] LAMINA_DEVICE(std::int64_t k) {
        const std::int64_t i = k / y.cols, j = k % y.cols, half = y.cols;
        const T s = formulas::sigmoid(x.row(i)[half + j]), d = dy.row(i)[j];
        dx.row(i)[half + j] = d * x.row(i)[j] * s * (T(1) - s);
        dx.row(i)[j] = d * s;
      });
    default:
      device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) {
        const std::int64_t i = k / x.cols, j = k % x.cols;
        const T v = x.row(i)[j], d = dy.row(i)[j];
        dx.row(i)[j] = f.kind == NonlinearKind::kPrelu
                           ? formulas::times(v > T(0), d) + formulas::times(v < T(0), d * f.slopes[j])
                           : formulas::gradient(f, v, d);
      });
  }
}

#define LAMINA_INSTANTIATE(T)                                                                           \
  template void CudaBackend<T>::activation(Lease&, Activation, ConstMatrix<T>, Matrix<T>) const;        \
  template void CudaBackend<T>::activation_gradient(Lease&, Activation, ConstMatrix<T>, ConstMatrix<T>, \
                                                    Matrix<T>) const;                                   \
  template void CudaBackend<T>::nonlinearity(Lease&, const Nonlinearity<T>&, ConstMatrix<T>, Matrix<T>) \
      const;                                                                                            \
  template void CudaBackend<T>::nonlinearity_gradient(Lease&, const Nonlinearity<T>&, ConstMatrix<T>,   \
                                                      ConstMatrix<T>, ConstMatrix<T>, Matrix<T>, T*) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
