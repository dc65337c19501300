#include "base/memory.h"

#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lamina {
namespace {

// Large blocks start on a large page and ask for more of them: a kernel that goes down the rows of a matrix
// would miss small ones at each step.
void* allocate_zeroed(std::size_t bytes) {
  constexpr std::size_t large_page = std::size_t{2} << 20;
  const bool large = bytes >= 2 * large_page;
  const std::size_t alignment = large ? large_page : kCacheLine;
  void* p = nullptr;
  if (posix_memalign(&p, alignment, bytes) != 0) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (large) madvise(p, bytes, MADV_HUGEPAGE);  // where it is refused, small pages do too
#endif
  std::memset(p, 0, bytes);
  return p;
}

class HostMemory final : public Memory {
 public:
  void* allocate(std::size_t bytes) override { return allocate_zeroed(bytes); }
  void free(void* block) noexcept override { std::free(block); }
};

}  // namespace

Memory& host_memory() {
  static HostMemory* const memory = new HostMemory;  // blocks may outlast static destruction
  return *memory;
}

}  // namespace lamina
