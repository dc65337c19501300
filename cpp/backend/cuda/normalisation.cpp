// Normalizations, of columns (batches) and of rows (samples), and what is done to numbers around them.
#include <cmath>

#include "backend/cuda/cuda.h"
#include "backend/cuda/sums.h"
#include "backend/formulas.h"

namespace lamina {
namespace {

using cuda::Block;
using cuda::Pair;

// A row's mean and factor, then the row; see kernels/row_normalisation.h for the formulas.
template <class T>
struct Normalise {
  NormalisationForm<T> form;
  ConstMatrix<T> x;
  NormalisationValues<T> v;
  Matrix<T> y;

  LAMINA_DEVICE void operator()(const Block& block) const {
    const std::int64_t i = block.index;
    const T* const row = x.row(i);
    const double n = static_cast<double>(x.cols);
    const bool centred = form.kind == Normalisation::kStandard || form.kind == Normalisation::kDeviation;
    double mean = 0;
    if (centred)
      mean = cuda::over_range<double>(block, x.cols, [&](std::int64_t j) { return double(row[j]); }) / n;
    const double squares = cuda::over_range<double>(
        block, x.cols, [&](std::int64_t j) { return (double(row[j]) - mean) * (double(row[j]) - mean); });
    T kept = static_cast<T>(mean), inverse;
    if (form.kind == Normalisation::kUnit) {
      kept = T(1) / std::sqrt(static_cast<T>(squares));
      inverse = T(1) / form.epsilon < kept ? T(1) / form.epsilon : kept;
    } else {
      inverse = T(1) / std::sqrt(static_cast<T>(squares / n) + form.epsilon);
    }
    const T centre = form.kind == Normalisation::kDeviation ? T(0) : static_cast<T>(mean);
    block.each_thread([&](int t) {
      if (t == 0) {
        v.mean[i] = kept;
        v.inverse[i] = inverse;
      }
      for (std::int64_t j = t; j < x.cols; j += block.threads) {
        const std::int64_t at = i % form.period * x.cols + j;
        T value = (row[j] - centre) * inverse;
        if (v.gamma != nullptr) value *= v.gamma[at];
        y.row(i)[j] = v.beta != nullptr ? value + v.beta[at] : value;
      }
    });
  }
};

template <class T>
struct NormaliseGradient {
  NormalisationForm<T> form;
  ConstMatrix<T> x, dy;
  NormalisationValues<T> v;
  Matrix<T> dx;

  LAMINA_DEVICE void operator()(const Block& block) const {
    const std::int64_t i = block.index;
    const bool unit = form.kind == Normalisation::kUnit;
    const T kept = v.mean[i], inverse = v.inverse[i], n = static_cast<T>(x.cols);
    const T* const row = x.row(i);
    const T* const up = dy.row(i);
    const T* const gamma = v.gamma != nullptr ? v.gamma + i % form.period * x.cols : nullptr;
    const auto g = [&](std::int64_t j) { return gamma != nullptr ? up[j] * gamma[j] : up[j]; };
    const T centre = form.kind == Normalisation::kDeviation ? T(0) : kept;  // of what gamma was applied to
    const Pair sums = cuda::over_range<Pair>(block, x.cols, [&](std::int64_t j) {
      return Pair{double(g(j)), double(g(j) * (unit ? row[j] : (row[j] - centre) * inverse))};
    });
    const T pull = static_cast<T>(kept > inverse ? 0.0 : sums.b) * (kept * kept * kept);
    const T mean_g = form.kind == Normalisation::kStandard ? static_cast<T>(sums.a) / n : T(0);
    const T mean_g_y = static_cast<T>(sums.b) / n;
    block.each_thread([&](int t) {
      for (std::int64_t j = t; j < x.cols; j += block.threads)
        dx.row(i)[j] = unit ? g(j) * inverse - row[j] * pull
                            : inverse * (g(j) - mean_g - (row[j] - kept) * inverse * mean_g_y);
    });
  }
};

}  // namespace

template <class T>
void CudaBackend<T>::batch_norm(Lease&, ConstMatrix<T> x, const BatchNormValues<T>& given, T epsilon,
                                bool training, Matrix<T> y) const {
  const BatchNormValues<T> v = given;
  device_.check(x.data, y.data, v.gamma, v.beta, v.mean, v.variance, v.inverse, v.scale);
  const double n = static_cast<double>(x.rows);
  if (training) {
    cuda::column_sums(
        device_, x.rows, x.cols,
        [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) { return Pair{double(x.row(i)[j]), 0}; },
        [=] LAMINA_DEVICE(std::int64_t j, Pair sum) { v.mean[j] = static_cast<T>(sum.a / n); });
    cuda::column_sums(
        device_, x.rows, x.cols,
        [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
          const double d = double(x.row(i)[j]) - double(v.mean[j]);
          return Pair{d * d, 0};
        },
        [=] LAMINA_DEVICE(std::int64_t j, Pair sum) { v.variance[j] = static_cast<T>(sum.a / n); });
  }
  device_.each(x.cols, [=] LAMINA_DEVICE(std::int64_t j) {
    v.inverse[j] = T(1) / std::sqrt(v.variance[j] + epsilon);
    v.scale[j] = v.gamma != nullptr ? v.gamma[j] * v.inverse[j] : v.inverse[j];
  });
  if (!y) return;
  device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / x.cols, j = k % x.cols;
    const T value = (x.row(i)[j] - v.mean[j]) * v.scale[j];
    y.row(i)[j] = v.beta != nullptr ? value + v.beta[j] : value;
  });
}

