#include "train/together.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

namespace lamina {
namespace {

struct Stopped {};

constexpr auto kHeed = std::chrono::milliseconds(1);  // how soon the other threads see that they are to stop
constexpr useconds_t kIdle = 1000;  // microseconds between two looks of a caller without work

// What one thread does from beginning to end: a run, or several side by side.
struct Job {
  std::int64_t weight = 0;
  std::function<void(Lease&)> run;
};

using Errors = std::vector<std::exception_ptr>;

// f(), whose error, unless it is that all are to stop, is noted; returns whether there was none.
template <class F>
bool noted(std::exception_ptr& error, F&& f) {
  try {
    f();
    return true;
  } catch (const Stopped&) {
    throw;
  } catch (...) {
    error = std::current_exception();
    return false;
  }
}

// Runs on one device, whose next batches it trains at once.
template <class T>
struct SideBySide {
  struct Run {
    TrainerEpochs<T>* epochs;
    std::exception_ptr* error;
  };
  const Backend<T>* backend;
  std::vector<Run> runs;

  void operator()(Lease& lease) const {
    struct Forget {
      const std::vector<Run>& runs;
      ~Forget() {
        for (const Run& run : runs) run.epochs->forget();
      }
    } const forget{runs};
    for (const Run& run : runs) run.epochs->restart();
    for (std::vector<Run> left = runs; !left.empty(); lease.poll()) left = round(lease, left);
  }

 private:
  // Those that have more to do.
  std::vector<Run> round(Lease& lease, const std::vector<Run>& all) const {
    std::vector<Run> left, ready;
    std::vector<const StackRun<T>*> stacks;
    const auto alone = [&](const Run& run) {
      if (noted(*run.error, [&] { run.epochs->train_alone(lease); })) left.push_back(run);
    };
    for (const Run& run : all) {
      const StackRun<T>* stack = nullptr;
      if (!noted(*run.error, [&] { stack = run.epochs->next_stack(lease); })) continue;
      if (stack != nullptr) {
        ready.push_back(run);
        stacks.push_back(stack);
      } else if (!run.epochs->ended()) {
        alone(run);
      }
    }
    if (ready.empty()) return left;
    std::exception_ptr failed;
    bool taken = false;
    {
      const Lease::Whole whole(lease);
      noted(failed, [&] {
        taken = backend->train_stacks(lease, stacks).empty();
        backend->finish();
        for (const Run& run : ready)
          if (taken) run.epochs->count_stack();
      });
    }
    for (const Run& run : ready) {
      if (failed != nullptr)
        *run.error = failed;
      else if (taken)
        left.push_back(run);
      else
        alone(run);
    }
    return left;
  }
};

// Adds a run to those on its device, if it is one of T on a device.
template <class T>
bool joins(std::vector<SideBySide<T>>& groups, Epochs* run, std::exception_ptr& error) {
  auto* const epochs = dynamic_cast<TrainerEpochs<T>*>(run);
  if (epochs == nullptr || !epochs->backend().on_device()) return false;
  for (SideBySide<T>& group : groups)
    if (group.backend == &epochs->backend()) {
      group.runs.push_back({epochs, &error});
      return true;
    }
  groups.push_back({&epochs->backend(), {{epochs, &error}}});
  return true;
}

template <class T>
void add_jobs(std::vector<Job>& jobs, const std::vector<SideBySide<T>>& groups) {
  for (const SideBySide<T>& group : groups) {
    std::int64_t weight = 0;
    for (const auto& run : group.runs) weight += run.epochs->weight();
    jobs.push_back({weight, group});
  }
}

std::vector<Job> jobs_of(const std::vector<Epochs*>& runs, Errors& errors) {
  std::vector<Job> jobs;
  std::vector<SideBySide<float>> floats;
  std::vector<SideBySide<double>> doubles;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (joins(floats, runs[i], errors[i]) || joins(doubles, runs[i], errors[i])) continue;
    jobs.push_back({runs[i]->weight(), [run = runs[i], error = &errors[i]](Lease& lease) {
                      noted(*error, [&] { run->run(lease); });
                    }});
  }
  add_jobs(jobs, floats);
  add_jobs(jobs, doubles);
  return jobs;
}

thread_local char t_here;  // its address tells the caller's thread from the others

}  // namespace

std::vector<std::exception_ptr> run_together(Interrupt& interrupt, const std::vector<Epochs*>& runs) {
  Errors errors(runs.size());
  // The longest first, or one that comes last would run alone at the end.
  std::vector<Job> jobs = jobs_of(runs, errors);
  std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.weight > b.weight; });
  std::atomic<std::size_t> next{0}, ended{0};
  std::atomic<bool> stopping{false}, caller_works{false};
  std::exception_ptr why;

  const auto work = [&](Interrupt& heeded) {
    for (std::size_t k; !stopping.load() && (k = next.fetch_add(1)) < jobs.size();) {
      try {
        Lease lease(&heeded);  // alone where the team is taken
        jobs[k].run(lease);
      } catch (const Stopped&) {
        return;
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
      while (!stopping.load() && ended.load() < jobs.size()) {
        usleep(kIdle);
        look();
      }
    } catch (const Stopped&) {
    }
  };
  if (jobs.size() > 1) {
    Lease team;
    team.run(team.threads(), one_thread);  // a tile each, whose first claim is its own
  } else {
    one_thread(0);  // and the team is for the one run
  }
  if (why != nullptr) std::rethrow_exception(why);
  return errors;
}

}  // namespace lamina
