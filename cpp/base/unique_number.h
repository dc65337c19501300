// Numbers that tell calls, batches and layouts apart.
#pragma once

#include <atomic>
#include <cstdint>

namespace lamina {

// Another one at each call, in the whole process; never 0.
inline std::uint64_t unique_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace lamina
