// Activations whose slope needs the input: their layers, and the functions on arrays.
#pragma once

#include "bindings/network.h"

namespace lamina {

template <class T>
void bind_nonlinear_layers(py::class_<BoundNetwork<T>>& network);
void bind_nonlinear_ops(py::module_& m);

}  // namespace lamina
