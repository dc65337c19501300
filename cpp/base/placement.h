// Where a sleeping worker wakes. A scheduler likes to wake a thread on the processor of its waker, which it
// expects to sleep soon; but the caller computes on, and the two would share one processor for a millisecond
// and more, with others idle. So a worker is barred from the caller's processor before it is woken, until it
// is awake.
#pragma once

#include <atomic>

#ifdef __linux__
#include <sched.h>
#endif

namespace lamina {

// Of one worker. On systems but Linux it does nothing.
class Placement {
 public:
  // By the worker, around its sleep.
  void sleeping();
  void awake();

  // By the caller; costs one load where the worker is not asleep, or has been placed.
  void before_waking() {
    if (state_.load(std::memory_order_relaxed) == kAsleep) bar_from_here();
  }

 private:
  // kPlacing: the caller is about it; then the worker is barred, or could not be.
  enum State { kAwake, kAsleep, kPlacing, kBarred, kUnplaced };

  void bar_from_here();

  std::atomic<State> state_{kAwake};
#ifdef __linux__
  pid_t worker_ = 0;
  cpu_set_t allowed_, others_;  // what the worker goes back to, and where it is to wake
#endif
};

}  // namespace lamina
