// The right to work with a network: to read it beside others, or alone to train it.
#pragma once

#include <pybind11/pybind11.h>

#include <stdexcept>

#include "base/occupancy.h"

namespace lamina {

namespace py = pybind11;

// RuntimeError while another thread trains the network.
class Reading {
 public:
  explicit Reading(Occupancy& occupancy) : occupancy_(occupancy) {
    if (!occupancy.try_read())
      throw std::runtime_error("this model is being trained by another call; wait for its end");
  }
  ~Reading() { occupancy_.leave_reading(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Occupancy& occupancy_;
};

// Waits for those who read; RuntimeError while another call trains the network or evaluates it.
class Owning {
 public:
  explicit Owning(Occupancy& occupancy);
  ~Owning() { occupancy_.leave_owning(); }
  Owning(const Owning&) = delete;
  Owning& operator=(const Owning&) = delete;

 private:
  Occupancy& occupancy_;
};

}  // namespace lamina
