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
  // Signals alone. Made with the GIL held; they are looked for only on the main thread, as no other may
  // handle them.
  Watch();
  // And progress(batches done, running means), or None, every 0.1 s.
  Watch(py::object progress, std::function<Standing()> standing);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  Interrupt* interrupt() { return &interrupt_; }

 private:
  void look();

  bool on_main_thread_;
  py::object progress_;
  Interrupt::Clock::time_point next_;
  std::function<Standing()> standing_;
  Interrupt interrupt_;
};

}  // namespace lamina
