// Activations with the bias added on the way in, and their gradients from the output. Included only by
// kernels/isa.cpp.
#pragma once

#include <algorithm>

#include "kernels/arguments.h"
#include "kernels/elementary.h"
#include "kernels/narrow.h"

namespace lamina::LAMINA_ISA {
namespace {

// sum_j e^(z_j - shift); the terms are kept where `terms`, which may be z, is not null.
template <class T>
T exp_sum(const T* z, T shift, T* terms, std::int64_t size) {
  return static_cast<T>(sum_by_vectors<T>(size, [&](std::int64_t i, std::int64_t n) {
    const Vec<T> e = exp<T>(load_up_to(z + i, n) - shift);
    if (terms != nullptr) store_up_to(terms + i, e, n);
    return e;
  }));
}

// y_j = e^(z_j - max z) / sum_k e^(z_k - max z), z = x + bias.
template <class T>
void softmax_row(const T* x, const T* bias, T* y, std::int64_t n) {
  if (bias != nullptr)
    map<T>(
        n, y, [](Vec<T> a, Vec<T> b) { return a + b; }, x, bias);
  else
    std::copy(x, x + n, y);
  const T sum = exp_sum(y, largest_of(y, n), y, n);
  map<T>(
      n, y, [sum](Vec<T> e) { return e / sum; }, y);
}

// y = f(x + bias). Narrow rows that lie one behind the other go together, so that vectors are full: the bias
// is repeated as far as a vector reaches beyond a row.
template <class T, class F>
void map_rows(ConstMatrix<T> x, const T* bias, Matrix<T> y, F&& f) {
  constexpr std::int64_t narrow = 4 * kLanes<T>;
  const bool together = x.contiguous() && y.contiguous();
  if (bias == nullptr && together) return map<T>(x.size(), y.data, f, x.data);
  if (bias != nullptr && together && x.cols < narrow) {
    T repeated[narrow + kLanes<T>];
    for (std::int64_t j = 0; j < x.cols + kLanes<T>; ++j) repeated[j] = bias[j % x.cols];
    for (std::int64_t i = 0, column = 0; i < x.size(); i += kLanes<T>) {
      const std::int64_t n = std::min(kLanes<T>, x.size() - i);
      store_up_to(y.data + i, f(load_up_to(x.data + i, n) + load(repeated + column)), n);
      column = (column + kLanes<T>) % x.cols;
    }
    return;
  }
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (bias == nullptr)
      map<T>(x.cols, y.row(i), f, x.row(i));
    else
      map<T>(
          x.cols, y.row(i), [&](Vec<T> a, Vec<T> b) { return f(a + b); }, x.row(i), bias);
  }
}

// use(f) with f the activation on a vector; softmax, which needs whole rows, counts as linear.
template <class T, class Use>
void with_activation(Activation a, Use&& use) {
  switch (a) {
    case Activation::kLinear:
    case Activation::kSoftmax:
      return use([](Vec<T> z) { return z; });
    case Activation::kRelu:  // NaN is not below 0, so it stays
      return use([](Vec<T> z) { return z < T(0) ? Vec<T>{} : z; });
    case Activation::kSigmoid:
      return use([](Vec<T> z) { return sigmoid<T>(z); });
    case Activation::kTanh:
      return use([](Vec<T> z) { return tanh<T>(z); });
    case Activation::kExp:
      return use([](Vec<T> z) { return exp<T>(z); });
  }
}

template <class T>
void bias_activation(Activation a, ConstMatrix<T> x, const T* bias, Matrix<T> y) {
  if (a == Activation::kSoftmax && bias == nullptr && x.cols <= kNarrow)
    narrow_softmax<T>(x, y);
  else if (a == Activation::kSoftmax)
    for (std::int64_t i = 0; i < x.rows; ++i) softmax_row(x.row(i), bias, y.row(i), x.cols);
  else
    with_activation<T>(a, [&](auto f) { map_rows<T>(x, bias, y, f); });
}

// dx_j = y_j (dy_j - sum_k y_k dy_k)
template <class T>
void softmax_gradient_row(const T* y, const T* dy, T* dx, std::int64_t size) {
  const T dot = static_cast<T>(sum_by_vectors<T>(
      size, [&](std::int64_t i, std::int64_t n) { return load_up_to(y + i, n) * load_up_to(dy + i, n); }));
  map<T>(
      size, dx, [dot](Vec<T> v, Vec<T> d) { return v * (d - dot); }, y, dy);
}

template <class T, class F>
void map_gradient_rows(ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx, F&& f) {
  if (y.contiguous() && dy.contiguous() && dx.contiguous())
    return map<T>(y.size(), dx.data, f, y.data, dy.data);
  for (std::int64_t i = 0; i < y.rows; ++i) map<T>(y.cols, dx.row(i), f, y.row(i), dy.row(i));
}

template <class T>
void activation_gradient(Activation a, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx) {
  switch (a) {
    case Activation::kLinear:
      return map_gradient_rows<T>(y, dy, dx, [](Vec<T>, Vec<T> d) { return d; });
    case Activation::kRelu:
      // times 0, not replaced by 0: a NaN in dy stays
      return map_gradient_rows<T>(y, dy, dx,
                                  [](Vec<T> v, Vec<T> d) { return d * (v > T(0) ? splat(T(1)) : Vec<T>{}); });
    case Activation::kSigmoid:
      return map_gradient_rows<T>(y, dy, dx, [](Vec<T> v, Vec<T> d) { return d * v * (T(1) - v); });
    case Activation::kTanh:
      return map_gradient_rows<T>(y, dy, dx, [](Vec<T> v, Vec<T> d) { return d * (T(1) - v * v); });
    case Activation::kExp:
      return map_gradient_rows<T>(y, dy, dx, [](Vec<T> v, Vec<T> d) { return d * v; });
    case Activation::kSoftmax:
      for (std::int64_t i = 0; i < y.rows; ++i) softmax_gradient_row(y.row(i), dy.row(i), dx.row(i), y.cols);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
