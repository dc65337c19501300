#include <algorithm>
#include <cmath>

#include "backend/reference/reference.h"

namespace lamina {

template <class T>
void ReferenceBackend<T>::normal(Lease&, const RandomStream& stream, double mean, double stddev,
                                 ConstMatrix<T> base, Matrix<T> out) const {
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const PhiloxBlock block = stream.block(static_cast<std::uint64_t>(i / 4));
    const std::size_t pair = i % 4 < 2 ? 0 : 2;
    const double u = (block[pair] + 0.5) * 0x1p-32,
                 turn = 6.2831853071795865 * (block[pair + 1] + 0.5) * 0x1p-32;
    const double z = std::sqrt(-2 * std::log(u)) * (i % 2 == 0 ? std::cos(turn) : std::sin(turn));
    out.data[i] = (base ? base.data[i] : T(0)) + static_cast<T>(mean + stddev * z);
  }
}

template <class T>
void ReferenceBackend<T>::gather_columns(Lease&, ConstMatrix<T> x, const std::int64_t* from,
                                         Matrix<T> y) const {
  for (std::int64_t i = 0; i < y.rows; ++i)
    for (std::int64_t j = 0; j < y.cols; ++j) y.row(i)[j] = x.row(i)[from[j]];
}

template <class T>
void ReferenceBackend<T>::normalise(Lease&, const NormalisationForm<T>& form, ConstMatrix<T> x,
                                    const NormalisationValues<T>& v, Matrix<T> y) const {
  const double n = static_cast<double>(x.cols);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double mean = 0, squares = 0;
    if (form.kind == Normalisation::kStandard || form.kind == Normalisation::kDeviation)
      for (std::int64_t j = 0; j < x.cols; ++j) mean += double{x.row(i)[j]} / n;
    for (std::int64_t j = 0; j < x.cols; ++j)
      squares += (double{x.row(i)[j]} - mean) * (double{x.row(i)[j]} - mean);
    double inverse = 1 / std::sqrt(squares / n + double{form.epsilon}), kept = mean;
    if (form.kind == Normalisation::kUnit) {
      kept = 1 / std::sqrt(squares);
      inverse = std::min(kept, 1 / double{form.epsilon});
    }
    v.mean[i] = static_cast<T>(kept);
    v.inverse[i] = static_cast<T>(inverse);
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const std::int64_t at = i % form.period * x.cols + j;
      const double centre = form.kind == Normalisation::kDeviation ? 0 : mean;
      const double xhat = (double{x.row(i)[j]} - centre) * inverse;
      y.row(i)[j] = static_cast<T>((v.gamma != nullptr ? double{v.gamma[at]} : 1) * xhat +
                                   (v.beta != nullptr ? double{v.beta[at]} : 0));
    }
  }
}

template <class T>
void ReferenceBackend<T>::normalise_gradient(Lease&, const NormalisationForm<T>& form, ConstMatrix<T> x,
                                             ConstMatrix<T> dy, const NormalisationValues<T>& v, T* dgamma,
                                             T* dbeta, Matrix<T> dx) const {
  const double n = static_cast<double>(x.cols);
  const bool unit = form.kind == Normalisation::kUnit;
  const auto xhat = [&](std::int64_t i, std::int64_t j) {
    return (double{x.row(i)[j]} - (unit ? 0 : double{v.mean[i]})) * double{v.inverse[i]};
  };
  const auto before_gamma = [&](std::int64_t i, std::int64_t j) {
    return form.kind == Normalisation::kDeviation ? double{x.row(i)[j]} * double{v.inverse[i]} : xhat(i, j);
  };
  for (std::int64_t p = 0; p < form.period * x.cols / form.repeat; ++p) {
    double sum = 0, sum_xhat = 0;
    for (std::int64_t i = 0; i < x.rows; ++i)
      for (std::int64_t j = 0; j < x.cols; ++j)
        if ((i % form.period * x.cols + j) / form.repeat == p) {
          sum += double{dy.row(i)[j]};
          sum_xhat += double{dy.row(i)[j]} * before_gamma(i, j);
        }
    if (dbeta != nullptr) dbeta[p] = static_cast<T>(sum);
    if (dgamma != nullptr) dgamma[p] = static_cast<T>(sum_xhat);
  }
  if (!dx) return;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto g = [&](std::int64_t j) {
      return double{dy.row(i)[j]} * (v.gamma != nullptr ? double{v.gamma[i % form.period * x.cols + j]} : 1);
    };
    const double inverse = double{v.inverse[i]}, r = double{v.mean[i]};
    double sum = 0, dot = 0;
    for (std::int64_t j = 0; j < x.cols; ++j) {
      sum += g(j);
      dot += g(j) * (unit ? double{x.row(i)[j]} : before_gamma(i, j));
    }
    if (unit && r > inverse) dot = 0;
    for (std::int64_t j = 0; j < x.cols; ++j) {
      if (unit)
        dx.row(i)[j] = static_cast<T>(g(j) * inverse - double{x.row(i)[j]} * (dot * (r * r * r)));
      else
        dx.row(i)[j] = static_cast<T>(
            inverse * (g(j) - (form.kind == Normalisation::kStandard ? sum / n : 0) - xhat(i, j) * dot / n));
    }
  }
}

// The rest of the class is instantiated in reference.cpp.
#define LAMINA_INSTANTIATE(T)                                                                                \
  template void ReferenceBackend<T>::normal(Lease&, const RandomStream&, double, double, ConstMatrix<T>,     \
                                            Matrix<T>) const;                                                \
  template void ReferenceBackend<T>::gather_columns(Lease&, ConstMatrix<T>, const std::int64_t*, Matrix<T>)  \
      const;                                                                                                 \
  template void ReferenceBackend<T>::normalise(Lease&, const NormalisationForm<T>&, ConstMatrix<T>,          \
                                               const NormalisationValues<T>&, Matrix<T>) const;              \
  template void ReferenceBackend<T>::normalise_gradient(Lease&, const NormalisationForm<T>&, ConstMatrix<T>, \
                                                        ConstMatrix<T>, const NormalisationValues<T>&, T*,   \
                                                        T*, Matrix<T>) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
