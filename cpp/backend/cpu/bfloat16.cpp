#include "backend/cpu/bfloat16.h"

#include <algorithm>

#include "backend/cpu/tiles.h"
#include "base/memory.h"
#include "kernels/select.h"

namespace lamina {

namespace {

// Weights are packed on the way into the product, since a packed copy of all of them would cost more memory
// traffic than it saves: kPanel units (or inputs) and kPanelDepth of the depth at a time, which go through
// the first cache. A tile of work is kGroup of them by kGroupRows rows, over the whole depth; its sums, and
// that depth of the other factor, stay in the second cache.
constexpr std::int64_t kPanel = 64;
constexpr std::int64_t kPanelDepth = 16 * kTileDepth;
constexpr std::int64_t kGroup = 256;
constexpr std::int64_t kGroupRows = 256;
// Of a weight's gradient, a tile of work takes so many inputs for one block of units.
constexpr std::int64_t kGradientInputs = 1024;
// And of a bias's gradient so many units, whose chains of additions run side by side.
constexpr std::int64_t kBiases = 4 * kBlockSide;

std::int64_t tiles_in(std::int64_t lines, std::int64_t depth) {
  return tiles_of(lines, kTileSide) * tiles_of(depth, kTileDepth);
}

// What a thread needs for a tile of work, kept by it: used up before the tile ends.
struct Room {
  Buffer<float> panel{tiles_in(kPanel, kPanelDepth) * kLargestTile};
  Buffer<float> sums{kGroup * kGroupRows};
};
Room& room() {
  thread_local Room kept;
  return kept;
}

// A factor packed whole.
struct Strips {
  const float* tiles;
  std::int64_t depth;  // in tiles
  std::int64_t tile_floats;

  std::int64_t strip() const { return depth * tile_floats; }
  const float* at(std::int64_t line) const { return tiles + line / kTileSide * strip(); }
};

class TileUse {  // of the thread's tile registers
 public:
  explicit TileUse(const Bfloat16Table& kernels) : kernels_(kernels) { kernels.begin(); }
  ~TileUse() { kernels_.end(); }
  TileUse(const TileUse&) = delete;
  TileUse& operator=(const TileUse&) = delete;

 private:
  const Bfloat16Table& kernels_;
};

// What is left of an activation after z is rounded.
void activate(const Bfloat16Table& k, Activation a, Matrix<float> y) {
  if (a == Activation::kLinear || a == Activation::kRelu) return;
  kernels<float>().bias_activation(a == Activation::kSigmoid ? Activation::kExp : a, y, nullptr, y);
  k.finish(y, nullptr, false, y);
  if (a == Activation::kSigmoid) k.sigmoid_of_exp(y);
}

// Packs x; a round packs so many lines of it and is one tile of the work.
struct Packing {
  ConstMatrix<float> x;
  Side side;
  Depth along;
  float* tiles;

  static constexpr std::int64_t kLines = 4 * kTileSide;

  std::int64_t lines() const { return along == Depth::kAlongRows ? x.rows : x.cols; }
  std::int64_t depth() const { return along == Depth::kAlongRows ? x.cols : x.rows; }
  std::int64_t size(const Bfloat16Table& k) const { return tiles_in(lines(), depth()) * k.tile_floats; }
  std::int64_t rounds() const { return tiles_of(lines(), kLines); }
  Strips strips(const Bfloat16Table& k) const {
    return {tiles, tiles_of(depth(), kTileDepth), k.tile_floats};
  }

  void run(const Bfloat16Table& k, std::int64_t round) const {
    const std::int64_t first = round * kLines, last = std::min(lines(), first + kLines);
    k.pack(along == Depth::kAlongRows ? x.rows_of(first, last) : x.cols_of(first, last), side, along,
           tiles + tiles_in(first, depth()) * k.tile_floats);
  }
};

void pack_all(Lease& lease, const Bfloat16Table& k, std::initializer_list<Packing> all) {
  std::int64_t rounds = 0;
  for (const Packing& one : all) rounds += one.rounds();
  lease.run(rounds, [&](std::int64_t tile) {
    for (const Packing& one : all) {
      if (tile < one.rounds()) return one.run(k, tile);
      tile -= one.rounds();
    }
  });
}

// block(first row, first column, rows, columns) for each block of a matrix.
template <class Block>
void by_blocks(std::int64_t rows, std::int64_t cols, Block&& block) {
  for (std::int64_t i = 0; i < rows; i += kBlockSide)
    for (std::int64_t j = 0; j < cols; j += kBlockSide)
      block(i, j, std::min(kBlockSide, rows - i), std::min(kBlockSide, cols - j));
}

// Asks for the lines of weights that are about to change: their rows are too far apart for the processor to
// foresee them.
void fetch(Matrix<float> w) {
  constexpr std::int64_t line = kCacheLine / sizeof(float);
  for (std::int64_t i = 0; i < w.rows; ++i)
    for (std::int64_t j = 0; j < w.cols; j += line) __builtin_prefetch(w.row(i) + j, 1, 2);
}

// out = left wT or left w; finish(sums of a block, its first row, its first column) writes that part of out.
struct Weighted {
  Strips left;
  ConstMatrix<float> w;
  Depth along;
  Matrix<float> out;

