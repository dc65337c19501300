// Who works with a thing: any number of readers, or one owner who changes it. It never blocks: a caller is
// let in or not, and an owner asks again until the readers have left.
#pragma once

#include <unistd.h>

#include <atomic>

namespace lamina {

class Occupancy {
 public:
  bool try_read() {
    forget_other_process();
    int state = state_.load();
    do {
      if ((state & kOwned) != 0) return false;
    } while (!state_.compare_exchange_weak(state, state + 1));
    return true;
  }
  void leave_reading() { state_.fetch_sub(1); }

  // From then on no reader comes in; those inside may still read.
  bool try_own() {
    forget_other_process();
    return (state_.fetch_or(kOwned) & kOwned) == 0;
  }
  bool has_readers() const { return (state_.load() & ~kOwned) != 0; }
  void leave_owning() { state_.fetch_and(~kOwned); }

 private:
  static constexpr int kOwned = 1 << 30;

  // In a forked child the parent's threads, whom the state counts, do not exist.
  void forget_other_process() {
    const pid_t here = getpid();
    if (process_.exchange(here) != here) state_.store(0);
  }

  std::atomic<int> state_{0};
  std::atomic<pid_t> process_{getpid()};
};

}  // namespace lamina
