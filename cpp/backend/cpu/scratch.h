// Memory of a thread's own, where it lays out what a tile reads again and again. It grows to what was asked
// and stays: what one core writes and another reads costs more than doing it twice.
#pragma once

#include <cstdint>

#include "base/memory.h"

namespace lamina {

template <class T>
class Scratch {
 public:
  static Scratch& of_this_thread() {
    thread_local Scratch scratch;
    return scratch;
  }

  // Panels of rows, of some call's input; holds_panels(): they are already what is asked for.
  T* panels(std::int64_t size) { return at_least(panels_, size); }
  bool holds_panels(std::uint64_t call, std::int64_t part) {
    const bool same = call == call_ && part == part_;
    call_ = call;
    part_ = part;
    return same;
  }

  T* result(std::int64_t size) { return at_least(result_, size); }

 private:
  static T* at_least(Buffer<T>& buffer, std::int64_t size) {
    if (buffer.size() < size) buffer = Buffer<T>(size);
    return buffer.data();
  }

  Buffer<T> panels_, result_;
  std::uint64_t call_ = 0;
  std::int64_t part_ = -1;
};

}  // namespace lamina