  std::int64_t row_parts() const { return tiles_of(out.rows, kGroupRows); }
  std::int64_t count() const { return tiles_of(out.cols, kGroup) * row_parts(); }

  template <class Finish>
  void run(const Bfloat16Table& k, std::int64_t tile, Finish&& finish) const {
    const std::int64_t column = tile / row_parts() * kGroup, row = tile % row_parts() * kGroupRows;
    const std::int64_t rows = std::min(kGroupRows, out.rows - row),
                       cols = std::min(kGroup, out.cols - column);
    const std::int64_t depth = along == Depth::kAlongRows ? w.cols : w.rows;
    const Room& here = room();
    // Where the sums of the block at (i, j) stand.
    const auto sums = [&](std::int64_t i, std::int64_t j) {
      return here.sums.data() + j * kGroupRows + i * kBlockSide;
    };
    const TileUse use(k);
    for (std::int64_t d = 0; d < depth; d += kPanelDepth)
      for (std::int64_t c = 0; c < cols; c += kPanel) {
        const std::int64_t wide = std::min(kPanel, cols - c), deep = std::min(kPanelDepth, depth - d);
        const std::int64_t from = column + c, tiles = tiles_of(deep, kTileDepth);
        k.pack(along == Depth::kAlongRows ? w.rows_of(from, from + wide).cols_of(d, d + deep)
                                          : w.rows_of(d, d + deep).cols_of(from, from + wide),
               Side::kRight, along, here.panel.data());
        by_blocks(rows, wide, [&](std::int64_t i, std::int64_t j, std::int64_t high, std::int64_t across) {
          const std::int64_t right_strip = tiles * k.tile_floats;
          k.product(left.at(row + i) + d / kTileDepth * k.tile_floats, left.strip(),
                    here.panel.data() + j / kTileSide * right_strip, right_strip, tiles,
                    tiles_of(high, kTileSide), tiles_of(across, kTileSide), d == 0, sums(i, c + j));
        });
      }
    by_blocks(rows, cols, [&](std::int64_t i, std::int64_t j, std::int64_t high, std::int64_t wide) {
      finish(Matrix<float>(sums(i, j), high, wide, kBlockSide), row + i, column + j);
    });
  }
};

}  // namespace

std::int64_t CpuBfloat16::dense_scratch(std::int64_t rows, std::int64_t inputs, std::int64_t units) const {
  const std::int64_t forward = tiles_in(rows, inputs);
  const std::int64_t backward = tiles_in(rows, units) + tiles_in(units, rows) + tiles_in(inputs, rows);
  return std::max(forward, backward) * kLargestTile;  // whichever instruction set will be chosen
}

void CpuBfloat16::round(Lease& lease, ConstMatrix<float> x, Matrix<float> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    bfloat16_kernels().finish(x.rows_of(first, last), nullptr, false, y.rows_of(first, last));
  });
}

void CpuBfloat16::standardise(Lease& lease, ConstMatrix<float> x, const float* mean, const float* scale,
                              const float* shift, Matrix<float> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    bfloat16_kernels().standardise(x.rows_of(first, last), mean, scale, shift, y.rows_of(first, last));
  });
}

void CpuBfloat16::dense(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, const float* b,
                        Activation a, bool fused, Matrix<float> y, float* scratch) const {
  const Bfloat16Table& k = bfloat16_kernels();
  const Packing packing{x, Side::kLeft, Depth::kAlongRows, scratch};
  pack_all(lease, k, {packing});
  const Weighted product{packing.strips(k), w, Depth::kAlongRows, y};
  const bool whole_rows = a == Activation::kSoftmax;  // which a panel need not have
  const bool at_once = b != nullptr && fused && (a == Activation::kSigmoid || a == Activation::kTanh);
  lease.run(product.count(), [&](std::int64_t tile) {
    product.run(k, tile, [&](Matrix<float> block, std::int64_t row, std::int64_t column) {
      const Matrix<float> part = y.rows_of(row, row + block.rows).cols_of(column, column + block.cols);
      float rounded_bias[kBlockSide];
      const float* bias = b != nullptr ? rounded_bias : nullptr;
      if (b != nullptr)
        k.finish({b + column, 1, part.cols, part.cols}, nullptr, false,
                 {rounded_bias, 1, part.cols, part.cols});
      if (at_once) {
        kernels<float>().bias_activation(a, block, bias, block);
        return k.finish(block, nullptr, false, part);
      }
      if (b != nullptr && !fused) k.finish(block, nullptr, false, block);
      k.finish(block, bias, a == Activation::kRelu, part);
      if (!whole_rows) activate(k, a, part);
    });
  });
  if (whole_rows)
    by_rows(lease, y.rows, y.cols,
            [&](std::int64_t first, std::int64_t last) { activate(k, a, y.rows_of(first, last)); });
}

