#include "train/together.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>

namespace lamina {
namespace {

struct Stopped {};

constexpr auto kHeed = std::chrono::milliseconds(1);  // how soon the other threads see that they are to stop
constexpr useconds_t kIdle = 1000;  // microseconds between two looks of a caller without work

thread_local char t_here;  // its address tells the caller's thread from the others

}  // namespace

std::vector<std::exception_ptr> run_together(Interrupt& interrupt, const std::vector<Epochs*>& runs) {
  std::vector<std::exception_ptr> errors(runs.size());
  // The longest first, or one that comes last would run alone at the end.
  std::vector<std::size_t> order(runs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return runs[a]->weight() > runs[b]->weight(); });
  std::atomic<std::size_t> next{0}, ended{0};
  std::atomic<bool> stopping{false}, caller_works{false};
  std::exception_ptr why;

  const auto work = [&](Interrupt& heeded) {
    for (std::size_t k; !stopping.load() && (k = next.fetch_add(1)) < runs.size();) {
      try {
        Lease lease(&heeded);  // alone where the team is taken
        runs[order[k]]->run(lease);
      } catch (const Stopped&) {
        return;
      } catch (...) {
        errors[order[k]] = std::current_exception();
      }
      ended.fetch_add(1);
    }
  };
  const char* caller = &t_here;
  const auto one_thread = [&](std::int64_t) {
    if (&t_here != caller) {
      // Or one that finds no run could take the caller's tile from it, which would wait and not look up.
      caller_works.wait(false);
      Interrupt heeded(
          [&] {
            if (stopping.load()) throw Stopped{};
          },
          kHeed);
      return work(heeded);
    }
    caller_works.store(true);
    caller_works.notify_all();
    const auto look = [&] {
      try {
        interrupt.poll();
      } catch (...) {
        why = std::current_exception();
        stopping.store(true);
        throw Stopped{};
      }
    };
    Interrupt heeded(look, Interrupt::Clock::duration::zero());
    work(heeded);
    // The team waits for its threads without looking up, so the caller does it here.
    try {
      while (!stopping.load() && ended.load() < runs.size()) {
        usleep(kIdle);
        look();
      }
    } catch (const Stopped&) {
    }
  };
  if (runs.size() > 1) {
    Lease team;
    team.run(team.threads(), one_thread);  // a tile each, whose first claim is its own
  } else {
    one_thread(0);  // and the team is for the one run
  }
  if (why != nullptr) std::rethrow_exception(why);
  return errors;
}

}  // namespace lamina
