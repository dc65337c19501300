// Owning memory whose every block starts on a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>

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

// Zeroed memory that starts on a cache line, for std::free; std::bad_alloc. Large blocks start on a large
// page and ask for more of them: a kernel that goes down the rows of a matrix would miss small ones at each
// step.
void* allocate_zeroed(std::size_t bytes);

// `size` zeroed elements.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t size) : size_(size) {
    if (size < 0 || size > std::numeric_limits<std::int64_t>::max() / std::int64_t{sizeof(T)} - 64)
      throw std::bad_alloc();
    if (size == 0) return;
    const auto bytes = static_cast<std::size_t>(size) * sizeof(T);
    data_.reset(static_cast<T*>(allocate_zeroed(bytes)));
  }

  T* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace lamina
