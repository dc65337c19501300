// A device that is none: see device.h.
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "backend/cuda/device.h"

namespace lamina::cuda {
namespace {

using Queue = std::vector<std::function<void()>>;

Queue& queue() {
  thread_local Queue waiting;
  return waiting;
}

void run_queue() {
  Queue work;
  work.swap(queue());
  for (const auto& each : work) each();
}

class EmulatedMemory final : public Memory {
 public:
  void* allocate(std::size_t bytes) override {
    void* const block = host_memory().allocate(bytes);
    const std::lock_guard lock(mutex_);
    blocks_[static_cast<const char*>(block)] = bytes;
    return block;
  }
  void free(void* block) noexcept override {
    if (block == nullptr) return;
    run_queue();  // as a device waits for its kernels
    {
      const std::lock_guard lock(mutex_);
      blocks_.erase(static_cast<const char*>(block));
    }
    host_memory().free(block);
  }
  bool holds(const void* pointer) {
    const std::lock_guard lock(mutex_);
    auto after = blocks_.upper_bound(static_cast<const char*>(pointer));
    if (after == blocks_.begin()) return false;
    --after;
    return static_cast<const char*>(pointer) <= after->first + after->second;
  }

 private:
  std::mutex mutex_;
  std::map<const char*, std::size_t> blocks_;
};

EmulatedMemory& emulated_memory() {
  static EmulatedMemory* const memory = new EmulatedMemory;
  return *memory;
}

}  // namespace

bool& backwards() {
  static bool set = false;
  return set;
}

Limits& emulated_limits() {
  static Limits limits{132, 232448};
  return limits;
}

Limits Device::limits() const { return emulated_limits(); }

Device::Device(int number) : number_(number), memory_(&emulated_memory()) {
  if (number != 0) throw std::runtime_error("there is one emulated device, number 0");
}

void Device::finish() const { run_queue(); }

void Device::enqueue(std::function<void()> work) const { queue().push_back(std::move(work)); }

void* Device::scratch(std::int64_t bytes) const {
  thread_local Buffer<unsigned char> buffer;
  if (buffer.size() < bytes) buffer = Buffer<unsigned char>(bytes, *memory_);
  return buffer.data();
}

const double* Device::constant(const std::vector<double>& numbers) const {
  static std::mutex mutex;
  static auto* const constants = new std::map<std::vector<double>, Buffer<double>>;
  const std::lock_guard lock(mutex);
  auto& copy = (*constants)[numbers];
  if (copy.size() == 0 && !numbers.empty()) copy = copy_of(numbers, *memory_);
  return copy.data();
}

void Device::check_one(const void* pointer) const {
  if (pointer != nullptr && !emulated_memory().holds(pointer))
    throw std::runtime_error("a kernel was to touch memory that a device does not see");
}

std::vector<std::string> device_names(std::string*) { return {"emulated on the host"}; }

}  // namespace lamina::cuda
