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
  // progress(batches done, running means), or None. Made with the GIL held. Signals are looked for only on
  // the main thread: no other may handle them.
  Watch(py::object progress, double interval, std::function<Standing()> standing);

  Interrupt* interrupt() { return &interrupt_; }

 private:
  void look();

  bool on_main_thread_;
  py::object progress_;
  Interrupt::Clock::duration interval_;
  Interrupt::Clock::time_point next_;
  std::function<Standing()> standing_;
  Interrupt interrupt_;
};

}  // namespace lamina
