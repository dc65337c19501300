// A product of small matrices by one block, from wherever they lie: C[i, j] = sum over k of A[i, k] B[j, k].
// Where there are fewer tiles than threads, several share a tile, each with every so many'th k, and their
// parts are added in their order: it depends on the shape alone.
#pragma once

#include "backend/cuda/device.h"

namespace lamina::cuda {

// Numbers of T in a block's memory that a product works with.
inline constexpr int kTileSide = 4, kProductParts = kTileSide * kTileSide * kThreads;

// a(i, k), b(j, k): numbers of the factors; store(i, j, sum) takes what is found, and may not write what the
// factors are read from.
template <class T, class A, class B, class Store>
LAMINA_DEVICE void small_product(const Block& block, T* parts, int rows, int cols, int depth, const A& a,
                                 const B& b, const Store& store) {
  constexpr int kSide = kTileSide;
  const int down = (rows + kSide - 1) / kSide, across = (cols + kSide - 1) / kSide, tiles = down * across;
  int sharing = 1;  // threads; a chain of less than 8 is not worth the sum
  while (sharing < 32 && 2 * sharing * tiles <= block.threads && 16 * sharing <= depth) sharing *= 2;
  const int at_once = block.threads / sharing;
  for (int begin = 0; begin < tiles; begin += at_once) {
    const int count = tiles - begin < at_once ? tiles - begin : at_once;
    // The rows and columns of a tile lie apart, so that neighbours' lie side by side.
    block.each_thread([&](int t) {
      if (t / sharing >= count) return;
      const int i0 = (begin + t / sharing) / across, j0 = (begin + t / sharing) % across;
      T sums[kSide][kSide] = {};
      const auto step = [&](int k) {
        T left[kSide], right[kSide];
        unrolled<kSide>([&](int r) { left[r] = i0 + r * down < rows ? a(i0 + r * down, k) : T(0); });
        unrolled<kSide>([&](int c) { right[c] = j0 + c * across < cols ? b(j0 + c * across, k) : T(0); });
        unrolled<kSide>([&](int r) { unrolled<kSide>([&](int c) { sums[r][c] += left[r] * right[c]; }); });
      };
      int k = t % sharing;
      for (; k + 3 * sharing < depth; k += 4 * sharing)  // so that many reads are under way
        unrolled<4>([&](int u) { step(k + u * sharing); });
      for (; k < depth; k += sharing) step(k);
      unrolled<kSide>([&](int r) {
        unrolled<kSide>([&](int c) { parts[(r * kSide + c) * block.threads + t] = sums[r][c]; });
      });
    });
    block.each_thread([&](int t) {
      for (int e = t; e < kSide * kSide * count; e += block.threads) {
        const int of_tile = e / count, tile = e % count;
        const int i = (begin + tile) / across + of_tile / kSide * down,
                  j = (begin + tile) % across + of_tile % kSide * across;
        if (i >= rows || j >= cols) continue;
        const T* const from = parts + of_tile * block.threads + tile * sharing;
        T sum(0);
        // Each begins at another of them, so that neighbours read from different banks.
        for (int p = 0; p < sharing; ++p) sum += from[(p + tile) & (sharing - 1)];
        store(i, j, sum);
      }
    });
  }
}

}  // namespace lamina::cuda
