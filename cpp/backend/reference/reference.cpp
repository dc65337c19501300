#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/formulas.h"
#include "backend/reference/reference.h"

namespace lamina {
namespace {

template <class T>
void softmax_row(const T* z, T* y, std::int64_t n) {
  double largest = -HUGE_VAL, sum = 0;
  for (std::int64_t j = 0; j < n; ++j) largest = z[j] > largest ? static_cast<double>(z[j]) : largest;
  for (std::int64_t j = 0; j < n; ++j) sum += std::exp(static_cast<double>(z[j]) - largest);
  for (std::int64_t j = 0; j < n; ++j)
    y[j] = static_cast<T>(std::exp(static_cast<double>(z[j]) - largest) / sum);
}

}  // namespace

template <class T>
void ReferenceBackend<T>::gather(Lease&, const Rows& rows, const std::int64_t* order, std::int64_t first,
                                 Matrix<T> out) const {
  for (std::int64_t i = 0; i < out.rows; ++i)
    read_row(rows, order != nullptr ? order[i] : first + i, out.row(i));
}

template <class T>
void ReferenceBackend<T>::gather_labels(Lease&, const Rows& rows, const std::int64_t* order,
                                        std::int64_t first, const LabelRange& range,
                                        Matrix<std::int64_t> out) const {
  std::vector<double> row(static_cast<std::size_t>(out.cols));
  for (std::int64_t i = 0; i < out.rows; ++i) {
    read_row(rows, order != nullptr ? order[i] : first + i, row.data());
    for (std::int64_t j = 0; j < out.cols; ++j) out.row(i)[j] = range.held(row[static_cast<std::size_t>(j)]);
  }
}

template <class T>
void ReferenceBackend<T>::dense(Lease& lease, const Input<T>& input, ConstMatrix<T> w, const T* b,
                                Activation a, Matrix<T> y) const {
  const ConstMatrix<T> x = input.matrix;
  for (std::int64_t i = 0; i < y.rows; ++i)
    for (std::int64_t j = 0; j < y.cols; ++j) {
      double z = 0;
      for (std::int64_t k = 0; k < x.cols; ++k) z += double{x.row(i)[k]} * double{w.row(j)[k]};
      y.row(i)[j] = static_cast<T>(b != nullptr ? z + double{b[j]} : z);
    }
  activation(lease, a, y, y);
}

template <class T>
void ReferenceBackend<T>::dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w,
                                               Activation a, const Input<T>& y, Matrix<T> dx) const {
  for (std::int64_t i = 0; i < dx.rows; ++i)
    for (std::int64_t k = 0; k < dx.cols; ++k) {
      double sum = 0;
      for (std::int64_t j = 0; j < dz.cols; ++j) sum += double{dz.row(i)[j]} * double{w.row(j)[k]};
      dx.row(i)[k] = static_cast<T>(sum);
    }
  if (a != Activation::kLinear) activation_gradient(lease, a, y.matrix, dx, dx);
}

template <class T>
void ReferenceBackend<T>::dense_weight_gradient(Lease& lease, const Input<T>& input, ConstMatrix<T> dz,
                                                Matrix<T> dw, T* db, const Update<T>* update) const {
  const ConstMatrix<T> x = input.matrix;
  for (std::int64_t j = 0; j < dz.cols; ++j) {
    for (std::int64_t k = 0; k < x.cols; ++k) {
      double sum = 0;
      for (std::int64_t i = 0; i < x.rows; ++i) sum += double{dz.row(i)[j]} * double{x.row(i)[k]};
      dw.row(j)[k] = static_cast<T>(sum);
    }
    double sum = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) sum += double{dz.row(i)[j]};
    if (db != nullptr) db[j] = static_cast<T>(sum);
  }
  if (update == nullptr) return;
  for (std::int64_t j = 0; j < dw.rows; ++j) this->update(lease, *update, dw.row(j), dw.cols);
  if (db != nullptr) this->update(lease, *update, db, dz.cols);
}

template <class T>
void ReferenceBackend<T>::activation(Lease&, Activation a, ConstMatrix<T> x, Matrix<T> y) const {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (a == Activation::kSoftmax)
      softmax_row(x.row(i), y.row(i), x.cols);
    else
      for (std::int64_t j = 0; j < x.cols; ++j)
        y.row(i)[j] = static_cast<T>(formulas::activated(a, double{x.row(i)[j]}));
  }
}

template <class T>
void ReferenceBackend<T>::activation_gradient(Lease&, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                                              Matrix<T> dx) const {
  for (std::int64_t i = 0; i < y.rows; ++i) {
    double dot = 0;
    for (std::int64_t j = 0; j < y.cols; ++j) dot += double{y.row(i)[j]} * double{dy.row(i)[j]};
    for (std::int64_t j = 0; j < y.cols; ++j) {
      const double v = double{y.row(i)[j]}, d = double{dy.row(i)[j]};
      dx.row(i)[j] = static_cast<T>(a == Activation::kSoftmax ? v * (d - dot)
                                                              : d * formulas::derivative_from_output(a, v));
    }
  }
}

