// Owning memory whose every block starts on a cache line, and where it comes from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <vector>

namespace lamina {

inline constexpr std::size_t kCacheLine = 64;

// Rounds a count of T up so that what follows starts on a cache line.
template <class T>
constexpr std::int64_t padded(std::int64_t count) {
  constexpr std::int64_t line = kCacheLine / sizeof(T);
  return (count + line - 1) / line * line;
}

// From row to row of a matrix whose rows start on cache lines; never a multiple of 4096 bytes, since such
// rows share a few sets of the first-level cache.
template <class T>
constexpr std::int64_t row_stride(std::int64_t cols) {
  constexpr std::int64_t line = kCacheLine / sizeof(T), page = 4096 / sizeof(T);
  const std::int64_t stride = padded<T>(cols);
  return stride % page == 0 ? stride + line : stride;
}

// Where blocks come from. It outlives them all.
class Memory {
 public:
  virtual ~Memory() = default;
  // Zeroed, and starting on a cache line; std::bad_alloc.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void free(void* block) noexcept = 0;
};

// That of the process.
Memory& host_memory();

// `size` zeroed elements.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t size, Memory& memory = host_memory())
      : data_(nullptr, {&memory}), size_(size) {
    if (size < 0 || size > std::numeric_limits<std::int64_t>::max() / std::int64_t{sizeof(T)} - 64)
      throw std::bad_alloc();
    if (size == 0) return;
    const auto bytes = static_cast<std::size_t>(size) * sizeof(T);
    data_.reset(static_cast<T*>(memory.allocate(bytes)));
  }

  T* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }
  bool is_from(const Memory& memory) const { return data_.get_deleter().memory == &memory; }

 private:
  struct Free {
    Memory* memory = nullptr;
    void operator()(T* p) const { memory->free(p); }
  };
  std::unique_ptr<T, Free> data_;
  std::int64_t size_ = 0;
};

template <class T>
Buffer<T> copy_of(const std::vector<T>& values, Memory& memory) {
  Buffer<T> copy(static_cast<std::int64_t>(values.size()), memory);
  std::copy(values.begin(), values.end(), copy.data());
  return copy;
}

}  // namespace lamina
