// A dense layer's products in bfloat16. Small ones are by tiles of floats that are rounded as they are read:
// a product of two bfloat16 numbers is exact in float, so that each sum is one chain of additions in the
// order of the depth, rounded after each, whether or not they are fused with the products.
#include <array>

#include "backend/cuda/bfloat16.h"
#include "backend/cuda/bfloat16_number.h"
#include "backend/cuda/cublas.h"
#include "backend/cuda/sums.h"
#include "backend/formulas.h"

namespace lamina {
namespace {

using cuda::HalfFloat;
using cuda::Strided;

struct Rounding {
  Strided<float> of;
  std::int64_t row, col;
  LAMINA_DEVICE float at(std::int64_t i, std::int64_t j) const { return nearest_bfloat16(of.at(i, j)); }
};

// A matrix as a factor.
struct Operand {
  ConstMatrix<float> matrix;
  const HalfFloat* packed = nullptr;  // the same for the library, rows `stride` numbers apart; null: not
  std::int64_t stride = 0;
};

// One of them, or its transpose.
struct Factor {
  const Operand& of;
  bool transposed;

  template <class T>
  Strided<T> strided(const T* data, std::int64_t stride) const {
    return transposed ? Strided<T>{data, 1, stride} : Strided<T>{data, stride, 1};
  }
  Rounding rounding() const {
    const Strided<float> plain = strided(of.matrix.data, of.matrix.stride);
    return {plain, plain.row, plain.col};
  }
  Strided<HalfFloat> halves() const { return strided(of.packed, of.stride); }
};

struct Pack {
  ConstMatrix<float> from;
  HalfFloat* to;
  std::int64_t stride;
  LAMINA_DEVICE void operator()(const cuda::Block& block) const {
    for (std::int64_t i = block.index; i < from.rows; i += block.count)
      block.each_thread([&](int t) {
        for (std::int64_t j = t; j < from.cols; j += block.threads)
          to[i * stride + j].bits = static_cast<std::uint16_t>(bfloat16_bits(from.row(i)[j]) >> 16);
      });
  }
};

// For a product of these sizes and, since that is judged by the three of them in whatever order, for its
// gradients; null matrices are not packed.
template <std::size_t n>
std::array<Operand, n> operands(const cuda::Device& device, std::int64_t rows, std::int64_t inputs,
                                std::int64_t units, const std::array<ConstMatrix<float>, n>& matrices) {
  // Rows start on 16 bytes: so the library's fastest kernels want them.
  constexpr std::int64_t kAligned = 8, most = 1 << 16;
  const auto stride_of = [](std::int64_t cols) { return (cols + kAligned - 1) / kAligned * kAligned; };
  std::array<Operand, n> all{};
  std::int64_t size = 0;
  for (std::size_t k = 0; k < n; ++k) {
    all[k] = {matrices[k], nullptr, stride_of(matrices[k].cols)};
    if (matrices[k]) size += matrices[k].rows * all[k].stride;
  }
  if (!cuda::suits_library(rows, units, inputs) || !cuda::has_library()) return all;
  auto* to = static_cast<HalfFloat*>(device.scratch(size * std::int64_t{sizeof(HalfFloat)}));
  for (Operand& one : all) {
    if (!one.matrix) continue;
    device.launch(one.matrix.rows < most ? one.matrix.rows : most, cuda::threads_for(one.matrix.cols), 0,
                  Pack{one.matrix, to, one.stride});
    one.packed = to;
    to += one.matrix.rows * one.stride;
  }
  return all;
}

// store(i, j, sum) of every element of a product that becomes c.
template <class Store>
void multiply(const cuda::Device& device, Matrix<float> c, Factor a, Factor b, std::int64_t depth,
              const Store& store) {
  if (a.of.packed == nullptr || b.of.packed == nullptr ||
      !cuda::multiply_by_library(device, a.halves(), b.halves(), c.rows, c.cols, depth, c.data, c.stride))
    return cuda::multiply<float>(device, a.rounding(), b.rounding(), c.rows, c.cols, depth, store);
  cuda::store_all(device, c, store);
}

struct RoundedInto {
  Matrix<float> c;
  LAMINA_DEVICE void operator()(std::int64_t i, std::int64_t j, float sum) const {
    c.row(i)[j] = nearest_bfloat16(sum);
  }
};

// out[j] = sum of column j, rounded after each row. Threads bring a tile of rows into shared memory together;
// one thread to a column then adds.
struct RoundedSums {
  static constexpr int kRows = 128;
  ConstMatrix<float> x;
  float* out;
  LAMINA_DEVICE void operator()(const cuda::Block& block) const {
    float* const tile = block.shared<float>();
    const std::int64_t first = block.index * cuda::kColumns;
    cuda::PerThread<float, cuda::kThreads> sums;
    block.each_thread([&](int t) { sums[t] = 0; });
    for (std::int64_t top = 0; top < x.rows; top += kRows) {
      const int rows = static_cast<int>(x.rows - top < kRows ? x.rows - top : kRows);
      block.each_thread([&](int t) {
        const int j = t % cuda::kColumns;
        for (int i = t / cuda::kColumns; i < rows; i += cuda::kColumnParts)
          tile[i * cuda::kColumns + j] = first + j < x.cols ? x.row(top + i)[first + j] : 0.0f;
      });
      block.each_thread([&](int t) {
        if (t < cuda::kColumns)
          for (int i = 0; i < rows; ++i) sums[t] = nearest_bfloat16(sums[t] + tile[i * cuda::kColumns + t]);
      });
    }
    block.each_thread([&](int t) {
      if (t < cuda::kColumns && first + t < x.cols) out[first + t] = sums[t];
    });
  }
};

}  // namespace

void CudaBfloat16::dense(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, const float* b,
                         Activation a, bool fused, Matrix<float> y, float*) const {
  device_.check(x.data, w.data, b, y.data);
  const auto [of_x, of_w] = operands<2>(device_, x.rows, x.cols, w.rows, {x, w});
  const bool once = b != nullptr && fused && (a == Activation::kSigmoid || a == Activation::kTanh);
  multiply(device_, y, {of_x, false}, {of_w, true}, x.cols,
           [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j, float sum) {
             const float z =
                 b == nullptr ? sum : (fused ? sum : nearest_bfloat16(sum)) + nearest_bfloat16(b[j]);
             y.row(i)[j] =
                 once ? nearest_bfloat16(formulas::activated(a, z)) : cuda::activated(a, cuda::nearest(z)).v;
           });
  if (a == Activation::kSoftmax) activation(lease, a, y, y);
}

void CudaBfloat16::dense_gradient(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w,
                                  ConstMatrix<float> dz, Activation below, Matrix<float> dw, float* db,
                                  Matrix<float> dx, const Update<float>* update, float*) const {
  device_.check(x.data, w.data, dz.data, dw.data, db, dx.data);
  const auto [of_x, of_dz, of_w] =
      operands<3>(device_, x.rows, x.cols, dz.cols, {x, dz, dx ? w : ConstMatrix<float>()});
  if (dx) multiply(device_, dx, {of_dz, false}, {of_w, false}, dz.cols, RoundedInto{dx});
  if (dx && below != Activation::kLinear) activation_gradient(lease, below, x, dx, dx);
  multiply(device_, dw, {of_dz, true}, {of_x, false}, x.rows, RoundedInto{dw});
  if (db != nullptr)
    device_.launch((dz.cols + cuda::kColumns - 1) / cuda::kColumns, cuda::kThreads,
                   std::int64_t{RoundedSums::kRows * cuda::kColumns * sizeof(float)}, RoundedSums{dz, db});
  if (update == nullptr) return;
  floats_.update(lease, *update, dw.data, dw.rows * dw.stride);
  if (db != nullptr) floats_.update(lease, *update, db, dz.cols);
}

}  // namespace lamina