template <class T>
void ReferenceBackend<T>::batch_norm(Lease&, ConstMatrix<T> x, const BatchNormValues<T>& v, T epsilon,
                                     bool training, Matrix<T> y) const {
  for (std::int64_t j = 0; j < x.cols; ++j) {
    if (training) {
      double sum = 0, squares = 0;
      for (std::int64_t i = 0; i < x.rows; ++i) sum += double{x.row(i)[j]};
      const double mean = sum / static_cast<double>(x.rows);
      for (std::int64_t i = 0; i < x.rows; ++i)
        squares += (double{x.row(i)[j]} - mean) * (double{x.row(i)[j]} - mean);
      v.mean[j] = static_cast<T>(mean);
      v.variance[j] = static_cast<T>(squares / static_cast<double>(x.rows));
    }
    const double inverse = 1 / std::sqrt(double{v.variance[j]} + double{epsilon});
    v.inverse[j] = static_cast<T>(inverse);
    for (std::int64_t i = 0; y && i < x.rows; ++i) {
      const double xhat = (double{x.row(i)[j]} - double{v.mean[j]}) * inverse;
      y.row(i)[j] = static_cast<T>((v.gamma != nullptr ? double{v.gamma[j]} : 1) * xhat +
                                   (v.beta != nullptr ? double{v.beta[j]} : 0));
    }
  }
}

template <class T>
void ReferenceBackend<T>::batch_norm_gradient(Lease&, ConstMatrix<T> x, ConstMatrix<T> dy,
                                              const BatchNormValues<T>& v, T* dgamma, T* dbeta,
                                              Matrix<T> dx) const {
  const double n = static_cast<double>(x.rows);
  for (std::int64_t j = 0; j < x.cols; ++j) {
    const auto xhat = [&](std::int64_t i) {
      return (double{x.row(i)[j]} - double{v.mean[j]}) * double{v.inverse[j]};
    };
    double sum = 0, sum_xhat = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) {
      sum += double{dy.row(i)[j]};
      sum_xhat += double{dy.row(i)[j]} * xhat(i);
    }
    dbeta[j] = static_cast<T>(sum);
    dgamma[j] = static_cast<T>(sum_xhat);
    const double scale = (v.gamma != nullptr ? double{v.gamma[j]} : 1) * double{v.inverse[j]};
    for (std::int64_t i = 0; i < x.rows; ++i)
      dx.row(i)[j] = static_cast<T>(scale * (double{dy.row(i)[j]} - sum / n - xhat(i) * sum_xhat / n));
  }
}

template <class T>
void ReferenceBackend<T>::renorm(Lease&, const Renorm<T>& form, const RenormValues<T>& v,
                                 std::int64_t channels) const {
  const auto cut = [](double x, double low, double high) { return x < low ? low : x > high ? high : x; };
  const double epsilon{form.epsilon};
  for (std::int64_t j = 0; j < channels; ++j) {
    const double deviation = std::sqrt(double{v.variance[j]} + epsilon);
    const double moving = cut(double{v.moving_deviation[j]}, std::sqrt(epsilon), HUGE_VAL);
    const double r = cut(deviation / moving, double{form.rmin}, double{form.rmax});
    const double d =
        cut((double{v.mean[j]} - double{v.moving_mean[j]}) / moving, -double{form.dmax}, double{form.dmax});
    const double gamma = v.gamma != nullptr ? double{v.gamma[j]} : 1;
    v.deviation[j] = static_cast<T>(deviation);
    v.r[j] = static_cast<T>(r);
    v.d[j] = static_cast<T>(d);
    v.scale[j] = static_cast<T>(r * gamma);
    v.shift[j] = static_cast<T>(d * gamma + (v.beta != nullptr ? double{v.beta[j]} : 0));
  }
}

template <class T>
void ReferenceBackend<T>::dropout_mask(Lease&, const RandomStream& stream, double rate,
                                       Matrix<T> mask) const {
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    const std::uint32_t word =
        stream.block(static_cast<std::uint64_t>(i / 4))[static_cast<std::size_t>(i % 4)];
    mask.data[i] =
        static_cast<double>(word) < std::floor(rate * 0x1p32) ? T(0) : static_cast<T>(1 / (1 - rate));
  }
}

template <class T>
void ReferenceBackend<T>::multiply(Lease&, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const {
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.cols; ++j) out.row(i)[j] = a.row(i)[j] * b.row(i)[j];
}

template <class T>
void ReferenceBackend<T>::rescale(Lease&, const Rescale<T>& rescale, ConstMatrix<T> x, Matrix<T> y) const {
  for (std::int64_t i = 0; i < x.size(); ++i)
    y.data[i] = static_cast<T>(double{x.data[i]} * double{rescale.scale} + double{rescale.shift});
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace lamina
