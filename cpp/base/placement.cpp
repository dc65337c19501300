#include "base/placement.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lamina {

#ifdef __linux__

void Placement::sleeping() {
  if (worker_ == 0) worker_ = static_cast<pid_t>(syscall(SYS_gettid));
  state_.store(kAsleep, std::memory_order_release);
}

void Placement::awake() {
  State state = kAsleep;
  while (!state_.compare_exchange_weak(state, kAwake, std::memory_order_acq_rel)) {
    cpu_set_t now;  // which someone else may have set meanwhile
    if (state == kBarred && sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&now, &others_) != 0)
      sched_setaffinity(0, sizeof allowed_, &allowed_);
    if (state == kPlacing) {
      sched_yield();
      state = kAsleep;
    }
  }
}

void Placement::bar_from_here() {
  State state = kAsleep;
  if (!state_.compare_exchange_strong(state, kPlacing, std::memory_order_acq_rel)) return;
  State placed = kUnplaced;
  const int here = sched_getcpu();
  if (here >= 0 && here < CPU_SETSIZE && sched_getaffinity(worker_, sizeof allowed_, &allowed_) == 0) {
    others_ = allowed_;
    CPU_CLR(static_cast<std::size_t>(here), &others_);
    if (CPU_COUNT(&others_) > 0 && sched_setaffinity(worker_, sizeof others_, &others_) == 0)
      placed = kBarred;
  }
  state_.store(placed, std::memory_order_release);
}

#else

void Placement::sleeping() {}
void Placement::awake() {}
void Placement::bar_from_here() {}

#endif

}  // namespace lamina
