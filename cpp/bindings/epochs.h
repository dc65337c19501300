// A run of many epochs, with what it views.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>
#include <memory>

#include "base/occupancy.h"
#include "train/epochs.h"

namespace lamina {

namespace py = pybind11;

struct BoundEpochs {
  py::object trainer, data, validation;  // first: kept alive to the end
  Occupancy& occupancy;                  // of the network
  std::function<void()> forget;          // what the trainer holds of an epoch that was left half done
  std::unique_ptr<Epochs> epochs;
};

}  // namespace lamina
