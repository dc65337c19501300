// A device of NVIDIA's. Its memory is managed: one pointer serves both sides, so that what Python views are
// the parameters themselves.
#include "backend/cuda/device.h"

#include <array>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>

#include "base/error.h"

namespace lamina::cuda {
namespace {

// What this thread has asked a device for within a step goes to it now.
void flush(int number) {
  if (Recorder* const recorder = Recorder::current(); recorder != nullptr && recorder->number() == number)
    recorder->flush();
}

// Kernels of this thread may still touch a block that is freed.
void wait_for_thread(int number) noexcept {
  try {
    flush(number);
  } catch (const std::exception&) {  // the device has failed: the next call that may throw says so
  }
  cudaStreamSynchronize(cudaStreamPerThread);
}

class ManagedMemory final : public Memory {
 public:
  explicit ManagedMemory(int number) : number_(number) {}

  void* allocate(std::size_t bytes) override {
    void* block = nullptr;
    const Current current(number_);
    current.require();
    if (cudaMallocManaged(&block, bytes) != cudaSuccess) {
      cudaGetLastError();
      throw std::bad_alloc();
    }
    if (cudaMemsetAsync(block, 0, bytes, cudaStreamPerThread) != cudaSuccess ||
        cudaStreamSynchronize(cudaStreamPerThread) != cudaSuccess) {
      cudaGetLastError();
      cudaFree(block);
      throw std::bad_alloc();
    }
    return block;
  }
  void free(void* block) noexcept override {
    if (block == nullptr) return;
    const Current current(number_);
    wait_for_thread(number_);
    cudaFree(block);
    cudaGetLastError();  // at the end of the process the driver may be gone before the last block
  }

 private:
  int number_;
};

// The host's, at fixed addresses: a device reads it through the bus.
class PinnedMemory final : public Memory {
 public:
  explicit PinnedMemory(int number) : number_(number) {}

  void* allocate(std::size_t bytes) override {
    void* block = nullptr;
    const Current current(number_);
    current.require();
    if (cudaHostAlloc(&block, bytes, cudaHostAllocDefault) != cudaSuccess) {
      cudaGetLastError();
      throw std::bad_alloc();
    }
    std::memset(block, 0, bytes);
    return block;
  }
  void free(void* block) noexcept override {
    if (block == nullptr) return;
    const Current current(number_);
    wait_for_thread(number_);
    cudaFreeHost(block);
    cudaGetLastError();
  }

