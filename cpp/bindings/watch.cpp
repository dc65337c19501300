#include "bindings/watch.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <utility>

#include "bindings/released.h"

namespace lamina {
namespace {

using Clock = Interrupt::Clock;

constexpr auto kSignals = std::chrono::milliseconds(20);  // Ctrl-C is to be answered within 100 ms

bool is_main_thread() {
  const py::module_ threading = py::module_::import("threading");
  return threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
}

}  // namespace

Watch::Watch(py::object progress, double interval, std::function<Standing()> standing)
    : on_main_thread_(is_main_thread()),
      progress_(std::move(progress)),
      interval_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(interval))),
      next_(Clock::now() + interval_),
      standing_(std::move(standing)) {
  const Clock::duration longest = kSignals;
  interrupt_ = Interrupt([this] { look(); }, progress_.is_none() ? longest : std::min(interval_, longest));
}

void Watch::look() {
  throw_if_closing();
  if (!on_main_thread_ && progress_.is_none()) return;
  const py::gil_scoped_acquire gil;
  if (on_main_thread_ && PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (progress_.is_none() || Clock::now() < next_) return;
  next_ = Clock::now() + interval_;
  const Standing now = standing_();
  progress_(now.batches_done, now.means);
}

}  // namespace lamina
