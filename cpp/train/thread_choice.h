// Whether a sweep's batches are shared with the team or computed by the caller alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace lamina {

// Which is quicker no shape tells: it hangs on how far apart the processors are (a virtual machine's may lie
// around one cache now and around two a second later, where each word they share takes ten times as long) and
// on who else keeps them busy. The results are the same. So every now and then the other way is glanced at,
// tried if it looks promising, and kept while it is the quicker one.
class ThreadChoice {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // How the next batch is to be computed.
  bool alone() const { return alone_; }

  // A batch of so many samples took so long, that way.
  void took(Duration time, std::int64_t samples) {
    since_trial_ += time;
    quickest_ = std::min(quickest_, seconds(time) / static_cast<double>(samples));
    // The first one after a change finds its data in other caches, and the team asleep.
    if (batches_++ > 0) {
      spent_ += time;
      samples_ += samples;
    }
    switch (phase_) {
      case Phase::kKeeping:
        return keep();
      case Phase::kGlancing:
        return glance();
      case Phase::kTrying:
        return attempt();
    }
  }

 private:
  enum class Phase { kKeeping, kGlancing, kTrying };

  // A glance takes so long at least, a trial and what it is compared with so long, and both so many batches.
  // A thread that shares its processor with another process stands still for some milliseconds now and then,
  // and who works with it waits: a glance does not see that, and a mean over the longer time does.
  static constexpr Duration kGlance = std::chrono::milliseconds(1), kSpan = std::chrono::milliseconds(40);
  static constexpr int kFewest = 4;
  // From trial to trial it takes so long at least, and so many glances; twice that after each that was in
  // vain, so many times.
  static constexpr Duration kBetween = std::chrono::milliseconds(200);
  static constexpr int kShare = 64, kMostDoublings = 3;
  // What is to be gained, at least: batches differ by some hundredths anyway. And what ends a glance at once:
  // of many threads one has a long way to go.
  static constexpr double kWorth = 0.95, kHopeless = 1.5;
  // By so much what was kept has become slower that the other way may well be the better one now.
  static constexpr double kSlower = 1.25;

  static double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }
  bool lasted(Duration least) const { return batches_ > kFewest && spent_ >= least; }
  double mean() const { return seconds(spent_) / static_cast<double>(samples_); }

  void keep() {
    if (!lasted(kSpan)) return;
    usual_ = mean();
    if (usual_ > kSlower * kept_) doublings_ = 0;
    const Duration glances = kShare * std::max(kGlance, spent_ / (batches_ - 1) * kFewest);
    if (since_trial_ < std::max(kBetween, glances) * (1 << doublings_)) return begin(Phase::kKeeping);
    alone_ = !alone_;
    begin(Phase::kGlancing);
  }

  void glance() {
    if (batches_ > 1 && quickest_ > kHopeless * usual_) return decide(false);
    if (!lasted(kGlance)) return;
    if (quickest_ < kWorth * usual_)
      begin(Phase::kTrying);
    else
      decide(false);
  }

  void attempt() {
    if (lasted(kSpan)) decide(mean() < kWorth * usual_);
  }

  void decide(bool quicker) {
    if (!quicker) alone_ = !alone_;
    doublings_ = quicker ? 0 : std::min(doublings_ + 1, kMostDoublings);
    kept_ = quicker ? mean() : usual_;
    since_trial_ = Duration::zero();
    begin(Phase::kKeeping);
  }

  void begin(Phase phase) {
    phase_ = phase;
    spent_ = Duration::zero();
    samples_ = 0;
    batches_ = 0;
    quickest_ = std::numeric_limits<double>::infinity();
  }

  bool alone_ = false;
  Phase phase_ = Phase::kKeeping;
  // Of the phase: its batches, the time and samples of all but the first, the quickest one's seconds a
  // sample.
  int batches_ = 0;
  Duration spent_{};
  std::int64_t samples_ = 0;
  double quickest_ = std::numeric_limits<double>::infinity();
  // Seconds a sample: of the way that is kept, lately, and as the last trial left it.
  double usual_ = std::numeric_limits<double>::infinity(), kept_ = usual_;
  Duration since_trial_{};
  int doublings_ = 0;
};

}  // namespace lamina
