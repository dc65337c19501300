#include "backend/cuda/recording.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "backend/cuda/device.h"

namespace lamina::cuda {
namespace {

// Brings bytes to the device in the arguments of a kernel: they are as they were when it was launched.
struct Put {
  static constexpr std::int64_t kWords = 120;  // a kernel's arguments may have 4096 bytes
  std::uint64_t* to;
  std::int64_t words;
  std::uint64_t from[kWords];

  LAMINA_DEVICE void operator()(const Block& block) const {
    block.each_thread([&](int t) {
      for (std::int64_t i = t; i < words; i += block.threads) to[i] = from[i];
    });
  }
};

// So many steps like the one before make a graph worth its making.
constexpr int kAlike = 2;

thread_local Recorder* t_current = nullptr;

}  // namespace

void Taken::clear() {
  launches_.clear();
  places_.clear();
  bytes_.clear();
}

void Taken::add(const Launch& launch, const void* object) {
  launches_.push_back(launch);
  places_.push_back(bytes_.size());
  bytes_.resize(bytes_.size() + static_cast<std::size_t>(aligned(launch.size)));
  replace(launches_.size() - 1, object);
}

void Taken::replace(std::size_t i, const void* object) {
  std::memcpy(bytes_.data() + places_[i], object, static_cast<std::size_t>(launches_[i].size));
}

bool Taken::same(std::size_t i, const Taken& other) const {
  return std::memcmp(object(i), other.object(i), static_cast<std::size_t>(launches_[i].size)) == 0;
}

bool Taken::like(const Taken& other) const {
  if (launches_ != other.launches_) return false;
  for (std::size_t i = 0; i < launches_.size(); ++i)
    if (launches_[i].of_library && !same(i, other)) return false;
  return true;
}

Replays& replays() {
  thread_local Replays counted;
  return counted;
}

std::atomic<bool>& makes_graphs() {
  static std::atomic<bool> makes = [] {
    const char* const said = std::getenv("LAMINA_CUDA_GRAPHS");
    return said == nullptr || std::string(said) != "off";
  }();
  return makes;
}

Recorder* Recorder::current() { return t_current; }

void Recorder::begin() {
  now_.clear();
  if (makes_graphs()) t_current = this;
}

void Recorder::flush() {
  if (t_current != this) return;
  t_current = nullptr;
  alike_ = 0;
  for (std::size_t i = 0; i < now_.count(); ++i) start(now_.launch(i), now_.object(i));
}

void Recorder::end() {
  if (t_current != this) return;
  if (graph_ != nullptr && now_.like(graphed_)) {
    t_current = nullptr;
    before_.clear();  // short last batches, between runs of the graph, do not come one after another
    return replay_now();
  }
  const int alike = now_.count() > 0 && now_.like(before_) ? alike_ + 1 : 0;
  flush();
  std::swap(now_, before_);
  alike_ = alike;
  if (alike_ >= kAlike) make_graph();
}

// The objects that changed go to the graph, but for those that its kernels read from memory, which go there.
void Recorder::replay_now() {
  std::size_t place = 0;
  for (std::size_t i = 0; i < now_.count(); ++i) {
    const Launch& launch = now_.launch(i);
    if (launch.code_by_address != nullptr) {
      std::memcpy(values_.data() + place, now_.object(i), static_cast<std::size_t>(launch.size));
      place += static_cast<std::size_t>(aligned(launch.size));
    } else if (!now_.same(i, graphed_)) {
      graph_->set(i, launch, now_.object(i));
      graphed_.replace(i, now_.object(i));
      ++replays().sets;
    }
  }
  put_values();
  graph_->run();
  ++replays().runs;
}

void Recorder::put_values() {
  const auto words = static_cast<std::int64_t>(values_.size()) / 8;
  for (std::int64_t first = 0; first < words; first += Put::kWords) {
    Put put{reinterpret_cast<std::uint64_t*>(held_values_.data()) + first,
            std::min(words - first, Put::kWords),
            {}};
    std::memcpy(put.from, values_.data() + 8 * first, static_cast<std::size_t>(8 * put.words));
    start(launch_of<false>(1, 128, 0, put), &put);
  }
}

// Where that fails there is none, and steps are launched one by one.
void Recorder::make_graph() {
  alike_ = 0;
  graph_.reset();
  std::int64_t size = 0;
  for (std::size_t i = 0; i < before_.count(); ++i)
    if (before_.launch(i).code_by_address != nullptr) size += aligned(before_.launch(i).size);
  values_.assign(static_cast<std::size_t>(size), 0);
  try {
    if (held_values_.size() < size) held_values_ = Buffer<unsigned char>(size, memory_);
    graph_ = std::make_unique<Graph>(before_, held_values_.data());
  } catch (const std::exception&) {
    makes_graphs() = false;
    return;
  }
  graphed_ = before_;
  ++replays().graphs;
}

Recorder& Device::recorder() const {
  thread_local std::array<std::unique_ptr<Recorder>, kMostDevices> all;
  auto& own = all[static_cast<std::size_t>(number_)];
  if (own == nullptr) own = std::make_unique<Recorder>(number_, *memory_);
  return *own;
}

void Device::ask(const Launch& launch, const void* object) const {
  if (Recorder* const recorder = Recorder::current(); recorder != nullptr && recorder->number() == number_)
    return recorder->take(launch, object);
  const Current current(number_);
  current.require();
  start(launch, object);
}

void Device::begin_step() const { recorder().begin(); }

void Device::end_step() const {
  const Current current(number_);
  current.require();
  recorder().end();
}

}  // namespace lamina::cuda
