#include "base/team.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "base/cpus.h"
#include "base/memory.h"

namespace lamina {
namespace {

// Between two steps of a small network a worker has nothing to do for a few microseconds: it spins that long
// before it sleeps, since waking a sleeper takes longer than the step.
constexpr int kSpins = 2000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How this thread rounds, and whether it flushes subnormal numbers to 0. A library may have changed it for
// the caller alone; the workers follow, or a result would depend on who computed it.
#if defined(__x86_64__)
using FloatingPoint = unsigned;
FloatingPoint floating_point() { return __builtin_ia32_stmxcsr() & ~0x3Fu; }  // without the status flags
void set_floating_point(FloatingPoint state) { __builtin_ia32_ldmxcsr(state); }
#elif defined(__aarch64__)
using FloatingPoint = std::uint64_t;
FloatingPoint floating_point() {
  FloatingPoint state;
  asm volatile("mrs %0, fpcr" : "=r"(state));
  return state;
}
void set_floating_point(FloatingPoint state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#endif

// Waits until `value` differs from `old`: spinning at first, then asleep.
std::uint32_t wait_for_change(std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const std::uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

// A round of work is one word, so that a claim is one compare-and-swap: [number : 24][tiles : 20][next tile :
// 20]. A thread that comes late finds no tile left and touches nothing; so a round waits for tiles that are
// being computed, never for threads that did not wake, and a busy machine costs little.
class Round {
 public:
  static constexpr std::int64_t kMostTiles = (1 << 20) - 1;

  static std::uint64_t make(std::uint64_t number, std::int64_t tiles) {
    return number << 40 | static_cast<std::uint64_t>(tiles) << 20;
  }
  static std::int64_t tiles(std::uint64_t word) { return static_cast<std::int64_t>(word >> 20 & kMostTiles); }
  static std::int64_t next(std::uint64_t word) { return static_cast<std::int64_t>(word & kMostTiles); }

  // The next tile, or -1.
  static std::int64_t claim(std::atomic<std::uint64_t>& round) {
    std::uint64_t word = round.load(std::memory_order_acquire);
    do {
      if (next(word) >= tiles(word)) return -1;
    } while (
        !round.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel, std::memory_order_acquire));
    return next(word);
  }
};

class Team {
 public:
  explicit Team(int threads) : size_(threads) {
    try {
      for (int t = 1; t < threads; ++t) workers_.emplace_back([this] { work(); });
    } catch (const std::exception&) {  // a thread could not be had: those that could will do
    }
  }

  ~Team() {
    stopping_.store(true, std::memory_order_relaxed);
    wake();
    for (auto& worker : workers_) worker.join();
  }

  int size() const { return size_; }

  void run(std::int64_t tiles, void (*call)(void*, std::int64_t), void* tile, Lease& lease) {
    call_ = call;
    tile_ = tile;
    floating_point_ = floating_point();
    failed_.store(false, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    round_.store(Round::make(++number_ & 0xFFFFFF, tiles), std::memory_order_release);
    wake();
    while (one_tile(&lease)) {
    }
    const auto all = static_cast<std::uint32_t>(tiles);
    for (std::uint32_t n; (n = done_.load(std::memory_order_acquire)) != all;) wait_for_change(done_, n);
    if (failed_.load(std::memory_order_relaxed)) {
      std::exception_ptr error;
      std::swap(error, error_);
      std::rethrow_exception(error);
    }
  }

 private:
  void wake() {
    calls_.fetch_add(1, std::memory_order_release);
    calls_.notify_all();
  }

  // Claims and computes a tile. After a failure the others are claimed and left.
  bool one_tile(Lease* caller) noexcept {
    const std::int64_t i = Round::claim(round_);
    if (i < 0) return false;
    if (!failed_.load(std::memory_order_relaxed)) {
      try {
        if (caller == nullptr) set_floating_point(floating_point_);
        call_(tile_, i);
        if (caller != nullptr) caller->poll();
      } catch (...) {
        if (!failed_.exchange(true)) error_ = std::current_exception();
      }
    }
    // The claimed tile keeps the round open: after this line the round, and what it works on, may be gone.
    done_.fetch_add(1, std::memory_order_acq_rel);
    if (caller == nullptr) done_.notify_one();
    return true;
  }

  void work() {
    for (std::uint32_t seen = 0;;) {
      seen = wait_for_change(calls_, seen);
      if (stopping_.load(std::memory_order_relaxed)) return;
      while (one_tile(nullptr)) {
      }
    }
  }

  void (*call_)(void*, std::int64_t) = nullptr;
  void* tile_ = nullptr;
  FloatingPoint floating_point_{};
  const int size_;
  std::uint64_t number_ = 0;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> stopping_{false};
  alignas(kCacheLine) std::atomic<std::uint64_t> round_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> done_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> calls_{0};
  std::vector<std::thread> workers_;  // last: they use all of the above
};

namespace {

// The process's team: made when first needed, made anew when its size changed or after a fork (a child has
// only the thread that forked, so the parent's team is left behind, as it is).
struct Owner {
  std::mutex mutex;
  std::atomic<int> wanted{0};  // 0: not asked yet
  bool leased = false;
  Team* team = nullptr;
};

Owner* g_owner = nullptr;
std::atomic<int> g_forks{0};  // before this process

void after_fork_in_child() {
  const int wanted = g_owner->wanted.load(std::memory_order_relaxed);
  g_owner = new Owner;  // the old one's mutex and team belong to threads that do not exist here
  g_owner->wanted.store(wanted, std::memory_order_relaxed);
  g_forks.fetch_add(1, std::memory_order_relaxed);
}

Owner& owner() {
  static const bool made = [] {
    g_owner = new Owner;  // lives as long as the process: threads may outlast static destruction
#if defined(__linux__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, after_fork_in_child);
#endif
    return true;
  }();
  static_cast<void>(made);
  return *g_owner;
}

}  // namespace

int num_threads() {
  int wanted = owner().wanted.load(std::memory_order_relaxed);
  if (wanted == 0) {
    wanted = available_cpus();
    owner().wanted.store(wanted, std::memory_order_relaxed);
  }
  return wanted;
}

void set_num_threads(int n) { owner().wanted.store(std::max(n, 1), std::memory_order_relaxed); }

Lease::Lease(Interrupt* interrupt) : interrupt_(interrupt) {
  const int wanted = num_threads();
  if (wanted == 1) return;
  Owner& own = owner();
  const std::lock_guard lock(own.mutex);
  if (own.leased) return;
  if (own.team == nullptr || own.team->size() != wanted) {
    delete own.team;
    own.team = nullptr;
    own.team = new Team(wanted);
  }
  own.leased = true;
  team_ = own.team;
  forks_ = g_forks.load(std::memory_order_relaxed);
}

Lease::~Lease() {
  if (team_ == nullptr) return;
  Owner& own = owner();
  const std::lock_guard lock(own.mutex);
  if (forks_ == g_forks.load(std::memory_order_relaxed)) own.leased = false;
}

void Lease::run_erased(std::int64_t tiles, void (*call)(void*, std::int64_t), void* tile) {
  if (team_ != nullptr && tiles > 1 && tiles <= Round::kMostTiles)
    return team_->run(tiles, call, tile, *this);
  for (std::int64_t i = 0; i < tiles; ++i) {
    call(tile, i);
    poll();
  }
}

}  // namespace lamina
