// The choice between the team and one thread, on machines made up: what a batch takes each way, from when on.
#include "train/thread_choice.h"

#include <algorithm>
#include <cstdint>

#include "checks.h"
#include "expect.h"

namespace lamina {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Duration = ThreadChoice::Duration;

// Batches until so much time has gone by; returns what the batches that were computed alone took of it.
Duration work(ThreadChoice& choice, Duration length, Duration together, Duration alone) {
  Duration spent{}, spent_alone{};
  while (spent < length) {
    const bool by_one = choice.alone();
    const Duration time = by_one ? alone : together;
    choice.took(time, 32);
    spent += time;
    if (by_one) spent_alone += time;
  }
  return spent_alone;
}

}  // namespace

void check_thread_choice() {
  using std::chrono::seconds;
  for (const Duration batch : {Duration(microseconds(10)), Duration(milliseconds(40))}) {
    const Duration length = std::max<Duration>(seconds(20), 8000 * batch);
    {
      ThreadChoice choice;
      const Duration trials = work(choice, length, batch, 2 * batch);
      expect(trials > Duration::zero(), "what may be the quicker way is tried");
      expect(trials < length / 32, "trials in vain take little");
    }
    {
      ThreadChoice choice;
      const Duration alone = work(choice, length, 2 * batch, batch);
      expect(length - alone < length / 8, "the quicker way is found, and kept");
      const Duration again = work(choice, length, batch, 2 * batch);
      expect(again < length / 8, "and left when it is no more");
    }
    {
      ThreadChoice choice;
      const Duration slightly = batch - batch / 50;
      expect(work(choice, length, batch, slightly) < length / 32, "a hundredth or two is no reason");
    }
    {
      ThreadChoice choice;
      const Duration trials = work(choice, 300 * batch, batch, 16 * batch);
      expect(trials < 40 * batch, "a trial that is long ends soon, and comes late");
    }
    {  // small batches happen to come when the other way is tried
      ThreadChoice choice;
      Duration spent{}, alone{};
      while (spent < length) {
        const bool by_one = choice.alone();
        const Duration time = by_one ? batch / 5 : batch;
        choice.took(time, by_one ? 3 : 32);
        spent += time;
        if (by_one) alone += time;
      }
      expect(alone < length / 32, "a batch of few samples is no quick one");
    }
    {  // a worker shares its processor with another process, and is stopped for 3 ms after 3 ms
      ThreadChoice choice;
      const Duration slice = milliseconds(3);
      Duration spent{}, alone{}, worked{};
      while (spent < length) {
        const bool by_one = choice.alone();
        Duration time = by_one ? batch * 8 / 5 : batch;
        if (!by_one)
          for (worked += batch; worked >= slice; worked -= slice) time += slice;
        choice.took(time, 32);
        spent += time;
        if (by_one) alone += time;
      }
      expect(length - alone < length / 8, "what stands still now and then is not the quicker way");
    }
    {  // the team is asleep, and data lie elsewhere, after each change
      ThreadChoice choice;
      bool before = false;
      Duration spent{}, alone{};
      while (spent < length) {
        const bool by_one = choice.alone();
        const Duration time = (by_one ? batch : 2 * batch) * (by_one == before ? 1 : 50);
        before = by_one;
        choice.took(time, 32);
        spent += time;
        if (by_one) alone += time;
      }
      expect(length - alone < length / 4, "what the change itself costs does not count");
    }
  }
}

}  // namespace lamina
