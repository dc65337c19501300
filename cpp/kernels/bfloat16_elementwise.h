// Rounding to bfloat16, and what is rounded after each of its operations, as TensorFlow's kernels for
// bfloat16 do: sigmoid is e / (1 + e), its gradient dy (y (1 - y)), tanh's dy (1 - y y), softmax's (dy - sum
// y dy) y with a sum in float. Included only by kernels/bfloat16.cpp and kernels/bfloat16_x86.cpp.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/bfloat16_table.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

typedef std::uint32_t Words __attribute__((vector_size(LAMINA_VECTOR_BYTES)));

// The upper half of a float is a bfloat16. Half a unit less one, and one more where the last kept bit is 1,
// carries into that bit just when the dropped half asks for it; infinities stay, NaN is kept apart.
inline Vec<float> rounded(Vec<float> x) {
  Words bits;
  std::memcpy(&bits, &x, sizeof bits);
  const Words up = (bits + 0x7FFFu + (bits >> 16 & 1u)) & 0xFFFF0000u;
  const Words result = x == x ? up : (bits | 0x00400000u) & 0xFFFF0000u;
  Vec<float> y;
  std::memcpy(&y, &result, sizeof y);
  return y;
}

// y = f(x...) row by row, or in one go where no row is padded. Rows are short where they are a product's
// block: what f needs is to be in registers once, not for each of them.
template <class F, class... X>
[[gnu::always_inline]] inline void map_matrix(Matrix<float> y, F&& f, X... x) {
  if (y.contiguous() && (x.contiguous() && ...)) {
    y = {y.data, 1, y.size()};
    ((x = {x.data, 1, x.size()}), ...);
  }
  constexpr std::int64_t lanes = kLanes<float>;
  const std::int64_t whole = y.cols / lanes * lanes, rest = y.cols - whole;
  for (std::int64_t i = 0; i < y.rows; ++i)
    for (std::int64_t j = 0; j < whole; j += lanes) store(y.row(i) + j, f(load(x.row(i) + j)...));
  if (rest > 0)
    for (std::int64_t i = 0; i < y.rows; ++i)
      store(y.row(i) + whole, f(load(x.row(i) + whole, rest)...), rest);
}

inline void finish(ConstMatrix<float> x, const float* bias, bool relu, Matrix<float> y) {
  const auto positive = [](Vec<float> z) { return z < 0.0f ? Vec<float>{} : z; };  // NaN stays
  if (bias == nullptr) {
    if (relu) return map_matrix(y, [&](Vec<float> z) { return positive(rounded(z)); }, x);
    return map_matrix(y, [](Vec<float> z) { return rounded(z); }, x);
  }
  const ConstMatrix<float> every_row(bias, y.rows, y.cols, 0);
  if (relu)
    return map_matrix(y, [&](Vec<float> z, Vec<float> b) { return positive(rounded(z + b)); }, x, every_row);
  map_matrix(y, [](Vec<float> z, Vec<float> b) { return rounded(z + b); }, x, every_row);
}

inline void step(ConstMatrix<float> dw, float lr, Matrix<float> w) {
  map_matrix(w, [lr](Vec<float> v, Vec<float> d) { return v - lr * rounded(d); }, ConstMatrix<float>(w), dw);
}

inline void standardise(ConstMatrix<float> x, const float* mean, const float* scale, const float* shift,
                        Matrix<float> y) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; j += kLanes<float>) {
      const std::int64_t n = std::min(kLanes<float>, x.cols - j);
      Vec<float> v = load_up_to(x.row(i) + j, n);
      if (mean != nullptr) v = rounded(v - load_up_to(mean + j, n));
      if (scale != nullptr) v = rounded(v * load_up_to(scale + j, n));
      if (shift != nullptr) v = rounded(v + load_up_to(shift + j, n));
      store_up_to(y.row(i) + j, v, n);
    }
}

// Of so many vectors of columns, n lanes of each.
template <int vectors>
void column_sums_of(ConstMatrix<float> x, std::int64_t n, float* out) {
  constexpr std::int64_t lanes = kLanes<float>;
  Vec<float> sum[vectors] = {};
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t v = 0; v < vectors; ++v) sum[v] = rounded(sum[v] + load_up_to(x.row(i) + v * lanes, n));
  for (std::int64_t v = 0; v < vectors; ++v) store_up_to(out + v * lanes, sum[v], n);
}

// A row's additions wait for those of the row before: several columns' wait together.
inline void column_sums(ConstMatrix<float> x, float* out) {
  constexpr std::int64_t lanes = kLanes<float>;
  std::int64_t j = 0;
  const auto take = [&]<int vectors>(std::integral_constant<int, vectors>) {
    for (; j + vectors * lanes <= x.cols; j += vectors * lanes)
      column_sums_of<vectors>(x.cols_of(j, x.cols), lanes, out + j);
  };
  take(std::integral_constant<int, 8>());
  take(std::integral_constant<int, 4>());
  take(std::integral_constant<int, 2>());
  take(std::integral_constant<int, 1>());
  if (j < x.cols) column_sums_of<1>(x.cols_of(j, x.cols), x.cols - j, out + j);
}

inline void sigmoid_of_exp(Matrix<float> y) {
  map_matrix(
      y,
      [](Vec<float> e) {
        const Vec<float> quotient = rounded(e / rounded(1.0f + e));
        return e > 3e38f ? splat(1.0f) : quotient;  // inf / inf where e^x is too large
      },
      ConstMatrix<float>(y));
}

inline void softmax_gradient_row_rounded(const float* y, const float* dy, float* dx, std::int64_t size) {
  const auto dot = static_cast<float>(sum_by_vectors<float>(size, [&](std::int64_t i, std::int64_t n) {
    return rounded(load_up_to(y + i, n) * rounded(load_up_to(dy + i, n)));
  }));
  const Vec<float> sum = rounded(splat(dot));
  map<float>(
      size, dx, [sum](Vec<float> v, Vec<float> d) { return rounded(rounded(rounded(d) - sum) * v); }, y, dy);
}

inline void activation_gradient_rounded(Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                                        Matrix<float> dx) {
  using V = Vec<float>;
  switch (a) {
    case Activation::kLinear:
      return map_matrix(dx, [](V d) { return rounded(d); }, dy);
    case Activation::kRelu:  // times 0, not replaced by 0: a NaN in dy stays
      return map_matrix(dx, [](V v, V d) { return rounded(d) * (v > 0.0f ? splat(1.0f) : V{}); }, y, dy);
    case Activation::kSigmoid:
      return map_matrix(
          dx, [](V v, V d) { return rounded(rounded(d) * rounded(v * rounded(1.0f - v))); }, y, dy);
    case Activation::kTanh:
      return map_matrix(
          dx, [](V v, V d) { return rounded(rounded(d) * rounded(1.0f - rounded(v * v))); }, y, dy);
    case Activation::kExp:
      return map_matrix(dx, [](V v, V d) { return rounded(rounded(d) * v); }, y, dy);
    case Activation::kSoftmax:
      for (std::int64_t i = 0; i < y.rows; ++i)
        softmax_gradient_row_rounded(y.row(i), dy.row(i), dx.row(i), y.cols);
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
