#include "base/team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "base/cpus.h"
#include "base/memory.h"
#include "base/placement.h"

namespace lamina {
namespace {

// Between two rounds a worker has nothing to do for some microseconds: it spins that long before it sleeps,
// since waking a sleeper takes longer (some 50 us) than many a step. A pause takes from 10 to 100 ns, so time
// is what counts.
constexpr std::chrono::microseconds kSpinTime(200);
constexpr int kSpinsPerLook = 32;

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

// Waits until `value` differs from `old`: spinning at first, then in sleep(), which waits for it.
template <class Sleep>
std::uint32_t wait_for_change(std::atomic<std::uint32_t>& value, std::uint32_t old, Sleep sleep) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kSpinsPerLook; ++i) {
      const std::uint32_t now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  sleep();
  return value.load(std::memory_order_acquire);
}

}  // namespace

// What is left of one thread's share of a round, in one word, so that a claim is one compare-and-swap:
// [number of the round : 24][next tile : 20][end : 20]. Its owner claims from the front, whoever has done
// with his own from the back. A thread that comes late finds no tile left and touches nothing; so a round
// waits for tiles that are being computed, never for threads that did not wake, and a busy machine costs
// little.
class Share {
 public:
  static constexpr std::int64_t kMostTiles = (1 << 20) - 1;

  void set(std::uint64_t round, std::int64_t first, std::int64_t end) {
    word_.store(round << 40 | static_cast<std::uint64_t>(first) << 20 | static_cast<std::uint64_t>(end),
                std::memory_order_release);
  }

  // A tile, or -1.
  std::int64_t claim_first() {
    return claim([](std::uint64_t word) { return word + (1 << 20); }, next);
  }
  std::int64_t claim_last() {
    return claim([](std::uint64_t word) { return word - 1; },
                 [](std::uint64_t word) { return end(word) - 1; });
  }

 private:
  static std::int64_t next(std::uint64_t word) { return static_cast<std::int64_t>(word >> 20 & kMostTiles); }
  static std::int64_t end(std::uint64_t word) { return static_cast<std::int64_t>(word & kMostTiles); }

  template <class Taken, class Tile>
  std::int64_t claim(Taken taken, Tile tile) {
    std::uint64_t word = word_.load(std::memory_order_acquire);
    do {
      if (next(word) >= end(word)) return -1;
    } while (!word_.compare_exchange_weak(word, taken(word), std::memory_order_acq_rel,
                                          std::memory_order_acquire));
    return tile(word);
  }

  alignas(kCacheLine) std::atomic<std::uint64_t> word_{0};
};

class Team {
 public:
  explicit Team(int threads)
      : size_(threads), shares_(static_cast<std::size_t>(threads)), places_(shares_.size()) {
    try {
      for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { work(t); });
    } catch (const std::exception&) {  // a thread could not be had: those that could will do
    }
  }

  ~Team() {
    stopping_.store(true, std::memory_order_relaxed);
    wake(size_);
    for (auto& worker : workers_) worker.join();
  }

  int size() const { return size_; }

  void run(std::int64_t tiles, void (*call)(void*, std::int64_t), void* tile, Lease& lease) {
    call_ = call;
    tile_ = tile;
    floating_point_ = floating_point();
    failed_.store(false, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    // Equal shares in the order of the tiles: from round to round a thread gets the same part of a matrix of
    // weights, and finds it in its own cache.
    ++number_;
    for (int t = size_; t-- > 0;)
      shares_[static_cast<std::size_t>(t)].set(number_ & 0xFFFFFF, tiles * t / size_,
                                               tiles * (t + 1) / size_);
    wake(tiles);
    work_off(0, &lease);
    const auto all = static_cast<std::uint32_t>(tiles);
    for (std::uint32_t n; (n = done_.load(std::memory_order_acquire)) != all;)
      wait_for_change(done_, n, [&] { done_.wait(n, std::memory_order_acquire); });
    if (failed_.load(std::memory_order_relaxed)) {
      std::exception_ptr error;
      std::swap(error, error_);
      std::rethrow_exception(error);
    }
  }

 private:
  // Whoever spins sees it; of those who sleep no more are woken than there are tiles for.
  void wake(std::int64_t tiles) {
    for (std::size_t i = 0; i < workers_.size(); ++i) places_[i].before_waking();  // whoever it will be
    calls_.fetch_add(1, std::memory_order_release);
    if (tiles >= size_)
      calls_.notify_all();
    else
      for (std::int64_t i = 1; i < tiles; ++i) calls_.notify_one();
  }

  // Computes the tiles of thread t's own share, then what others have left of theirs.
  void work_off(int t, Lease* caller) noexcept {
    std::uint32_t done = 0;
    for (int k = 0; k < size_; ++k) {
      Share& share = shares_[static_cast<std::size_t>((t + k) % size_)];
      for (std::int64_t i; (i = k == 0 ? share.claim_first() : share.claim_last()) >= 0; ++done)
        compute(i, caller);
    }
    if (done == 0) return;
    // The claimed tiles keep the round open: after this line the round, and what it works on, may be gone.
    done_.fetch_add(done, std::memory_order_acq_rel);
    if (caller == nullptr) done_.notify_one();
  }

  // After a failure the tiles are claimed and left.
  void compute(std::int64_t i, Lease* caller) noexcept {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      if (caller == nullptr) set_floating_point(floating_point_);
      call_(tile_, i);
      if (caller != nullptr) caller->poll();
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  void work(int t) {
    Placement& place = places_[static_cast<std::size_t>(t - 1)];
    for (std::uint32_t seen = 0;;) {
      seen = wait_for_change(calls_, seen, [&] {
        place.sleeping();
        calls_.wait(seen, std::memory_order_acquire);
        place.awake();
      });
      if (stopping_.load(std::memory_order_relaxed)) return;
      work_off(t, nullptr);
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
  std::vector<Share> shares_;      // one a thread, the caller's first
  std::vector<Placement> places_;  // one a worker, and one to spare
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

int Lease::threads() const { return team_ != nullptr && !alone_ ? team_->size() : 1; }

void Lease::run_erased(std::int64_t tiles, void (*call)(void*, std::int64_t), void* tile) {
  if (team_ != nullptr && !alone_ && tiles > 1 && tiles <= Share::kMostTiles)
    return team_->run(tiles, call, tile, *this);
  for (std::int64_t i = 0; i < tiles; ++i) {
    call(tile, i);
    poll();
  }
}

}  // namespace lamina
