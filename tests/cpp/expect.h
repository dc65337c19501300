// What the parts of the smoke test share: what ends it, and data.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "backend/cuda/cuda.h"
#include "base/rows.h"
#include "base/sampling.h"
#include "train/together.h"

namespace lamina {

inline void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "smoke: failed: %s\n", what.c_str());
  std::exit(1);
}

// Whether runs together end by what an interrupt throws.
inline bool an_interrupt_ends(const std::vector<Epochs*>& runs) {
  Interrupt interrupt([] { throw std::runtime_error("stop"); }, Interrupt::Clock::duration::zero());
  try {
    run_together(interrupt, runs);
  } catch (const std::runtime_error& error) {
    return std::string(error.what()) == "stop";
  }
  return false;
}

// "cpu", "reference", or "emulated": that of a GPU, emulated by the host; see backend/cuda/device.h.
template <class T>
const Backend<T>& tested_backend(const std::string& name) {
  static const CudaBackend<T> emulated(0);
  return name == "emulated" ? emulated : backend_named<T>(name);
}

// Vectors in the memory of the emulated device, which all backends may touch.
template <class T>
struct EmulatedMemory {
  using value_type = T;
  EmulatedMemory() = default;
  template <class U>
  EmulatedMemory(const EmulatedMemory<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t n) {
    return static_cast<T*>(tested_backend<float>("emulated").memory().allocate(n * sizeof(T)));
  }
  void deallocate(T* p, std::size_t) { tested_backend<float>("emulated").memory().free(p); }
  bool operator==(const EmulatedMemory&) const { return true; }
};
template <class T>
using Values = std::vector<T, EmulatedMemory<T>>;

template <class T>
constexpr DType dtype_of() {
  return sizeof(T) == sizeof(float) ? DType::kFloat32 : DType::kFloat64;
}

// Contiguous rows of T.
template <class T, class Memory>
Rows rows_of(const std::vector<T, Memory>& values, std::int64_t count) {
  const auto width = static_cast<std::int64_t>(values.size()) / count;
  const auto item = std::int64_t{sizeof(T)};
  Rows rows;
  rows.data = reinterpret_cast<const unsigned char*>(values.data());
  rows.dtype = dtype_of<T>();
  rows.count = count;
  rows.stride = width * item;
  rows.shape = {width};
  rows.strides = {item};
  return rows;
}

template <class T>
Values<T> random_values(std::int64_t size, std::uint64_t seed) {
  Values<T> values(static_cast<std::size_t>(size));
  fill_normal(values.data(), size, {seed, Purpose::kInitialise, 0, 0}, 0.0, 1.0, false);
  return values;
}

// The same as a caller has them.
template <class T>
std::vector<T> host_values(std::int64_t size, std::uint64_t seed) {
  const Values<T> values = random_values<T>(size, seed);
  return {values.begin(), values.end()};
}

}  // namespace lamina
