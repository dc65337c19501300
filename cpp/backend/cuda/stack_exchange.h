// What goes between the blocks of a stack: sums over slices, whose parts lie in the device's memory or, in a
// cluster, each in its own block's. Blocks wait between writing and reading; steps take two places in turn.
#pragma once

#include "backend/cuda/grid.h"
#include "backend/cuda/stack_plan.h"

namespace lamina::cuda {

// As a block sees them, in a step of `count` rows. Sums are of so many numbers a row, e counts them.
template <class T>
struct StackExchange {
  const Block& block;
  const StackTask<T>& task;
  T* values;  // the block's
  std::int64_t step;
  int count;

  // A slice's part, the block's k'th.
  LAMINA_DEVICE void put(const SharedLayer& layer, int slice, int k, int numbers, int e, T part) const {
    if (task.here_at >= 0)
      *here(layer.here_at + k * task.capacity * numbers + e) = part;
    else
      to_others(through_memory(layer, slice, numbers) + e, part);
  }
  // The sum over all slices, in their order.
  LAMINA_DEVICE T sum(const SharedLayer& layer, int numbers, int e) const {
    if (!layer.by_turns) return sum_of_slices(layer, numbers, e);
    if (task.here_at < 0) return from_others(through_memory(layer, layer.slices, numbers) + e);
    return *in_block(block, turn(layer, e), e / block.threads % blocks());
  }
  // Each block takes some of the numbers, for all.
  LAMINA_DEVICE void sum_by_turns(const SharedLayer& layer, int numbers) const {
    block.each_thread([&](int t) {
      for (int e = static_cast<int>(block.index) * block.threads + t; e < count * numbers;
           e += blocks() * block.threads) {
        const T whole = sum_of_slices(layer, numbers, e);
        if (task.here_at >= 0)
          *turn(layer, e) = whole;
        else
          to_others(through_memory(layer, layer.slices, numbers) + e, whole);
      }
    });
  }

 private:
  LAMINA_DEVICE int blocks() const { return static_cast<int>(block.count); }
  LAMINA_DEVICE T* through_memory(const SharedLayer& layer, int slice, int numbers) const {
    return task.exchange + step % 2 * task.exchange_size + layer.exchange_at +
           std::int64_t{slice} * task.capacity * numbers;
  }
  LAMINA_DEVICE T* here(int at) const { return values + task.here_at + step % 2 * task.here_size + at; }
  // Where the block whose turn it is has number e.
  LAMINA_DEVICE T* turn(const SharedLayer& layer, int e) const {
    return here(layer.turns_at + e / (block.threads * blocks()) * block.threads + e % block.threads);
  }
  LAMINA_DEVICE T sum_of_slices(const SharedLayer& layer, int numbers, int e) const {
    const int apart = task.capacity * numbers;
    T whole(0);
    if (task.here_at >= 0) {
      const T* const own = here(layer.here_at + e);
      for (int k = 0, slice = 0; slice < layer.slices; ++k)
        for (int other = 0; other < blocks() && slice < layer.slices; ++other, ++slice)
          whole += *in_block(block, own + k * apart, other);
      return whole;
    }
    const T* const from = through_memory(layer, 0, numbers) + e;
#if defined(__CUDACC__)
#pragma unroll 8
#endif
    for (int s = 0; s < layer.slices; ++s) whole += from_others(from + std::int64_t{s} * apart);
    return whole;
  }
};

}  // namespace lamina::cuda
