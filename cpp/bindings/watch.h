// Between batches, now and then: signals are handled, the progress display is drawn, and a closing
// interpreter is heeded.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <functional>

#include "base/interrupt.h"
#include "train/trainer.h"

namespace lamina {

namespace py = pybind11;

class Watch {
 public:
  // Signals alone. They are looked for only on the main thread, as no other may handle them. It costs next to
  // nothing until the first look.
  Watch();
  // And then look(), with the GIL held, in any thread.
  explicit Watch(std::function<void()> look);
  // And progress(batches done, running means), or None, every 0.1 s.
  Watch(py::object progress, std::function<Standing()> standing);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  Interrupt* interrupt() { return &interrupt_; }

 private:
  void look();
  void draw();

  enum class Thread { kUnknown, kMain, kOther } thread_ = Thread::kUnknown;
  std::function<void()> also_;
  py::object progress_;
  Interrupt::Clock::time_point next_;
  std::function<Standing()> standing_;
  Interrupt interrupt_;
};

}  // namespace lamina
