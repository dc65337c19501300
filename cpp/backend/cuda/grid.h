// Blocks that wait for each other: each keeps its shared memory from phase to phase, so that what a whole
// training needs stays there. Emulated, every block has memory of its own and a phase is a loop over them.
//
// A kernel for them is an object whose operator()(Grid&, group) is run by all blocks of a group, of which a
// launch may hold several that know nothing of each other. A group may be a cluster, whose blocks run side by
// side on multiprocessors that lie together: they wait for each other without the way through memory, and
// each reads what lies in the others'.
#pragma once

#include <cstring>
#include <vector>

#include "backend/cuda/device.h"

namespace lamina::cuda {

// The blocks of a group, in a device's memory.
struct Span {
  std::int64_t first = 0, count = 0;
  unsigned arrived = 0;  // at all waits so far
};

class Grid {
 public:
  // f(block) by every block of the group; what follows begins when all are through, and sees what they wrote.
  template <class F>
  LAMINA_DEVICE void each_block(F&& f) {
#if defined(__CUDACC__)
    f(block_);
    wait();
#else
    for (std::size_t i = 0; i < blocks_.size(); ++i) f(blocks_[backwards() ? blocks_.size() - 1 - i : i]);
#endif
  }

#if defined(__CUDACC__)
  // arrived: null, if the group is a cluster.
  LAMINA_DEVICE Grid(const Block& block, unsigned* arrived) : block_(block), arrived_(arrived) {}

 private:
  // The one place where threads meet by an atomic: it counts, no sum depends on its order.
  LAMINA_DEVICE void wait() {
    if (block_.count == 1) return;
    if (arrived_ == nullptr) {
#if __CUDA_ARCH__ >= 900
      asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
      asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
      return;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      awaited_ += static_cast<unsigned>(block_.count);
      __threadfence();
      atomicAdd(arrived_, 1u);
      while (static_cast<int>(*static_cast<volatile unsigned*>(arrived_) - awaited_) < 0) {
      }
      __threadfence();
    }
    __syncthreads();
  }

  Block block_;
  unsigned* arrived_;
  unsigned awaited_ = 0;
#else
  explicit Grid(std::vector<Block> blocks) : blocks_(std::move(blocks)) {}

 private:
  std::vector<Block> blocks_;
#endif
};

// What other blocks wrote before the last wait, and what they read behind the next: not by way of a
// multiprocessor's own cache, which knows nothing of them.
template <class T>
LAMINA_DEVICE T from_others(const T* p) {
#if defined(__CUDACC__)
  return __ldcg(p);
#else
  return *p;
#endif
}
template <class T>
LAMINA_DEVICE void to_others(T* p, T value) {
#if defined(__CUDACC__)
  __stcg(p, value);
#else
  *p = value;
#endif
}

// Where block `other` of a cluster has what this one has at p, in its shared memory: to be read, like this
// block's own.
template <class T>
LAMINA_DEVICE const T* in_block([[maybe_unused]] const Block& block, const T* p, [[maybe_unused]] int other) {
#if !defined(__CUDACC__)
  return reinterpret_cast<const T*>(block.memories[other] +
                                    (reinterpret_cast<const unsigned char*>(p) - block.memory));
#elif __CUDA_ARCH__ >= 900
  const T* there;
  asm("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(p), "r"(other));
  return there;
#else
  return p;
#endif
}

// The line at p will be read soon.
LAMINA_DEVICE inline void prefetch([[maybe_unused]] const void* p) {
#if defined(__CUDACC__)
  asm volatile("prefetch.global.L2 [%0];" ::"l"(p));
#endif
}

#if defined(__CUDACC__)
template <class Kernel>
__global__ void __launch_bounds__(kThreads, 1) run_together(Kernel kernel, Span* spans, int cluster) {
  extern __shared__ __align__(16) unsigned char shared[];
  const auto index = static_cast<std::int64_t>(blockIdx.x);
  int group = 0;
  std::int64_t first = 0;
  if (cluster > 0) {
    group = static_cast<int>(index / cluster);
    first = index / cluster * cluster;
    if (index - first >= spans[group].count) return;  // no wait is for blocks that have ended
  } else {
    while (index >= spans[group].first + spans[group].count) ++group;
    first = spans[group].first;
  }
  Grid grid(Block{index - first, spans[group].count, shared, static_cast<int>(blockDim.x)},
            cluster > 0 ? nullptr : &spans[group].arrived);
  kernel(grid, group);
}
#else
// Groups of blocks, emulated as one block that runs them all.
template <class Kernel>
struct Together {
  Span* spans;
  std::int64_t groups, shared_bytes, cluster;
  Kernel kernel;

  void operator()(const Block&) const {
    if (cluster > 0) clusters_launched() += groups;
    const std::size_t each = static_cast<std::size_t>(shared_bytes) / sizeof(std::max_align_t) + 1;
    for (int group = 0; group < static_cast<int>(groups); ++group) {
      const std::int64_t count = spans[group].count;
      // Of memory that no one has written nothing is known: here it is NaN.
      std::vector<std::max_align_t> shared(each * static_cast<std::size_t>(count));
      std::memset(static_cast<void*>(shared.data()), 0xFF, shared.size() * sizeof(std::max_align_t));
      std::vector<unsigned char*> memories;
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        memories.push_back(reinterpret_cast<unsigned char*>(shared.data() + i * each));
      std::vector<Block> blocks;
      for (std::int64_t i = 0; i < count; ++i)
        blocks.push_back({i, count, memories[static_cast<std::size_t>(i)], kThreads,
                          cluster > 0 ? memories.data() : nullptr});
      Grid grid(std::move(blocks));
      kernel(grid, group);
    }
  }
};
#endif

template <class Kernel>
bool Device::launch_together(Span* spans, int groups, int cluster, std::int64_t shared_bytes,
                             const Kernel& kernel) const {
#if defined(__CUDACC__)
  const std::int64_t blocks =
      cluster > 0 ? std::int64_t{groups} * cluster : spans[groups - 1].first + spans[groups - 1].count;
  Kernel copy = kernel;
  void* arguments[] = {&copy, &spans, &cluster};
  const auto bytes = static_cast<std::size_t>(shared_bytes);
  return launched_together(reinterpret_cast<const void*>(&run_together<Kernel>), blocks, cluster, bytes,
                           arguments);
#else
  launch(1, kThreads, 0, Together<Kernel>{spans, groups, shared_bytes, cluster, kernel});
  return true;
#endif
}

}  // namespace lamina::cuda