void CpuBfloat16::dense_gradient(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w,
                                 ConstMatrix<float> dz, Activation below, Matrix<float> dw, float* db,
                                 Matrix<float> dx, const Update<float>* update, float* scratch) const {
  const Bfloat16Table& k = bfloat16_kernels();
  const Packing dz_units{dz, Side::kLeft, Depth::kDownColumns, scratch};
  const Packing x_inputs{x, Side::kRight, Depth::kDownColumns, scratch += dz_units.size(k)};
  // Without dx its factor has no lines.
  const Packing dz_rows{dx ? dz : dz.rows_of(0, 0), Side::kLeft, Depth::kAlongRows,
                        scratch + x_inputs.size(k)};
  pack_all(lease, k, {dz_units, x_inputs, dz_rows});

  // First: dx is that of the weights before their step.
  const Weighted product{dz_rows.strips(k), w, Depth::kDownColumns, dx};
  if (dx)
    lease.run(product.count(), [&](std::int64_t tile) {
      product.run(k, tile, [&](Matrix<float> block, std::int64_t row, std::int64_t column) {
        const auto part = [&](auto m) {
          return m.rows_of(row, row + block.rows).cols_of(column, column + block.cols);
        };
        k.activation_gradient(below, below != Activation::kLinear ? part(x) : block, block, part(dx));
      });
    });

  const bool at_once = update != nullptr && update->is_plain_sgd();
  const std::int64_t parts = tiles_of(dw.cols, kGradientInputs);
  lease.run(tiles_of(dw.rows, kBlockSide) * parts, [&](std::int64_t tile) {
    const std::int64_t unit = tile / parts * kBlockSide, input = tile % parts * kGradientInputs;
    const std::int64_t unit_end = std::min(dw.rows, unit + kBlockSide);
    const Strips left = dz_units.strips(k), right = x_inputs.strips(k);
    const Matrix<float> part =
        dw.rows_of(unit, unit_end).cols_of(input, std::min(dw.cols, input + kGradientInputs));
    alignas(64) float sums[kBlockSide * kBlockSide];
    {
      const TileUse use(k);
      by_blocks(part.rows, part.cols,
                [&](std::int64_t i, std::int64_t j, std::int64_t high, std::int64_t wide) {
                  const Matrix<float> place = part.rows_of(i, i + high).cols_of(j, j + wide);
                  const Matrix<float> weights(at_once ? update->weight_of(place.data) : nullptr, high, wide,
                                              place.stride);
                  if (at_once) fetch(weights);
                  k.product(left.at(unit + i), left.strip(), right.at(input + j), right.strip(), left.depth,
                            tiles_of(high, kTileSide), tiles_of(wide, kTileSide), true, sums);
                  const Matrix<float> block(sums, high, wide, kBlockSide);
                  if (at_once)
                    k.step(block, update->form.lr, weights);
                  else
                    k.finish(block, nullptr, false, place);
                });
    }
    if (update != nullptr && !at_once)
      for (std::int64_t u = 0; u < part.rows; ++u) kernels<float>().update(*update, part.row(u), part.cols);
    if (db == nullptr || input > 0 || unit % kBiases > 0) return;
    const std::int64_t biases = std::min(kBiases, dw.rows - unit);
    k.column_sums(dz.cols_of(unit, unit + biases), db + unit);
    if (update != nullptr) kernels<float>().update(*update, db + unit, biases);
  });
}

void CpuBfloat16::activation(Lease& lease, Activation a, ConstMatrix<float> x, Matrix<float> y) const {
  const Bfloat16Table& k = bfloat16_kernels();
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    const Matrix<float> part = y.rows_of(first, last);
    k.finish(x.rows_of(first, last), nullptr, a == Activation::kRelu, part);
    activate(k, a, part);
  });
}

void CpuBfloat16::activation_gradient(Lease& lease, Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                                      Matrix<float> dx) const {
  by_rows(lease, y.rows, y.cols, [&](std::int64_t first, std::int64_t last) {
    bfloat16_kernels().activation_gradient(a, y.rows_of(first, last), dy.rows_of(first, last),
                                           dx.rows_of(first, last));
  });
}

void CpuBfloat16::nonlinearity(Lease& lease, const Nonlinearity<float>& f, ConstMatrix<float> x,
                               Matrix<float> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    bfloat16_kernels().nonlinearity(f, x.rows_of(first, last), y.rows_of(first, last));
  });
}

void CpuBfloat16::nonlinearity_gradient(Lease& lease, const Nonlinearity<float>& f, ConstMatrix<float> x,
                                        ConstMatrix<float> y, ConstMatrix<float> dy, Matrix<float> dx) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    bfloat16_kernels().nonlinearity_gradient(f, x.rows_of(first, last), y.rows_of(first, last),
                                             dy.rows_of(first, last), dx.rows_of(first, last));
  });
}

}  // namespace lamina
