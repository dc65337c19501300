// Losses and metrics as Python names them: a name; a dict with "kind" and parameters; a function of the
// caller's.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "train/objective.h"

namespace lamina {

namespace py = pybind11;

// What _core/trainer.pyi says of the trainer's arguments. The caller's own functions go to `own`.
template <class T>
TrainingForm training_form(const py::object& loss, bool from_logits, double label_smoothing,
                           const std::string& reduction, const py::sequence& metrics, Own<T>& own);

}  // namespace lamina
