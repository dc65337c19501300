#include "bindings/use.h"

#include <unistd.h>

#include "bindings/released.h"

namespace lamina {

Owning::Owning(Occupancy& occupancy) : occupancy_(occupancy) {
  if (!occupancy.try_own())
    throw std::runtime_error("this model is being trained or evaluated by another call; wait for its end");
  try {
    while (occupancy.has_readers()) {
      {
        const Released released;
        usleep(500);
      }
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
  } catch (...) {
    occupancy.leave_owning();
    throw;
  }
}

}  // namespace lamina
