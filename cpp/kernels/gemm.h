// Register-blocked products: each element of the result is one chain of fused multiply-adds in the order of
// the depth, so that no way of cutting a product into blocks changes a bit. Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// The second factor comes in panels of two vectors; a block of the result is kBlockRows rows of one panel.
// With the panel's two vectors and the broadcast element's one it takes 29 of 32 registers, or 15 of 16. What
// is done meanwhile comes every kPause of its steps: with 16 registers, looking for it at each step of 12
// multiply-adds took a tenth of the time (Zen 3); with 32, more lines fetched at once cost more than that on
// a Xeon, and neither is seen on Zen 5.
#if LAMINA_VECTOR_BYTES == 64
inline constexpr int kBlockRows = 13, kPause = 1;
#else
inline constexpr int kBlockRows = 6, kPause = 32;
#endif

// The first factor: element (i, p) at data[i * row + p * step].
template <class T>
struct Strided {
  const T* data;
  std::int64_t row, step;

  Strided block(std::int64_t first, std::int64_t) const { return {data + first * row, row, step}; }
  [[gnu::always_inline]] T operator()(std::int64_t i, std::int64_t p) const {
    return data[i * row + p * step];
  }
};

// Or its rows lie anywhere: element (i, p) at rows[i][first + p].
template <class T>
struct Scattered {
  const void* const* rows;
  std::int64_t first;

  Scattered block(std::int64_t first_row, std::int64_t) const { return {rows + first_row, first}; }
  [[gnu::always_inline]] T operator()(std::int64_t i, std::int64_t p) const {
    return static_cast<const T*>(rows[i])[first + p];
  }
};

// Or it is laid out (laid_out_columns) for the blocks that its rows are cut into, each of which holds its
// rows' numbers at one place of the depth side by side, over all of the `depth`: few lines of cache, all of
// them used. Element (i, p) of a block at data[(first + p) * count + i]; if there is only one, which is not
// laid out, at data[(first + p) * step + i].
template <class T>
struct LaidOut {
  const T* data;
  std::int64_t depth, first, step;

  struct Block {
    const T* data;
    std::int64_t step;
    [[gnu::always_inline]] T operator()(std::int64_t i, std::int64_t p) const { return data[p * step + i]; }
  };
  Block block(std::int64_t row, std::int64_t count) const {
    const std::int64_t apart = step > 0 ? step : count;
    return {data + row * depth + first * apart, apart};
  }
};

// The second factor's panel: vector j of its row p.
template <class T>
struct Panel {
  const T* data;
  std::int64_t step;

  Panel from_row(std::int64_t p) const { return {data + p * step, step}; }
  [[gnu::always_inline]] Vec<T> operator()(std::int64_t p, int j) const {
    return load(data + p * step + j * kLanes<T>);
  }
};

// c[i][j] = sum over p < depth of a(i, p) b(p, j), for M rows and N vectors; end(c) takes the result from
// there. meanwhile(p, depth) is called at the steps p, each time naming the next one, from 0 on.
template <class T, int M, int N, class Rows, class Columns, class End, class Meanwhile>
[[gnu::always_inline]] inline void block(std::int64_t depth, Rows a, Columns b, End&& end,
                                         Meanwhile&& meanwhile) {
  Vec<T> c[M][N] = {};
  for (std::int64_t p = 0; p < depth;) {
    const std::int64_t next = meanwhile(p, depth);
    for (; p < next; ++p) {
      Vec<T> row[N];
#pragma GCC unroll 2
      for (int j = 0; j < N; ++j) row[j] = b(p, j);
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i) {
        const Vec<T> factor = splat(a(i, p));
#pragma GCC unroll 2
        for (int j = 0; j < N; ++j) c[i][j] += factor * row[j];
      }
    }
  }
  end(c);
}

// Calls f with the constant n, 1..kBlockRows.
template <int Most, class F>
[[gnu::always_inline]] inline void with_constant(std::int64_t n, F&& f) {
  if constexpr (Most > 0) {
    if (n == Most) return f(std::integral_constant<int, Most>{});
    with_constant<Most - 1>(n, f);
  }
}

constexpr std::int64_t blocks_of(std::int64_t rows, std::int64_t most = kBlockRows) {
  return (rows + most - 1) / most;
}

// f(first, count) over 0..rows-1 in near-equal blocks of at most so many.
template <int Most, class F>
void by_blocks(std::int64_t rows, F&& f) {
  const std::int64_t blocks = blocks_of(rows, Most);
  for (std::int64_t k = 0, first = 0; k < blocks; ++k) {
    const std::int64_t next = rows * (k + 1) / blocks;
    f(first, next - first);
    first = next;
  }
}