 private:
  int number_;
};

// Kept to the end of the process: blocks may outlast static destruction.
template <class Kind>
Memory* memory_of(int number) {
  static std::mutex mutex;
  static std::array<Kind*, kMostDevices> all{};
  const std::lock_guard lock(mutex);
  auto& memory = all[static_cast<std::size_t>(number)];
  if (memory == nullptr) memory = new Kind(number);
  return memory;
}

// Events of a thread on each device. They are left to the end of the process: a thread's end may come after
// the driver's.
cudaEvent_t& mark_of(int number, int which) {
  thread_local std::array<std::array<cudaEvent_t, 4>, kMostDevices> marks{};
  cudaEvent_t& mark = marks[static_cast<std::size_t>(number)][static_cast<std::size_t>(which)];
  if (mark == nullptr) require_done(cudaEventCreateWithFlags(&mark, cudaEventDisableTiming), "no event");
  return mark;
}

// The launch of clusters, none of which waits for another: where not all find room they come one after
// another.
bool launched_in_clusters(const void* kernel, std::int64_t blocks, int cluster, std::size_t shared_bytes,
                          void** arguments) {
  constexpr int kPortable = 8, kKnowsClusters = 90;
  cudaFuncAttributes of{};
  require_done(cudaFuncGetAttributes(&of, kernel), "a kernel is not known");
  if (of.ptxVersion < kKnowsClusters) return false;  // for an older device: its code has no word for them
  if (cluster > kPortable &&
      cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(cluster), 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(kThreads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = cudaStreamPerThread;
  config.attrs = &attribute;
  config.numAttrs = 1;
  int at_once = 0;
  if (cudaOccupancyMaxActiveClusters(&at_once, kernel, &config) != cudaSuccess || at_once == 0) {
    cudaGetLastError();
    return false;
  }
  require_done(cudaLaunchKernelExC(&config, kernel, arguments), "a kernel was not launched");
  return true;
}

}  // namespace

void require_done(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not report it again
  throw std::runtime_error(text("the GPU: ", what, ": ", cudaGetErrorString(status)));
}

Current::Current(int number) noexcept : status_(cudaGetDevice(&before_)) {
  if (status_ != cudaSuccess || before_ == number) return;
  status_ = cudaSetDevice(number);
  changed_ = status_ == cudaSuccess;
}

Current::~Current() {
  if (changed_ && cudaSetDevice(before_) != cudaSuccess) cudaGetLastError();
}

Device::Device(int number) : number_(number), memory_(nullptr) {
  std::string why;
  const auto count = static_cast<int>(device_names(&why).size());
  if (count == 0) throw std::runtime_error(why);
  if (number < 0 || number >= count || number >= kMostDevices)
    throw std::runtime_error(text("there are ", count, " GPUs, numbered from 0, and no number ", number));
  int together = 0;
  require_done(cudaDeviceGetAttribute(&together, cudaDevAttrConcurrentManagedAccess, number),
               "it does not answer");
  if (together == 0)
    throw std::runtime_error(
        "this system does not let the CPU touch managed memory while the GPU works, as WSL and Windows do "
        "not");
  memory_ = memory_of<ManagedMemory>(number);
  const Current current(number);
  current.require();
  require_done(cudaFree(nullptr), "it cannot be used");  // makes its context, now and not in a first step
}

void start(const Launch& launch, const void* object) {
  if (launch.of_library) return reinterpret_cast<LibraryCode>(launch.code)(object, cudaStreamPerThread);
  void* arguments[] = {const_cast<void*>(object)};
  require_done(
      cudaLaunchKernel(reinterpret_cast<const void*>(launch.code), dim3(static_cast<unsigned>(launch.blocks)),
                       dim3(static_cast<unsigned>(launch.threads)), arguments,
                       static_cast<std::size_t>(launch.shared_bytes), cudaStreamPerThread),
      "a kernel was not launched");
}

Limits Device::limits() const {
  const auto value = [&](cudaDeviceAttr attribute) {
    int found = 0;
    require_done(cudaDeviceGetAttribute(&found, attribute, number_), "it does not answer");
    return static_cast<std::int64_t>(found);
  };
  return {value(cudaDevAttrCooperativeLaunch) != 0 ? value(cudaDevAttrMultiProcessorCount) : 0,
          value(cudaDevAttrMaxSharedMemoryPerBlockOptin),
          value(cudaDevAttrClusterLaunch) != 0 ? kLargestCluster : 0};
}

bool Device::launched_together(const void* kernel, std::int64_t blocks, int cluster, std::size_t shared_bytes,
                               void** arguments) const {
  const Current current(number_);
  current.require();
  flush(number_);  // what comes before it in this thread's queue
  require_done(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared_bytes)),
               "its shared memory is not to be had");
  if (cluster > 0) return launched_in_clusters(kernel, blocks, cluster, shared_bytes, arguments);
  const cudaError_t status = cudaLaunchCooperativeKernel(kernel, dim3(static_cast<unsigned>(blocks)),
                                                         dim3(static_cast<unsigned>(kThreads)), arguments,
                                                         shared_bytes, cudaStreamPerThread);
  if (status == cudaErrorCooperativeLaunchTooLarge || status == cudaErrorNotSupported) {
    cudaGetLastError();
    return false;
  }
  require_done(status, "a kernel was not launched");
  return true;
}

void Device::finish() const {
  const Current current(number_);
  current.require();
  flush(number_);
  require_done(cudaStreamSynchronize(cudaStreamPerThread), "a kernel failed");
}

std::int64_t Device::room() const {
  if (const std::int64_t asked = room_asked_for(); asked >= 0) return asked;
  const Current current(number_);
  current.require();
  std::size_t free = 0, total = 0;
  require_done(cudaMemGetInfo(&free, &total), "its memory is not known");
  return static_cast<std::int64_t>(free / 10 * 9);
}

Memory& Device::staging() const { return *memory_of<PinnedMemory>(number_); }

void Device::mark(int which) const {
  const Current current(number_);
  current.require();
  flush(number_);
  require_done(cudaEventRecord(mark_of(number_, which), cudaStreamPerThread), "an event was not recorded");
}

void Device::await(int which) const {
  const Current current(number_);
  current.require();
  require_done(cudaEventSynchronize(mark_of(number_, which)), "a kernel failed");
}

void Device::check_one(const void*) const {}

std::vector<std::string> device_names(std::string* why) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    *why = status == cudaErrorInsufficientDriver
               ? std::string("the driver of the GPU is missing or older than this build's CUDA ") +
                     std::to_string(CUDART_VERSION / 1000) + "; install a newer NVIDIA driver"
               : std::string("no GPU was found: ") + cudaGetErrorString(status);
    return {};
  }
  std::vector<std::string> names;
  for (int number = 0; number < count; ++number) {
    cudaDeviceProp properties{};
    require_done(cudaGetDeviceProperties(&properties, number), "its name is not known");
    names.push_back(properties.name);
  }
  if (names.empty()) *why = "no GPU was found";
  return names;
}

}  // namespace lamina::cuda
