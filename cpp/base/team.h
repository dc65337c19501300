// The thread team: the only file that knows threads. One persistent team serves the process. Work comes as
// numbered tiles, cut by shape and never by thread count, each computed by one thread in a fixed order: so
// results do not depend on how many threads there are.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/interrupt.h"

namespace lamina {

// Threads that the next lease may use, the caller's own included. set_num_threads: n >= 1.
int num_threads();
void set_num_threads(int n);

// The right to use the team. When another thread of the process holds it, the lease works alone, with the
// same results.
class Lease {
 public:
  explicit Lease(Interrupt* interrupt = nullptr);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Calls tile(i) for i in 0..tiles-1 and returns when all are done. The caller's interrupt is polled between
  // its tiles; an exception from a tile or the poll is thrown here, once every thread has stopped.
  template <class Tile>
  void run(std::int64_t tiles, Tile&& tile) {
    using F = std::remove_reference_t<Tile>;
    run_erased(
        tiles, [](void* f, std::int64_t i) { (*static_cast<F*>(f))(i); },
        const_cast<std::remove_const_t<F>*>(&tile));
  }

  // How many threads share the work, if all of them come.
  int threads() const;
  // Whether there is a team, and from now on to do without it; the results are the same.
  bool has_team() const { return team_ != nullptr; }
  void work_alone(bool alone) { alone_ = alone; }

  // Between tiles or batches on the caller's thread.
  void poll() {
    if (interrupt_ != nullptr) interrupt_->poll();
  }

  // While it lives, nothing interrupts: what changes a model must run to its end.
  class Whole {
   public:
    explicit Whole(Lease& lease) : lease_(lease), interrupt_(lease.interrupt_) { lease.interrupt_ = nullptr; }
    ~Whole() { lease_.interrupt_ = interrupt_; }
    Whole(const Whole&) = delete;
    Whole& operator=(const Whole&) = delete;

   private:
    Lease& lease_;
    Interrupt* interrupt_;
  };

 private:
  void run_erased(std::int64_t tiles, void (*call)(void*, std::int64_t), void* tile);

  Interrupt* interrupt_;
  class Team* team_ = nullptr;  // null: alone
  bool alone_ = false;
  int forks_ = 0;  // how often the process had forked
};

}  // namespace lamina
