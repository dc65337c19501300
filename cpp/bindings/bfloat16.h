// Layers that compute in bfloat16, for networks of float; and their products, as the kernels' tests call
// them.
#pragma once

#include "bindings/network.h"

namespace lamina {

void bind_bfloat16_layers(py::class_<BoundNetwork<float>>& network);
void bind_bfloat16_ops(py::module_& m);

}  // namespace lamina
