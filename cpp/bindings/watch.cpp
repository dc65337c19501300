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

Watch::Watch() : interrupt_([this] { look(); }, kSignals) {}

Watch::Watch(std::function<void()> look)
    : also_(std::move(look)), interrupt_([this] { this->look(); }, kSignals) {}

Watch::Watch(py::object progress, std::function<Standing()> standing)
    : progress_(std::move(progress)),
      next_(Clock::now() + kProgress),
      standing_(std::move(standing)),
      interrupt_([this] { look(); }, kSignals) {}

void Watch::look() {
  throw_if_closing();
  const bool shows = progress_ && !progress_.is_none();
  if (thread_ == Thread::kOther && !shows && also_ == nullptr) return;
  const py::gil_scoped_acquire gil;
  if (thread_ == Thread::kUnknown) thread_ = is_main_thread() ? Thread::kMain : Thread::kOther;
  if (thread_ == Thread::kMain && PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (also_ != nullptr) also_();  // last: what a handler asks for is heeded at once
  if (shows) draw();
}

void Watch::draw() {
  if (Clock::now() < next_) return;
  next_ = Clock::now() + kProgress;
  const Standing now = standing_();
  progress_(now.batches_done, now.means);
}

}  // namespace lamina
