// What a thread asks a device for within a step, taken down, so that a step like those before is one call to
// the driver: a graph of its kernels. What changes from step to step, such as where a batch begins, the count
// of steps and the learning rate, is put into the device's memory before it; a graph's kernels read it there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/host_device.h"
#include "base/memory.h"

namespace lamina::cuda {

// Where the object behind one of this size may start.
LAMINA_HOST_DEVICE constexpr std::int64_t aligned(std::int64_t size) { return (size + 15) / 16 * 16; }

// A kernel, or a call of a library, on its way to a device. Its object, of `size` bytes, goes beside it.
struct Launch {
  using Code = void (*)();  // what it really is, device.h knows

  Code code;             // takes the object
  Code code_by_address;  // of a kernel whose object changes with the steps: takes its address; else null
  bool of_library;
  int threads;
  std::int64_t blocks, shared_bytes, size;
  bool operator==(const Launch&) const = default;
};

// Launches and their objects, each of which starts on 16 bytes.
class Taken {
 public:
  void clear();
  void add(const Launch& launch, const void* object);
  std::size_t count() const { return launches_.size(); }
  const Launch& launch(std::size_t i) const { return launches_[i]; }
  const void* object(std::size_t i) const { return bytes_.data() + places_[i]; }
  void replace(std::size_t i, const void* object);
  // Whether object i is the same here and there.
  bool same(std::size_t i, const Taken& other) const;
  // Whether the launches are, and the objects of libraries' calls.
  bool like(const Taken& other) const;

 private:
  std::vector<Launch> launches_;
  std::vector<std::size_t> places_;
  std::vector<unsigned char> bytes_;
};

// A graph of launches one after another, for the thread and the device that it was made by.
class Graph {
 public:
  // values: where, behind one another, the objects lie that change with the steps.
  Graph(const Taken& taken, const unsigned char* values);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Kernel i's object, from the next run on.
  void set(std::size_t i, const Launch& launch, const void* object);
  void run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// So many graphs this thread has made, runs of them, and objects that were set anew for a run.
struct Replays {
  std::int64_t graphs = 0, runs = 0, sets = 0;
};
Replays& replays();

// Whether graphs are made: unless LAMINA_CUDA_GRAPHS is "off".
std::atomic<bool>& makes_graphs();

// A thread's on one device, which must be the thread's while it is used.
class Recorder {
 public:
  Recorder(int number, Memory& memory) : number_(number), memory_(memory) {}

  // The one that takes down what this thread asks for; null: none does.
  static Recorder* current();

  int number() const { return number_; }
  void begin();
  void take(const Launch& launch, const void* object) { now_.add(launch, object); }
  // Starts what was taken, as a graph where it is like the steps before.
  void end();
  // Starts what was taken; what is left of the step is not recorded.
  void flush();

 private:
  void replay_now();
  void put_values();
  void make_graph();

  int number_;  // of the device
  Memory& memory_;
  int alike_ = 0;  // steps, one after another
  Taken now_, before_, graphed_;
  std::vector<unsigned char> values_;
  Buffer<unsigned char> held_values_;
  std::unique_ptr<Graph> graph_;
};

// Starts a launch in this thread's queue at once.
void start(const Launch& launch, const void* object);

}  // namespace lamina::cuda
