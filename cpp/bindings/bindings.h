// The parts of the module.
#pragma once

#include <pybind11/pybind11.h>

namespace lamina {

void bind_machine(pybind11::module_& m);
void bind_random(pybind11::module_& m);
void bind_dataset(pybind11::module_& m);
void bind_networks(pybind11::module_& m);
void bind_epochs(pybind11::module_& m);
void bind_schedules(pybind11::module_& m);
void bind_optimizers(pybind11::module_& m);
void bind_trainers(pybind11::module_& m);
void bind_ops(pybind11::module_& m);

}  // namespace lamina
