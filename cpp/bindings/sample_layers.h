// The network's methods that add layers which normalise, rearrange or disturb samples.
#pragma once

#include "bindings/network.h"

namespace lamina {

template <class T>
void bind_sample_layers(py::class_<BoundNetwork<T>>& network);

}  // namespace lamina
