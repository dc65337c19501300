// Products of matrices by tiles in shared memory: C[i, j] = sum over k of A[i, k] B[k, j], each sum one chain
// of multiply-adds in the order of k.
#pragma once

#include "backend/cuda/device.h"

namespace lamina::cuda {

// Element (i, j) at data[i * row + j * col].
template <class T>
struct Strided {
  const T* data;
  std::int64_t row, col;
  LAMINA_DEVICE T at(std::int64_t i, std::int64_t j) const { return data[i * row + j * col]; }
};

// Tiles of kTile by kTile, of which each of kThreads threads has kEach by kEach.
template <class T, int kEach>
struct Tiling {
  static constexpr int kSide = 16;  // threads along a side
  static constexpr int kTile = kSide * kEach, kDepth = 16;
  static constexpr int kPitch = kTile + 1;  // so that a column lies in all banks
  static_assert(kSide * kSide == kThreads);
  static constexpr std::int64_t shared_bytes() {
    return std::int64_t{2} * kDepth * kPitch * std::int64_t{sizeof(T)};
  }
};

// store(i, j, sum) takes what is found.
template <class T, int kEach, class Store>
struct Product {
  using Form = Tiling<T, kEach>;
  Strided<T> a, b;
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
      for (int r = 0; r < kEach; ++r)
        for (int c = 0; c < kEach; ++c) sums[t].of[r][c] = T(0);
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
        for (int k = 0; k < Form::kDepth; ++k) {
          T left[kEach], right[kEach];
          for (int r = 0; r < kEach; ++r) left[r] = tile_a[k * Form::kPitch + y + r * Form::kSide];
          for (int c = 0; c < kEach; ++c) right[c] = tile_b[k * Form::kPitch + x + c * Form::kSide];
          for (int r = 0; r < kEach; ++r)
            for (int c = 0; c < kEach; ++c) sums[t].of[r][c] += left[r] * right[c];
        }
      });
    }
    block.each_thread([&](int t) {
      const int y = t / Form::kSide, x = t % Form::kSide;
      for (int r = 0; r < kEach; ++r)
        for (int c = 0; c < kEach; ++c) {
          const std::int64_t i = i0 + y + r * Form::kSide, j = j0 + x + c * Form::kSide;
          if (i < rows && j < cols) store(i, j, sums[t].of[r][c]);
        }
    });
  }
};

template <class T, class Store>
void multiply(const Device& device, Strided<T> a, Strided<T> b, std::int64_t rows, std::int64_t cols,
              std::int64_t depth, const Store& store) {
  const auto launch = [&]<int each>() {
    using Form = Tiling<T, each>;
    const std::int64_t down = (rows + Form::kTile - 1) / Form::kTile,
                       across = (cols + Form::kTile - 1) / Form::kTile;
    device.launch(down * across, kThreads, Form::shared_bytes(),
                  Product<T, each, Store>{a, b, rows, cols, depth, store});
  };
  // Small tiles where large ones would leave most of a device's hundred multiprocessors idle.
  constexpr std::int64_t enough = 96, large = Tiling<T, 4>::kTile;
  if ((rows + large - 1) / large * ((cols + large - 1) / large) >= enough)
    launch.template operator()<4>();
  else
    launch.template operator()<1>();
}

}  // namespace lamina::cuda