// x's columns as the rows of a LaidOut; out: room for all of x.
template <class T>
void laid_out_columns(ConstMatrix<T> x, T* out) {
  by_blocks<kBlockRows>(x.cols, [&](std::int64_t first, std::int64_t count) {
    with_constant<kBlockRows>(count, [&](auto m) {
      for (std::int64_t p = 0; p < x.rows; ++p, out += m())
        std::memcpy(out, x.row(p) + first, m() * sizeof(T));
    });
  });
}

// The lines that a block will be written to.
template <class T, int M, int N>
[[gnu::always_inline]] inline void fetch_rows(const T* data, std::int64_t stride) {
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < N; ++j) __builtin_prefetch(data + i * stride + j * kLanes<T>, 1, 3);
}

// Where a block of a result goes: `valid` columns of it to memory, added to what is there or not.
template <class T>
struct Stored {
  T* data;
  std::int64_t stride, valid;
  bool add;

  Stored from_row(std::int64_t i) const { return {data + i * stride, stride, valid, add}; }

  template <int M, int N>
  [[gnu::always_inline]] void fetch() const {
    fetch_rows<T, M, N>(data, stride);
  }

  template <int M, int N>
  [[gnu::always_inline]] void operator()(Vec<T> (&c)[M][N]) const {
#pragma GCC unroll 2
    for (int j = 0; j < N; ++j) {
      const std::int64_t n = std::min(kLanes<T>, valid - j * kLanes<T>);
      if (n <= 0) return;
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i) {
        T* const at = data + i * stride + j * kLanes<T>;
        store_up_to(at, add ? load_up_to(at, n) + c[i][j] : c[i][j], n);
      }
    }
  }
};

// Or it is the last part of a gradient, and the weights take their step of plain SGD at once: w -= lr dw.
template <class T>
struct Stepped {
  T* w;
  const T* before;  // the gradient's other parts, or null
  std::int64_t stride;
  T lr;

  Stepped from_row(std::int64_t i) const {
    return {w + i * stride, before != nullptr ? before + i * stride : nullptr, stride, lr};
  }

  template <int M, int N>
  [[gnu::always_inline]] void fetch() const {
    fetch_rows<T, M, N>(w, stride);
  }

  template <int M, int N>
  [[gnu::always_inline]] void operator()(Vec<T> (&c)[M][N]) const {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < N; ++j) {
        const std::int64_t at = i * stride + j * kLanes<T>;
        const Vec<T> dw = before != nullptr ? load(before + at) + c[i][j] : c[i][j];
        store(w + at, load(w + at) - lr * dw);
      }
  }
};

// A chain of a block's multiply-adds is no longer than this: the error of a sum grows with it, and this much
// of a panel stays in cache.
inline constexpr std::int64_t kLongestChain = 512;

// f(first, count, is last) over a depth in near-equal parts.
template <class F>
void by_chains(std::int64_t depth, F&& f) {
  const std::int64_t chains = std::max<std::int64_t>(1, (depth + kLongestChain - 1) / kLongestChain);
  for (std::int64_t k = 0, first = 0; k < chains; ++k) {
    const std::int64_t next = depth * (k + 1) / chains;
    f(first, next - first, k + 1 == chains);
    first = next;
  }
}

struct Nothing {
  void operator()(std::int64_t) const {}
  std::int64_t operator()(std::int64_t, std::int64_t depth) const { return depth; }
};

// `rows` rows of a result's panel of N vectors; `end` is that of the first block, and before(first row) is
// called before each block. The lines of the block behind it, as many as it has itself, are fetched while one
// is computed, for a small one of a short depth is over before they come from memory. Behind the last block
// of these rows they may be another core's, so it fetches its own. (Fetching in block() itself costs more
// than it gains: GCC keeps all rows' addresses for the end and takes its loop's registers for that.)
template <class T, int N, int Most = kBlockRows, class Rows, class Columns, class End,
          class Meanwhile = Nothing, class Before = Nothing>
void panel_product(std::int64_t rows, std::int64_t depth, const Rows& a, const Columns& b, const End& end,
                   Meanwhile&& meanwhile = {}, Before&& before = {}) {
  by_blocks<Most>(rows, [&](std::int64_t first, std::int64_t count) {
    before(first);
    with_constant<Most>(count, [&](auto m) {
      end.from_row(std::min(first + count, rows - count)).template fetch<m(), N>();
      block<T, m(), N>(depth, a.block(first, count), b, end.from_row(first), meanwhile);
    });
  });
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
