// Products of matrices by tiles in shared memory: C[i, j] = sum over k of A[i, k] B[k, j], each sum one chain
// of multiply-adds in the order of k.
#pragma once

#include "backend/cuda/device.h"
#include "base/view.h"

namespace lamina::cuda {

// Element (i, j) at data[i * row + j * col].
template <class T>
struct Strided {
  const T* data;
  std::int64_t row, col;
  LAMINA_DEVICE T at(std::int64_t i, std::int64_t j) const { return data[i * row + j * col]; }
};

// The same with a column of ones behind it: a product then has the sums of A's rows beside it.
template <class T>
struct WithOnes {
  Strided<T> of;
  std::int64_t cols, row;
  LAMINA_DEVICE T at(std::int64_t i, std::int64_t j) const { return j < cols ? of.at(i, j) : T(1); }
};

// Tiles of kTile by kTile, of which each of kThreads threads has kEach by kEach.
template <class T, int kEach>
struct Tiling {
  static constexpr int kSide = 16;  // threads along a side
  static constexpr int kTile = kSide * kEach;
  // Small tiles go far at a time: what they wait for is memory, not arithmetic.
  static constexpr int kDepth = kEach == 1 ? 64 : 16;
  static constexpr int kPitch = kTile + 1;  // so that a column lies in all banks
  static_assert(kSide * kSide == kThreads);
  static constexpr std::int64_t shared_bytes() {
    return std::int64_t{2} * kDepth * kPitch * std::int64_t{sizeof(T)};
  }
};

// Factors are Strided or alike. store(i, j, sum) takes what is found.
template <class T, int kEach, class A, class B, class Store>
struct Product {
  using Form = Tiling<T, kEach>;
  A a;
  B b;
  std::int64_t rows, cols, depth;
  Store store;

  // A tile of k0.. of one factor: element (place, k) goes to [k][place]. Threads that are neighbours read
  // what lies together.
  template <class Read>
  LAMINA_DEVICE static void load(int t, T* tile, bool along_depth, std::int64_t first, std::int64_t end,
                                 std::int64_t k0, std::int64_t depth, Read&& read) {
    for (int e = t; e < Form::kTile * Form::kDepth; e += kThreads) {
      const int place = along_depth ? e / Form::kDepth : e % Form::kTile;
      const int k = along_depth ? e % Form::kDepth : e / Form::kTile;
      const bool inside = first + place < end && k0 + k < depth;
      tile[k * Form::kPitch + place] = inside ? read(first + place, k0 + k) : T(0);
    }
  }

  LAMINA_DEVICE void operator()(const Block& block) const {
    T* const tile_a = block.shared<T>();
    T* const tile_b = tile_a + Form::kDepth * Form::kPitch;
    const std::int64_t across = (cols + Form::kTile - 1) / Form::kTile;
    const std::int64_t i0 = block.index / across * Form::kTile, j0 = block.index % across * Form::kTile;
    struct Sums {
      T of[kEach][kEach];
    };
    PerThread<Sums, kThreads> sums;
    block.each_thread([&](int t) {
      unrolled<kEach>([&](int r) { unrolled<kEach>([&](int c) { sums[t].of[r][c] = T(0); }); });
    });
    for (std::int64_t k0 = 0; k0 < depth; k0 += Form::kDepth) {
      block.each_thread([&](int t) {
        load(t, tile_a, a.col == 1, i0, rows, k0, depth,
             [&](std::int64_t i, std::int64_t k) { return a.at(i, k); });
        load(t, tile_b, b.row == 1, j0, cols, k0, depth,
             [&](std::int64_t j, std::int64_t k) { return b.at(k, j); });
      });
      block.each_thread([&](int t) {
        const int y = t / Form::kSide, x = t % Form::kSide;
        unrolled<Form::kDepth>([&](int k) {
          const T* const at_a = tile_a + k * Form::kPitch + y;
          const T* const at_b = tile_b + k * Form::kPitch + x;
          T left[kEach], right[kEach];
          unrolled<kEach>([&](int r) { left[r] = at_a[r * Form::kSide]; });
          unrolled<kEach>([&](int c) { right[c] = at_b[c * Form::kSide]; });
          unrolled<kEach>(
              [&](int r) { unrolled<kEach>([&](int c) { sums[t].of[r][c] += left[r] * right[c]; }); });
        });
      });
    }
    block.each_thread([&](int t) {
      const int y = t / Form::kSide, x = t % Form::kSide;
      unrolled<kEach>([&](int r) {
        unrolled<kEach>([&](int c) {
          const std::int64_t i = i0 + y + r * Form::kSide, j = j0 + x + c * Form::kSide;
          if (i < rows && j < cols) store(i, j, sums[t].of[r][c]);
        });
      });
    });
  }
};

// By tiles of one size.
template <class T, int kEach, class A, class B, class Store>
void multiply_by(const Device& device, const A& a, const B& b, std::int64_t rows, std::int64_t cols,
                 std::int64_t depth, const Store& store) {
  using Form = Tiling<T, kEach>;
  const std::int64_t down = (rows + Form::kTile - 1) / Form::kTile,
                     across = (cols + Form::kTile - 1) / Form::kTile;
  device.launch(down * across, kThreads, Form::shared_bytes(),
                Product<T, kEach, A, B, Store>{a, b, rows, cols, depth, store});
}

// By the largest tiles of which there are enough for a device's hundred multiprocessors.
template <class T, class A, class B, class Store>
void multiply(const Device& device, const A& a, const B& b, std::int64_t rows, std::int64_t cols,
              std::int64_t depth, const Store& store) {
  constexpr std::int64_t enough = 96;
  const auto tiles = [&](std::int64_t side) { return (rows + side - 1) / side * ((cols + side - 1) / side); };
  if (sizeof(T) == sizeof(float) && tiles(Tiling<T, 8>::kTile) >= enough)
    multiply_by<T, 8>(device, a, b, rows, cols, depth, store);
  else if (tiles(Tiling<T, 4>::kTile) >= enough)
    multiply_by<T, 4>(device, a, b, rows, cols, depth, store);
  else
    multiply_by<T, 1>(device, a, b, rows, cols, depth, store);
}

// store(i, j, c[i][j]) of every element: what follows a product that a library wrote to c.
template <class T, class Store>
void store_all(const Device& device, Matrix<T> c, const Store& store) {
  device.each(c.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / c.cols, j = k % c.cols;
    store(i, j, c.row(i)[j]);
  });
}

}  // namespace lamina::cuda
