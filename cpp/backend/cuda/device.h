// A GPU: its memory, its queue of work, and what kernels are made of. The same source is compiled by nvcc for
// the device, or by any C++ compiler, which then emulates it: blocks and threads are loops, and what is
// launched waits in a queue until finish(), so that a test sees host code that did not wait.
//
// A kernel is an object whose operator()(const Block&) is run by each block of a grid. Code in
// block.each_thread() is done by every thread, and what follows begins when all are through; code outside of
// it is the same in all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/host_device.h"
#include "base/memory.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#define LAMINA_DEVICE __device__
#else
#include <functional>
#define LAMINA_DEVICE
#endif

namespace lamina::cuda {

// What there is for blocks that wait for each other.
struct Limits {
  std::int64_t blocks = 0;        // at a time, one to a multiprocessor; 0: they can't wait
  std::int64_t shared_bytes = 0;  // of a block
};

struct Span;

#if !defined(__CUDACC__)
// Of the emulation, an H100's at first; for tests to change.
Limits& emulated_limits();

// Whether the emulation takes blocks and threads from the last to the first: what does not depend on their
// order gives the same bits either way.
bool& backwards();
#endif

// Threads of a block, unless a kernel says otherwise.
inline constexpr int kThreads = 256;

struct Block {
  std::int64_t index;  // of the block, among `count`
  std::int64_t count;
  unsigned char* memory;  // shared by its threads
  int threads;

  // The shared memory as elements of V.
  template <class V>
  LAMINA_DEVICE V* shared() const {
    return reinterpret_cast<V*>(memory);
  }
  template <class F>
  LAMINA_DEVICE void each_thread(F&& f) const {
#if defined(__CUDACC__)
    f(static_cast<int>(threadIdx.x));
    __syncthreads();
#else
    for (int t = 0; t < threads; ++t) f(backwards() ? threads - 1 - t : t);
#endif
  }
};

// What each of a block's `threads` threads holds between two each_thread().
template <class V, int threads>
class PerThread {
 public:
#if defined(__CUDACC__)
  LAMINA_DEVICE V& operator[](int) { return value_; }

 private:
  V value_;
#else
  V& operator[](int t) { return values_[t]; }

 private:
  V values_[threads];
#endif
};

// f(0) .. f(n - 1), written out: arrays that it indexes may then be registers.
template <int n, class F>
LAMINA_DEVICE void unrolled(F&& f) {
#if defined(__CUDACC__)
#pragma unroll
#endif
  for (int i = 0; i < n; ++i) f(i);
}

#if defined(__CUDACC__)
template <class Kernel>
__global__ void run_kernel(Kernel kernel) {
  extern __shared__ __align__(16) unsigned char shared[];
  kernel(Block{static_cast<std::int64_t>(blockIdx.x), static_cast<std::int64_t>(gridDim.x), shared,
               static_cast<int>(blockDim.x)});
}
#endif

// f(i) for every i < size.
template <class F>
struct Each {
  std::int64_t size;
  F f;
  LAMINA_DEVICE void operator()(const Block& block) const {
    block.each_thread([&](int t) {
      for (std::int64_t i = block.index * block.threads + t; i < size; i += block.count * block.threads) f(i);
    });
  }
};

// One device; all of it can be called by any thread, each of which has a queue of its own.
class Device {
 public:
  // std::runtime_error where there is none of this number.
  explicit Device(int number);

  Memory& memory() const { return *memory_; }
  // Returns when this thread's work is done; std::runtime_error of what failed.
  void finish() const;
  // So many bytes for this thread's kernels, good until it is asked for again or finish().
  void* scratch(std::int64_t bytes) const;
  // A copy of these numbers in the device's memory, made once for all.
  const double* constant(const std::vector<double>& numbers) const;
  // Whether a kernel may touch these: null, or in the device's memory. The emulation knows; a real device
  // would fail.
  template <class... Pointers>
  void check(Pointers... pointers) const {
    (check_one(static_cast<const void*>(pointers)), ...);
  }

  template <class Kernel>
  void launch(std::int64_t blocks, int threads, std::int64_t shared_bytes, const Kernel& kernel) const {
    if (blocks <= 0) return;
#if defined(__CUDACC__)
    use();
    run_kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
                 static_cast<std::size_t>(shared_bytes), cudaStreamPerThread>>>(kernel);
    require_launched();
#else
    enqueue([=] {
      std::vector<std::max_align_t> shared(static_cast<std::size_t>(shared_bytes) / sizeof(std::max_align_t) +
                                           1);
      for (std::int64_t i = 0; i < blocks; ++i)
        kernel(Block{backwards() ? blocks - 1 - i : i, blocks,
                     reinterpret_cast<unsigned char*>(shared.data()), threads});
    });
#endif
  }

  Limits limits() const;
  // The same for groups of blocks that wait for each other, see grid.h; their spans, which follow one
  // another, are in memory() and left alone until finish(). False: the driver can't, and nothing is done.
  template <class Kernel>
  bool launch_together(Span* spans, int groups, std::int64_t shared_bytes, const Kernel& kernel) const;

  // f(i) for every i < size, in any order.
  template <class F>
  void each(std::int64_t size, const F& f) const {
    constexpr std::int64_t most = 1 << 20;  // blocks; beyond it a thread has several numbers
    const std::int64_t blocks = (size + kThreads - 1) / kThreads;
    launch(blocks < most ? blocks : most, kThreads, 0, Each<F>{size, f});
  }

 private:
  void check_one(const void* pointer) const;
#if defined(__CUDACC__)
  void use() const;
  void require_launched() const;
  bool launched_together(const void* kernel, std::int64_t blocks, std::size_t shared_bytes,
                         void** arguments) const;
#else
  void enqueue(std::function<void()> work) const;
#endif

  int number_;
  Memory* memory_;
};

// What devices there are; empty without one. Where it is not for want of a device, *why says what is missing.
std::vector<std::string> device_names(std::string* why);

}  // namespace lamina::cuda
