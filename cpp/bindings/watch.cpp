#include "bindings/watch.h"

#include <pybind11/stl.h>

#include <utility>

#include "bindings/released.h"

namespace lamina {
namespace {

using Clock = Interrupt::Clock;

constexpr auto kProgress = std::chrono::milliseconds(100);
constexpr auto kSignals = std::chrono::milliseconds(20);  // Ctrl-C is to be answered within 100 ms

bool is_main_thread() {
  const py::module_ threading = py::module_::import("threading");
  return threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
}

}  // namespace

Watch::Watch() : Watch(py::none(), nullptr) {}

Watch::Watch(py::object progress, std::function<Standing()> standing)
    : on_main_thread_(is_main_thread()),
      progress_(std::move(progress)),
      next_(Clock::now() + kProgress),
      standing_(std::move(standing)),
      interrupt_([this] { look(); }, kSignals) {}

void Watch::look() {
  throw_if_closing();
  if (!on_main_thread_ && progress_.is_none()) return;
  const py::gil_scoped_acquire gil;
  if (on_main_thread_ && PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (progress_.is_none() || Clock::now() < next_) return;
  next_ = Clock::now() + kProgress;
  const Standing now = standing_();
  progress_(now.batches_done, now.means);
}

}  // namespace lamina