template <class T>
void CudaBackend<T>::batch_norm_gradient(Lease&, ConstMatrix<T> x, ConstMatrix<T> dy,
                                         const BatchNormValues<T>& given, T* dgamma, T* dbeta,
                                         Matrix<T> dx) const {
  const BatchNormValues<T> v = given;
  device_.check(x.data, dy.data, v.gamma, v.mean, v.inverse, dgamma, dbeta, dx.data);
  cuda::column_sums(
      device_, x.rows, x.cols,
      [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
        const double d = double(dy.row(i)[j]);
        return Pair{d, d * double((x.row(i)[j] - v.mean[j]) * v.inverse[j])};
      },
      [=] LAMINA_DEVICE(std::int64_t j, Pair sum) {
        dbeta[j] = static_cast<T>(sum.a);
        dgamma[j] = static_cast<T>(sum.b);
      });
  const T n = static_cast<T>(x.rows);
  device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / x.cols, j = k % x.cols;
    const T scale = v.gamma != nullptr ? v.gamma[j] * v.inverse[j] : v.inverse[j];
    const T xhat = (x.row(i)[j] - v.mean[j]) * v.inverse[j];
    dx.row(i)[j] = scale * (dy.row(i)[j] - dbeta[j] / n - xhat * (dgamma[j] / n));
  });
}

template <class T>
void CudaBackend<T>::renorm(Lease&, const Renorm<T>& given, const RenormValues<T>& values,
                            std::int64_t channels) const {
  const Renorm<T> form = given;
  const RenormValues<T> v = values;
  device_.check(v.mean, v.variance, v.moving_mean, v.moving_deviation, v.gamma, v.beta, v.deviation, v.r, v.d,
                v.scale, v.shift);
  device_.each(channels, [=] LAMINA_DEVICE(std::int64_t j) { formulas::renormed(form, v, j); });
}

template <class T>
void CudaBackend<T>::normalise(Lease&, const NormalisationForm<T>& form, ConstMatrix<T> x,
                               const NormalisationValues<T>& v, Matrix<T> y) const {
  device_.check(x.data, v.gamma, v.beta, v.mean, v.inverse, y.data);
  cuda::each_row<Pair>(device_, x.rows, x.cols, Normalise<T>{form, x, v, y});
}

template <class T>
void CudaBackend<T>::normalise_gradient(Lease&, const NormalisationForm<T>& given, ConstMatrix<T> x,
                                        ConstMatrix<T> dy, const NormalisationValues<T>& values, T* dgamma,
                                        T* dbeta, Matrix<T> dx) const {
  const NormalisationForm<T> form = given;
  const NormalisationValues<T> v = values;
  device_.check(x.data, dy.data, v.gamma, v.mean, v.inverse, dgamma, dbeta, dx.data);
  if (dgamma != nullptr || dbeta != nullptr)
    cuda::each_sum<Pair>(
        device_, x.rows / form.period * form.repeat, form.period * x.cols / form.repeat,
        [=] LAMINA_DEVICE(std::int64_t k, std::int64_t p) {
          const std::int64_t at = p * form.repeat + k % form.repeat;
          const std::int64_t i = k / form.repeat * form.period + at / x.cols, j = at % x.cols;
          const T centre =
              form.kind == Normalisation::kDeviation || form.kind == Normalisation::kUnit ? T(0) : v.mean[i];
          const double d = double(dy.row(i)[j]);
          return Pair{d, d * double((x.row(i)[j] - centre) * v.inverse[i])};
        },
        [=] LAMINA_DEVICE(std::int64_t p, Pair sum) {
          if (dbeta != nullptr) dbeta[p] = static_cast<T>(sum.a);
          if (dgamma != nullptr) dgamma[p] = static_cast<T>(sum.b);
        });
  if (dx) cuda::each_row<Pair>(device_, x.rows, x.cols, NormaliseGradient<T>{form, x, dy, v, dx});
}

template <class T>
void CudaBackend<T>::multiply(Lease&, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const {
  device_.check(a.data, b.data, out.data);
  device_.each(a.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / a.cols, j = k % a.cols;
    out.row(i)[j] = a.row(i)[j] * b.row(i)[j];
  });
}

template <class T>
void CudaBackend<T>::rescale(Lease&, const Rescale<T>& given, ConstMatrix<T> x, Matrix<T> y) const {
  device_.check(x.data, y.data);
  const Rescale<T> rescale = given;
  device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) { y.data[k] = rescale(x.data[k]); });
}

#define LAMINA_INSTANTIATE(T)                                                                             \
  template void CudaBackend<T>::batch_norm(Lease&, ConstMatrix<T>, const BatchNormValues<T>&, T, bool,    \
                                           Matrix<T>) const;                                              \
  template void CudaBackend<T>::batch_norm_gradient(Lease&, ConstMatrix<T>, ConstMatrix<T>,               \
                                                    const BatchNormValues<T>&, T*, T*, Matrix<T>) const;  \
  template void CudaBackend<T>::renorm(Lease&, const Renorm<T>&, const RenormValues<T>&, std::int64_t)    \
      const;                                                                                              \
  template void CudaBackend<T>::normalise(Lease&, const NormalisationForm<T>&, ConstMatrix<T>,            \
                                          const NormalisationValues<T>&, Matrix<T>) const;                \
  template void CudaBackend<T>::normalise_gradient(Lease&, const NormalisationForm<T>&, ConstMatrix<T>,   \
                                                   ConstMatrix<T>, const NormalisationValues<T>&, T*, T*, \
                                                   Matrix<T>) const;                                      \
  template void CudaBackend<T>::multiply(Lease&, ConstMatrix<T>, ConstMatrix<T>, Matrix<T>) const;        \
  template void CudaBackend<T>::rescale(Lease&, const Rescale<T>&, ConstMatrix<T>, Matrix<T>) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
