// How far the host runs ahead of a device: some hundredths of a second, so that a signal does not wait for
// long.
#pragma once

#include <algorithm>
#include <chrono>

namespace lamina {

// The queue is marked every so many batches, and a third mark waits for the first: two intervals are under
// way at most, and a device never waits for the host, as one of them is whole. How long an interval took
// decides how many batches the next one has.
template <class Clock = std::chrono::steady_clock>
class Pace {
 public:
  // One more batch was asked for of a backend.
  template <class Backend>
  void batch(const Backend& backend) {
    if (++batches_ < between_) return;
    const int which = marks_++ % 2;
    if (marks_ > 2) {
      backend.await(which);
      const auto now = Clock::now();
      if (marks_ > 3) follow(std::chrono::duration<double>(now - seen_) / sizes_[which]);
      seen_ = now;
    }
    backend.mark(which);
    sizes_[which] = batches_;
    batches_ = 0;
  }

 private:
  static constexpr std::chrono::duration<double> kInterval{0.01};
  static constexpr double kMost = 1 << 12;

  void follow(std::chrono::duration<double> batch) {
    const double fit = batch.count() > 0 ? kInterval / batch : kMost;
    between_ = static_cast<int>(std::clamp(fit, 1.0, std::min(2.0 * between_, kMost)));
  }

  int batches_ = 0, between_ = 1;  // since the last mark, and from mark to mark
  int marks_ = 0, sizes_[2] = {0, 0};
  typename Clock::time_point seen_{};  // when a mark was last passed
};

}  // namespace lamina
