// Whether a sweep's batches are shared with the team or computed by the caller alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

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

  // A batch of so many samples took so long, that way.
  void took(Duration time, std::int64_t samples) {
    spent_ += time;
    since_trial_ += time;
    // Not their mean: the first one after a change finds its data in other caches, and the team asleep.
    quickest_ =
        std::min(quickest_, std::chrono::duration<double>(time).count() / static_cast<double>(samples));
    ++batches_;
    const bool hopeless = trying_ && batches_ > 1 && quickest_ > kHopeless * usual_;
    if (!hopeless && (batches_ < kFewest || spent_ < kMoment)) return;
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
  // From trial to trial it takes so long at least, and so many moments; twice that after each that was in
  // vain, so many times.
  static constexpr Duration kBetween = std::chrono::milliseconds(200);
  static constexpr int kShare = 64, kMostDoublings = 3;
  // What is to be gained, at least: batches differ by some hundredths anyway. And what ends a trial at once:
  // of many threads one has a long way to go.
  static constexpr double kWorth = 0.95, kHopeless = 1.5;
  // By so much what was kept has become slower that the other way may well be the better one now.
  static constexpr double kSlower = 1.25;

  void decide() {
    trying_ = false;
    since_trial_ = Duration::zero();
    const bool quicker = quickest_ < kWorth * usual_;
    if (!quicker) alone_ = !alone_;
    doublings_ = quicker ? 0 : std::min(doublings_ + 1, kMostDoublings);
    kept_ = quicker ? quickest_ : usual_;
  }

  void go_on() {
    usual_ = quickest_;
    if (usual_ > kSlower * kept_) doublings_ = 0;
    if (since_trial_ < std::max(kBetween, kShare * spent_) * (1 << doublings_)) return;
    alone_ = !alone_;
    trying_ = true;
  }

  void begin_moment() {
    spent_ = Duration::zero();
    quickest_ = std::numeric_limits<double>::infinity();
    batches_ = 0;
  }

  bool alone_ = false, trying_ = false;
  Duration spent_{}, since_trial_{};
  // Seconds a sample, of the quickest batch of this moment and of the last one before.
  double quickest_ = std::numeric_limits<double>::infinity(), usual_ = quickest_;
  double kept_ = quickest_;  // that of the way that the last trial left
  int batches_ = 0, doublings_ = 0;
};

}  // namespace lamina
