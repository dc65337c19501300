// A device of NVIDIA's. Its memory is managed: one pointer serves both sides, so that what Python views are
// the parameters themselves.
#include "backend/cuda/device.h"

#include <array>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/error.h"

namespace lamina::cuda {
namespace {

void require_done(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not report it again
  throw std::runtime_error(text("the GPU: ", what, ": ", cudaGetErrorString(status)));
}

class ManagedMemory final : public Memory {
 public:
  explicit ManagedMemory(int number) : number_(number) {}

  void* allocate(std::size_t bytes) override {
    void* block = nullptr;
    require_done(cudaSetDevice(number_), "it cannot be used");
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
    cudaSetDevice(number_);
    cudaStreamSynchronize(cudaStreamPerThread);  // kernels of this thread may still touch it
    cudaFree(block);
    cudaGetLastError();  // at the end of the process the driver may be gone before the last block
  }

 private:
  int number_;
};

constexpr int kMostDevices = 64;

// Kept to the end of the process: blocks may outlast static destruction.
Memory* memory_of(int number) {
  static std::mutex mutex;
  static std::array<ManagedMemory*, kMostDevices> all{};
  const std::lock_guard lock(mutex);
  auto& memory = all[static_cast<std::size_t>(number)];
  if (memory == nullptr) memory = new ManagedMemory(number);
  return memory;
}

}  // namespace

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
  memory_ = memory_of(number);
  use();
  require_done(cudaFree(nullptr), "it cannot be used");  // makes its context, now and not in a first step
}

void Device::use() const { require_done(cudaSetDevice(number_), "it cannot be used"); }

void Device::require_launched() const { require_done(cudaGetLastError(), "a kernel was not launched"); }

Limits Device::limits() const {
  const auto value = [&](cudaDeviceAttr attribute) {
    int found = 0;
    require_done(cudaDeviceGetAttribute(&found, attribute, number_), "it does not answer");
    return static_cast<std::int64_t>(found);
  };
  return {value(cudaDevAttrCooperativeLaunch) != 0 ? value(cudaDevAttrMultiProcessorCount) : 0,
          value(cudaDevAttrMaxSharedMemoryPerBlockOptin)};
}

bool Device::launched_together(const void* kernel, std::int64_t blocks, std::size_t shared_bytes,
                               void** arguments) const {
  require_done(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared_bytes)),
               "its shared memory is not to be had");
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
  use();
  require_done(cudaStreamSynchronize(cudaStreamPerThread), "a kernel failed");
}

void* Device::scratch(std::int64_t bytes) const {
  thread_local std::array<Buffer<unsigned char>, kMostDevices> buffers;
  Buffer<unsigned char>& buffer = buffers[static_cast<std::size_t>(number_)];
  if (buffer.size() < bytes) buffer = Buffer<unsigned char>(bytes, *memory_);
  return buffer.data();
}

const double* Device::constant(const std::vector<double>& numbers) const {
  static std::mutex mutex;
  static auto* const constants = new std::map<std::pair<int, std::vector<double>>, Buffer<double>>;
  const std::lock_guard lock(mutex);
  auto& copy = (*constants)[{number_, numbers}];
  if (copy.size() == 0 && !numbers.empty()) copy = copy_of(numbers, *memory_);
  return copy.data();
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
