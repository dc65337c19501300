// The kernels behind mixed_bfloat16 of one instruction set. Values lie in float arrays and are rounded to
// bfloat16 (8 significant bits; to nearest, ties to even) where Keras on TensorFlow rounds: after every
// operation. Products take both factors rounded and add in float.
#pragma once

#include <cstdint>

#include "base/view.h"
#include "kernels/names.h"
#include "kernels/nonlinearity.h"

namespace lamina {

// A product's factors are packed into tiles of 16 rows (of the left one) or columns (of the right one) by 32
// of the depth, filled up with zeros. What a tile looks like is the set's own affair.
inline constexpr std::int64_t kTileSide = 16;
inline constexpr std::int64_t kTileDepth = 32;
inline constexpr std::int64_t kLargestTile = kTileSide * kTileDepth;  // in floats
inline constexpr std::int64_t kBlockSide = 2 * kTileSide;             // of what one call of `product` makes

constexpr std::int64_t tiles_of(std::int64_t n, std::int64_t side) { return (n + side - 1) / side; }

enum class Side { kLeft, kRight };
enum class Depth { kAlongRows, kDownColumns };  // where the depth runs in the matrix that is packed

struct Bfloat16Table {
  std::int64_t tile_floats;  // room that a tile takes

  // Tiles of x, the depth's tiles of one strip of 16 rows (or columns) behind one another, then the next
  // strip.
  void (*pack)(ConstMatrix<float> x, Side side, Depth depth, float* tiles);
  // block (32 x 32) = left right, or += where it does not begin; of `rows` by `cols` strips (1 or 2 each; the
  // rest of block is not written) that are `depth` tiles deep; left_strip, right_strip: floats from one strip
  // to the next. Between begin() and end() on the same thread.
  void (*product)(const float* left, std::int64_t left_strip, const float* right, std::int64_t right_strip,
                  std::int64_t depth, std::int64_t rows, std::int64_t cols, bool begins, float* block);
  void (*begin)();
  void (*end)();

  // y = x + bias (may be null) rounded, then max(., 0) if relu; y may be x.
  void (*finish)(ConstMatrix<float> x, const float* bias, bool relu, Matrix<float> y);
  // w -= lr dw, with dw rounded: plain SGD.
  void (*step)(ConstMatrix<float> dw, float lr, Matrix<float> w);
  // y = (x - mean) scale + shift, rounded after each; mean, scale and shift may be null: 0, 1 and 0.
  void (*standardise)(ConstMatrix<float> x, const float* mean, const float* scale, const float* shift,
                      Matrix<float> y);
  // out[j] = sum of column j, rounded after each row.
  void (*column_sums)(ConstMatrix<float> x, float* out);
  // y = e / (1 + e) from e = e^x, each operation rounded.
  void (*sigmoid_of_exp)(Matrix<float> y);
  // dx = dy a'(z) from the output y, with dy and each operation rounded; dx may be dy.
  void (*activation_gradient)(Activation a, ConstMatrix<float> y, ConstMatrix<float> dy, Matrix<float> dx);
  // y = f(x), and dx = dy f'(x) with dy rounded, number by number; see kernels/bfloat16_nonlinear.h.
  void (*nonlinearity)(const Nonlinearity<float>& f, ConstMatrix<float> x, Matrix<float> y);
  void (*nonlinearity_gradient)(const Nonlinearity<float>& f, ConstMatrix<float> x, ConstMatrix<float> y,
                                ConstMatrix<float> dy, Matrix<float> dx);
};

}  // namespace lamina
