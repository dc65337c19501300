// Working without the GIL, and how that ends when the interpreter does: a thread that came back for the GIL
// after finalisation would be killed in the middle of C++. So an exit hook asks those inside to stop, and
// waits for them.
#pragma once

#include <pybind11/pybind11.h>

namespace lamina {

namespace py = pybind11;

// One thread's stay inside the core. RuntimeError once the interpreter is closing.
class Inside {
 public:
  Inside();
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

// The GIL is released while it lives.
class Released {
 private:
  Inside inside_;  // first: it ends last, when the GIL is held again
  py::gil_scoped_release release_;
};

// Throws once the interpreter is closing; needs no GIL.
void throw_if_closing();

void bind_exit(py::module_& m);

}  // namespace lamina
