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
#include <type_traits>
#include <vector>

#include "backend/cuda/recording.h"
#include "base/host_device.h"
#include "base/memory.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#define LAMINA_DEVICE __device__
#else
#define LAMINA_DEVICE
#endif

namespace lamina::cuda {

// What there is for blocks that wait for each other.
struct Limits {
  std::int64_t blocks = 0;        // at a time, one to a multiprocessor; 0: they can't wait
  std::int64_t shared_bytes = 0;  // of a block
  std::int64_t cluster = 0;       // blocks that read each other's memory, at most; 0: none do
};

// Multiprocessors that lie together, as a Hopper's do, so that blocks on them may be a cluster.
inline constexpr std::int64_t kLargestCluster = 16;

struct Span;

#if !defined(__CUDACC__)
// Of the emulation, an H100's at first; for tests to change.
Limits& emulated_limits();

// Whether the emulation takes blocks and threads from the last to the first: what does not depend on their
// order gives the same bits either way.
bool& backwards();
// Bytes of the emulated device's memory that are in use.
std::int64_t bytes_in_use();
// How many clusters of blocks this thread has launched.
std::int64_t& clusters_launched();
#endif

// Of a machine; their numbers lie below it.
inline constexpr int kMostDevices = 64;

// Threads of a block, unless a kernel says otherwise.
inline constexpr int kThreads = 256;

struct Block {
  std::int64_t index;  // of the block, among `count`
  std::int64_t count;
  unsigned char* memory;  // shared by its threads
  int threads;
#if !defined(__CUDACC__)
  unsigned char* const* memories = nullptr;  // of all blocks of a cluster
#endif

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

// A kernel's code as a Launch has it: one that takes the object, and one that reads it where it lies.
#if defined(__CUDACC__)
template <class Kernel>
__device__ void run_block(const Kernel& kernel) {
  extern __shared__ __align__(16) unsigned char shared[];
  kernel(Block{static_cast<std::int64_t>(blockIdx.x), static_cast<std::int64_t>(gridDim.x), shared,
               static_cast<int>(blockDim.x)});
}
template <class Kernel>
__global__ void run_kernel(Kernel kernel) {
  run_block(kernel);
}
template <class Kernel>
__global__ void run_kernel_at(const Kernel* kernel) {
  const Kernel own = *kernel;
  run_block(own);
}
#else
template <class Kernel>
void run_kernel(const void* object, const Launch& launch) {
  const auto& kernel = *static_cast<const Kernel*>(object);
  std::vector<std::max_align_t> shared(
      static_cast<std::size_t>(launch.shared_bytes) / sizeof(std::max_align_t) + 1);
  for (std::int64_t i = 0; i < launch.blocks; ++i)
    kernel(Block{backwards() ? launch.blocks - 1 - i : i, launch.blocks,
                 reinterpret_cast<unsigned char*>(shared.data()), launch.threads});
}
#endif

// So that equal objects have equal bytes. Without it a graph is told of changes that are none.
template <class V>
void clear_padding([[maybe_unused]] V& value) {
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
  __builtin_clear_padding(&value);
#endif
#endif
}

// by_step: its object changes from step to step.
template <bool by_step, class Kernel>
Launch launch_of(std::int64_t blocks, int threads, std::int64_t shared_bytes, const Kernel&) {
  static_assert(std::is_trivially_copyable_v<Kernel> && alignof(Kernel) <= 16);
  Launch launch{reinterpret_cast<Launch::Code>(&run_kernel<Kernel>),
                nullptr,
                false,
                threads,
                blocks,
                shared_bytes,
                std::int64_t{sizeof(Kernel)}};
#if defined(__CUDACC__)
  if constexpr (by_step) launch.code_by_address = reinterpret_cast<Launch::Code>(&run_kernel_at<Kernel>);
#else
  if constexpr (by_step) launch.code_by_address = launch.code;
#endif
  return launch;
}

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

#if defined(__CUDACC__)
void require_done(cudaError_t status, const char* what);

// Makes a device the thread's while it lives: the program may compute on another one.
class Current {
 public:
  explicit Current(int number) noexcept;
  ~Current();
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  void require() const { require_done(status_, "it cannot be used"); }

