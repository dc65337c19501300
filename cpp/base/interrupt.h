// How long work lets its caller look up: a signal that asks to stop, a progress display that wants to be
// drawn.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

namespace lamina {

// poll() calls `look` on the thread that made it, at most once an interval; what `look` throws ends the work.
class Interrupt {
 public:
  using Clock = std::chrono::steady_clock;

  Interrupt() = default;
  Interrupt(std::function<void()> look, Clock::duration interval)
      : look_(std::move(look)), interval_(interval), next_(Clock::now() + interval) {}

  void poll() {
    if (!look_ || Clock::now() < next_) return;
    next_ = Clock::now() + interval_;
    look_();
  }

 private:
  std::function<void()> look_;
  Clock::duration interval_{};
  Clock::time_point next_{};
};

}  // namespace lamina
