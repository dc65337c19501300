#include "nn/orthogonality.h"

#include <algorithm>
#include <cmath>

namespace lamina {

template <class T>
Orthogonality<T>::Orthogonality(double factor, bool of_rows, std::int64_t rows, std::int64_t cols,
                                Memory& memory)
    : factor_(factor),
      of_rows_(of_rows),
      count_(of_rows ? rows : cols),
      size_(of_rows ? cols : rows),
      vectors_(count_ * row_stride<T>(size_), memory),
      products_(count_ * row_stride<T>(count_), memory),
      slopes_(count_ * row_stride<T>(size_), memory),
      inverse_(count_) {}

template <class T>
double Orthogonality<T>::operator()(const Pass<T>& pass, ConstMatrix<T> w, Matrix<T> dw) const {
  // The least norm is Keras's fuzz factor, and a shorter vector is divided by that.
  constexpr double kLongest = 1 / kClip;
  const auto at = [this](auto m, std::int64_t i, std::int64_t k) -> auto& {
    return of_rows_ ? m.row(i)[k] : m.row(k)[i];
  };
  const Matrix<T> v(vectors_.data(), count_, size_, row_stride<T>(size_));
  const Matrix<T> products(products_.data(), count_, count_, row_stride<T>(count_));
  pass.backend.finish();
  for (std::int64_t i = 0; i < count_; ++i) {
    double squares = 0;
    for (std::int64_t k = 0; k < size_; ++k) squares += double{at(w, i, k)} * double{at(w, i, k)};
    const double inverse = 1 / std::sqrt(squares);
    inverse_.data()[i] = inverse;
    const double factor = inverse > kLongest ? kLongest : inverse;
    for (std::int64_t k = 0; k < size_; ++k) v.row(i)[k] = static_cast<T>(double{at(w, i, k)} * factor);
  }
  pass.backend.dense(pass.lease, {v}, v, nullptr, Activation::kLinear, products);
  pass.backend.finish();
  const double pairs = static_cast<double>(count_) * (static_cast<double>(count_) - 1) / 2;
  double sum = 0;
  for (std::int64_t i = 0; i < count_; ++i) {
    products.row(i)[i] = 0;
    for (std::int64_t j = 0; j < count_; ++j) sum += std::abs(double{products.row(i)[j]});
  }
  const double value = factor_ * 0.5 * sum / pairs;
  if (!dw) return value;

  // Both of a pair's vectors get the slope of |vi vj|, which is counted twice and halved.
  const T slope = static_cast<T>(factor_ / pairs);
  for (std::int64_t i = 0; i < count_; ++i)
    for (std::int64_t j = 0; j < count_; ++j) {
      T& p = products.row(i)[j];
      p = p > T(0) ? slope : p < T(0) ? -slope : p * slope;
    }
  const Matrix<T> dv(slopes_.data(), count_, size_, row_stride<T>(size_));
  pass.backend.dense_input_gradient(pass.lease, products, v, Activation::kLinear, {}, dv);
  pass.backend.finish();
  for (std::int64_t i = 0; i < count_; ++i) {
    const double inverse = inverse_.data()[i];
    const bool held =
        inverse > kLongest;  // divided by a constant; NaN of a vector of zeros, as in TensorFlow
    double along = 0;
    for (std::int64_t k = 0; k < size_; ++k) along += double{dv.row(i)[k]} * double{at(w, i, k)};
    along *= held ? 0 : 1;
    const double back = along * inverse * inverse * inverse;
    for (std::int64_t k = 0; k < size_; ++k) {
      T& out = at(dw, i, k);
      const double direct = double{dv.row(i)[k]} * (held ? kLongest : inverse);
      out = static_cast<T>(double{out} + direct - back * double{at(w, i, k)});
    }
  }
  return value;
}

template class Orthogonality<float>;
template class Orthogonality<double>;

}  // namespace lamina