 private:
  int before_ = 0;
  bool changed_ = false;
  cudaError_t status_;
};
#else
struct Current {
  explicit Current(int) noexcept {}
  void require() const {}
};
#endif

// A library's call as a Launch has it.
using LibraryCode = void (*)(const void* object, void* stream);

// One device; all of it can be called by any thread, each of which has a queue of its own.
class Device {
 public:
  // std::runtime_error where there is none of this number.
  explicit Device(int number);

  Memory& memory() const { return *memory_; }
  int number() const { return number_; }
  // Returns when this thread's work is done; std::runtime_error of what failed.
  void finish() const;
  // Bytes that are left for a data set: LAMINA_CUDA_ROOM, or what is free but for a tenth.
  std::int64_t room() const;
  // The host's memory, but where it stays, so that kernels read it too.
  Memory& staging() const;
  // Marks this place in the thread's queue, by 0 to 3; await() returns when all before it is done.
  void mark(int which) const;
  void await(int which) const;
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

  // by_step: the kernel's object changes from step to step; see recording.h.
  template <bool by_step = false, class Kernel>
  void launch(std::int64_t blocks, int threads, std::int64_t shared_bytes, const Kernel& kernel) const {
    if (blocks <= 0) return;
    Kernel object = kernel;
    clear_padding(object);
    ask(launch_of<by_step>(blocks, threads, shared_bytes, object), &object);
  }
  // call(stream), of an object without pads between its members, asks a library for work in this thread's
  // queue, cudaStreamPerThread.
  template <class Call>
  void call_library(const Call& call) const {
    static_assert(std::is_trivially_copyable_v<Call> && alignof(Call) <= 16);
    const LibraryCode code = [](const void* object, void* stream) {
      (*static_cast<const Call*>(object))(stream);
    };
    ask({reinterpret_cast<Launch::Code>(code), nullptr, true, 0, 0, 0, std::int64_t{sizeof(Call)}}, &call);
  }

  Limits limits() const;
  // The same for groups of blocks that wait for each other, see grid.h; their spans, which follow one
  // another, are in memory() and left alone until finish(). cluster: each group is a cluster of so many
  // blocks, or of fewer; 0: they are none. False: the driver can't, and nothing is done.
  template <class Kernel>
  bool launch_together(Span* spans, int groups, int cluster, std::int64_t shared_bytes,
                       const Kernel& kernel) const;
  // Between the two launches wait, so that a step like those before goes to the device as one.
  void begin_step() const;
  void end_step() const;

  // f(i) for every i < size, in any order.
  template <bool by_step = false, class F>
  void each(std::int64_t size, const F& f) const {
    constexpr std::int64_t most = 1 << 20;  // blocks; beyond it a thread has several numbers
    const std::int64_t blocks = (size + kThreads - 1) / kThreads;
    launch<by_step>(blocks < most ? blocks : most, kThreads, 0, Each<F>{size, f});
  }

 private:
  void check_one(const void* pointer) const;
#if defined(__CUDACC__)
  bool launched_together(const void* kernel, std::int64_t blocks, int cluster, std::size_t shared_bytes,
                         void** arguments) const;
#endif
  void ask(const Launch& launch, const void* object) const;
  Recorder& recorder() const;

  int number_;
  Memory* memory_;
};

// Of LAMINA_CUDA_ROOM; -1 where it says nothing.
std::int64_t room_asked_for();

// What devices there are; empty without one. Where it is not for want of a device, *why says what is missing.
std::vector<std::string> device_names(std::string* why);

}  // namespace lamina::cuda
