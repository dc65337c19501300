// The thread team by itself: where its workers may run.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/placement.h"
#include "base/team.h"
#include "checks.h"
#include "expect.h"

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lamina {

#ifdef __linux__
namespace {

cpu_set_t processors_of(pid_t thread) {
  cpu_set_t set;
  expect(sched_getaffinity(thread, sizeof set, &set) == 0, "the processors of a thread can be asked for");
  return set;
}

bool same(const cpu_set_t& a, const cpu_set_t& b) { return CPU_EQUAL(&a, &b) != 0; }

// From when it is to be woken until it is awake, a worker is barred from the processor of who wakes it.
void check_placement() {
  const cpu_set_t all = processors_of(0);
  if (CPU_COUNT(&all) < 2) return;
  Placement place;
  std::atomic<pid_t> worker = 0;
  std::atomic<bool> called = false;
  cpu_set_t awake;
  std::thread thread([&] {
    place.sleeping();
    worker = static_cast<pid_t>(syscall(SYS_gettid));
    worker.notify_one();
    called.wait(false);
    place.awake();
    awake = processors_of(0);
  });
  worker.wait(0);
  cpu_set_t here, others = all;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &here);
  expect(sched_setaffinity(0, sizeof here, &here) == 0, "the caller stays where it is");
  place.before_waking();
  CPU_XOR(&others, &all, &here);
  const cpu_set_t barred = processors_of(worker);
  called = true;
  called.notify_one();
  thread.join();
  sched_setaffinity(0, sizeof all, &all);
  expect(same(barred, others), "a worker that is to be woken is barred from the caller's processor");
  expect(same(awake, all), "a worker that is awake has its processors back");
}

// And so is each of a team.
void check_woken_team() {
  constexpr std::int64_t tiles = 64;
  const cpu_set_t all = processors_of(0);
  std::vector<cpu_set_t> seen(tiles);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // ten times as long as workers spin
    Lease lease;
    lease.run(tiles, [&](std::int64_t i) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
      while (std::chrono::steady_clock::now() < end) {
      }
      seen[static_cast<std::size_t>(i)] = processors_of(0);
    });
    for (const cpu_set_t& set : seen) expect(same(set, all), "who works may run anywhere");
  }
}

}  // namespace

void check_team() {
  check_placement();
  check_woken_team();
}
#else
void check_team() {}
#endif

}  // namespace lamina
