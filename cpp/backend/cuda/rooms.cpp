// Memory of a device that its kernels use besides what verbs are given.
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "backend/cuda/device.h"
#include "base/error.h"

namespace lamina::cuda {

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

std::int64_t room_asked_for() {
  const char* const said = std::getenv("LAMINA_CUDA_ROOM");
  if (said == nullptr || *said == '\0') return -1;
  char* end = nullptr;
  const long long bytes = std::strtoll(said, &end, 10);
  if (*end != '\0' || bytes < 0)
    throw std::runtime_error(text("LAMINA_CUDA_ROOM: expected a number of bytes, got ", said));
  return bytes;
}

}  // namespace lamina::cuda
