// Sums and largest values by blocks, as fixed trees: which numbers meet depends on the shape alone.
#pragma once

#include "backend/cuda/device.h"

namespace lamina::cuda {

// Both of two sums that are made in one pass.
struct Pair {
  double a = 0, b = 0;
};
LAMINA_DEVICE inline Pair operator+(Pair x, Pair y) { return {x.a + y.a, x.b + y.b}; }

// The larger one; NaN is never larger.
struct Largest {
  double value = -__builtin_huge_val();
};
LAMINA_DEVICE inline Largest operator+(Largest x, Largest y) { return y.value > x.value ? y : x; }

// Threads for a block that goes over n numbers: a power of two.
inline int threads_for(std::int64_t n) {
  int threads = 32;
  while (threads < kThreads && threads < n) threads *= 2;
  return threads;
}

// f(t) of all the block's threads, added up; the same in all of them. V has a `+` and room in the shared
// memory for each thread.
template <class V, class F>
LAMINA_DEVICE V over_block(const Block& block, F&& f) {
  V* const parts = block.shared<V>();
  block.each_thread([&](int t) { parts[t] = f(t); });
  for (int half = block.threads / 2; half > 0; half /= 2)
    block.each_thread([&](int t) {
      if (t < half) parts[t] = parts[t] + parts[t + half];
    });
  const V total = parts[0];
  block.each_thread([](int) {});  // all have read it before the next one is begun
  return total;
}

// f(j) for j < n, added up by the block.
template <class V, class F>
LAMINA_DEVICE V over_range(const Block& block, std::int64_t n, F&& f) {
  return over_block<V>(block, [&](int t) {
    V sum{};
    for (std::int64_t j = t; j < n; j += block.threads) sum = sum + f(j);
    return sum;
  });
}

template <class V, class F, class G>
struct EachSum {
  std::int64_t size, outputs;
  F f;
  G g;
  LAMINA_DEVICE void operator()(const Block& block) const {
    for (std::int64_t out = block.index; out < outputs; out += block.count) {
      const V sum = over_range<V>(block, size, [&](std::int64_t k) { return f(k, out); });
      block.each_thread([&](int t) {
        if (t == 0) g(out, sum);
      });
    }
  }
};

// kernel for each of so many rows of n numbers, whose sums are V.
template <class V, class Kernel>
void each_row(const Device& device, std::int64_t rows, std::int64_t n, const Kernel& kernel) {
  const int threads = threads_for(n);
  device.launch(rows, threads, threads * std::int64_t{sizeof(V)}, kernel);
}

// g(out, sum over k < size of f(k, out)) for every out < outputs, each by a block of its own. by_step: what f
// and g hold changes from step to step.
template <class V, bool by_step = false, class F, class G>
void each_sum(const Device& device, std::int64_t size, std::int64_t outputs, const F& f, const G& g) {
  constexpr std::int64_t most = 1 << 16;
  const int threads = threads_for(size);
  device.launch<by_step>(outputs < most ? outputs : most, threads, threads * std::int64_t{sizeof(V)},
                         EachSum<V, F, G>{size, outputs, f, g});
}

// Columns that lie side by side: threads of a block take neighbouring ones, so that they read whole lines.
inline constexpr int kColumns = 32, kColumnParts = kThreads / kColumns;

template <class F, class G>
struct ColumnSums {
  std::int64_t rows, cols;
  F f;
  G g;
  LAMINA_DEVICE void operator()(const Block& block) const {
    Pair* const parts = block.shared<Pair>();
    for (std::int64_t first = block.index * kColumns; first < cols; first += block.count * kColumns) {
      block.each_thread([&](int t) {
        const std::int64_t j = first + t % kColumns;
        Pair sum;
        if (j < cols)
          for (std::int64_t i = t / kColumns; i < rows; i += kColumnParts) sum = sum + f(i, j);
        parts[t] = sum;
      });
      for (int half = kColumnParts / 2; half > 0; half /= 2)
        block.each_thread([&](int t) {
          if (t < half * kColumns) parts[t] = parts[t] + parts[t + half * kColumns];
        });
      block.each_thread([&](int t) {
        if (t < kColumns && first + t < cols) g(first + t, parts[t]);
      });
    }
  }
};

// g(j, the Pair of sums over i < rows of f(i, j)) for every j < cols.
template <class F, class G>
void column_sums(const Device& device, std::int64_t rows, std::int64_t cols, const F& f, const G& g) {
  constexpr std::int64_t most = 1 << 16;
  const std::int64_t blocks = (cols + kColumns - 1) / kColumns;
  device.launch(blocks < most ? blocks : most, kThreads, kThreads * std::int64_t{sizeof(Pair)},
                ColumnSums<F, G>{rows, cols, f, g});
}

// g(sum over k < size of f(k)); of long ranges in two rounds, each block a part. What g holds, the place of a
// batch's number, may change from step to step.
template <class F, class G>
void sum_of_all(const Device& device, std::int64_t size, const F& f, const G& g) {
  constexpr std::int64_t part = 1 << 14;
  const std::int64_t parts = (size + part - 1) / part;
  if (parts <= 1) {
    each_sum<double, true>(
        device, size, 1, [=] LAMINA_DEVICE(std::int64_t k, std::int64_t) { return f(k); },
        [=] LAMINA_DEVICE(std::int64_t, double sum) { g(sum); });
    return;
  }
  double* const of_parts = static_cast<double*>(device.scratch(parts * std::int64_t{sizeof(double)}));
  each_sum<double>(
      device, part, parts,
      [=] LAMINA_DEVICE(std::int64_t k, std::int64_t p) {
        return p * part + k < size ? f(p * part + k) : 0.0;
      },
      [=] LAMINA_DEVICE(std::int64_t p, double sum) { of_parts[p] = sum; });
  each_sum<double, true>(
      device, parts, 1, [=] LAMINA_DEVICE(std::int64_t p, std::int64_t) { return of_parts[p]; },
      [=] LAMINA_DEVICE(std::int64_t, double sum) { g(sum); });
}

}  // namespace lamina::cuda
