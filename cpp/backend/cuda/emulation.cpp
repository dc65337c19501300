// A device that is none: see device.h.
#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "backend/cuda/device.h"

namespace lamina::cuda {
namespace {

// What a thread has launched, and how much of it lay before each mark.
struct Queue {
  std::vector<std::function<void()>> waiting;
  std::size_t marks[4] = {0, 0, 0, 0};
};

thread_local bool t_queue_is_gone = false;  // at the end of a thread, when its buffers are freed

Queue& queue() {
  struct Own : Queue {
    ~Own() { t_queue_is_gone = true; }
  };
  thread_local Own own;
  return own;
}

void run_first(std::size_t count) {
  std::vector<std::function<void()>>& waiting = queue().waiting;
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<std::function<void()>> work(waiting.begin(), end);
  waiting.erase(waiting.begin(), end);
  for (std::size_t& mark : queue().marks) mark -= std::min(mark, count);
  for (const auto& each : work) each();
}

void flush() {
  if (Recorder* const recorder = Recorder::current(); recorder != nullptr) recorder->flush();
}

void run_queue() {
  if (t_queue_is_gone) return;
  flush();
  run_first(queue().waiting.size());
}

// An object that waits, aligned as any may be.
std::vector<std::max_align_t> copy_of(const Launch& launch, const void* object) {
  std::vector<std::max_align_t> copy(static_cast<std::size_t>(launch.size) / sizeof(std::max_align_t) + 1);
  std::memcpy(copy.data(), object, static_cast<std::size_t>(launch.size));
  return copy;
}

void run_now(const Launch& launch, const void* object) {
  if (launch.of_library)
    reinterpret_cast<LibraryCode>(launch.code)(object, nullptr);
  else
    reinterpret_cast<void (*)(const void*, const Launch&)>(launch.code)(object, launch);
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
  std::int64_t bytes_in_use() {
    const std::lock_guard lock(mutex_);
    std::size_t sum = 0;
    for (const auto& block : blocks_) sum += block.second;
    return static_cast<std::int64_t>(sum);
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
  static Limits limits{132, 232448, kLargestCluster};
  return limits;
}

std::int64_t& clusters_launched() {
  thread_local std::int64_t counted = 0;
  return counted;
}

Limits Device::limits() const { return emulated_limits(); }

std::int64_t bytes_in_use() { return emulated_memory().bytes_in_use(); }

Device::Device(int number) : number_(number), memory_(&emulated_memory()) {
  if (number != 0) throw std::runtime_error("there is one emulated device, number 0");
}

void Device::finish() const { run_queue(); }

std::int64_t Device::room() const {
  const std::int64_t asked = room_asked_for();
  return asked >= 0 ? asked : std::numeric_limits<std::int64_t>::max();
}

Memory& Device::staging() const { return *memory_; }

void Device::mark(int which) const {
  flush();
  queue().marks[which] = queue().waiting.size();
}

void Device::await(int which) const { run_first(queue().marks[which]); }

void start(const Launch& launch, const void* object) {
  queue().waiting.push_back([launch, copy = copy_of(launch, object)] { run_now(launch, copy.data()); });
}

struct Graph::Parts {
  struct Node {
    Launch launch;
    std::vector<std::max_align_t> object;
    const unsigned char* value;  // where the object is that it reads; null: its own
  };
  std::vector<Node> nodes;
};

Graph::Graph(const Taken& taken, const unsigned char* values) : parts_(std::make_unique<Parts>()) {
  for (std::size_t i = 0; i < taken.count(); ++i) {
    const Launch& launch = taken.launch(i);
    const bool by_address = launch.code_by_address != nullptr;
    parts_->nodes.push_back({launch, copy_of(launch, taken.object(i)), by_address ? values : nullptr});
    if (by_address) values += aligned(launch.size);
  }
}

Graph::~Graph() = default;

void Graph::set(std::size_t i, const Launch& launch, const void* object) {
  parts_->nodes[i].object = copy_of(launch, object);
}

// As it is now: what is set later is for later runs.
void Graph::run() {
  queue().waiting.push_back([nodes = parts_->nodes] {
    for (const Parts::Node& node : nodes)
      run_now(node.launch, node.value != nullptr ? static_cast<const void*>(node.value) : node.object.data());
  });
}

void Device::check_one(const void* pointer) const {
  if (pointer != nullptr && !emulated_memory().holds(pointer))
    throw std::runtime_error("a kernel was to touch memory that a device does not see");
}

std::vector<std::string> device_names(std::string*) { return {"emulated on the host"}; }

}  // namespace lamina::cuda
