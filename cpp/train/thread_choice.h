// Whether a sweep's batches are shared with the team or computed by the caller alone.
#pragma once

#include <algorithm>
#include <chrono>

namespace lamina {

// Which is quicker no shape tells: it hangs on how far apart the processors are (a virtual machine's may lie
// around one cache now and around two a second later, where each word they share takes ten times as long) and
// on who else keeps them busy. The results are the same. So every now and then the other way is tried for a
// moment, and kept while it is the quicker one.
class ThreadChoice {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // How the next batch is to be computed.
  bool alone() const { return alone_; }

  // A whole batch took so long, that way.
  void took(Duration time) {
    spent_ += time;
    since_trial_ += time;
    // Not their mean: the first one after a change finds its data in other caches, and the team asleep.
    quickest_ = std::min(quickest_, time);
    if (++batches_ < kFewest || spent_ < kMoment) return;
    if (trying_)
      decide();
    else
      go_on();
    begin_moment();
  }

 private:
  // A moment lasts so long at least, and so many batches.
  static constexpr Duration kMoment = std::chrono::milliseconds(1);
  static constexpr int kFewest = 4;
  // From trial to trial it takes so long at least, twice as long after each that was in vain, so many times;
  // and so many times as long as a trial.
  static constexpr Duration kBetween = std::chrono::milliseconds(200);
  static constexpr int kShare = 64, kMostDoublings = 3;
  // What is to be gained, at least: batches differ by some hundredths anyway.
  static constexpr double kWorth = 0.95;

  void decide() {
    trying_ = false;
    since_trial_ = Duration::zero();
    const bool quicker = std::chrono::duration<double>(quickest_) < kWorth * usual_;
    if (!quicker) alone_ = !alone_;
    doublings_ = quicker ? 0 : std::min(doublings_ + 1, kMostDoublings);
    next_trial_ = std::max(kBetween * (1 << doublings_), kShare * spent_);
  }

  void go_on() {
    usual_ = quickest_;
    if (since_trial_ < next_trial_) return;
    alone_ = !alone_;
    trying_ = true;
  }

  void begin_moment() {
    spent_ = Duration::zero();
    quickest_ = Duration::max();
    batches_ = 0;
  }

  bool alone_ = false, trying_ = false;
  Duration spent_{}, since_trial_{}, next_trial_ = kBetween;
  Duration quickest_ = Duration::max(), usual_{};  // of this moment's batches, and of the last one's before
  int batches_ = 0, doublings_ = 0;
};

}  // namespace lamina
