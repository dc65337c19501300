// Layers that compute in bfloat16, for networks of float; and their products, as the kernels' tests call
// them.
#pragma once

#include <memory>
#include <utility>

#include "backend/bfloat16.h"
#include "bindings/network.h"

namespace lamina {

// Adds a layer that computes by the bfloat16 verbs of the network's backend.
template <class L, class... Arguments>
void add_bfloat16(BoundNetwork<float>& self, Arguments&&... arguments) {
  const Bfloat16Backend& verbs = bfloat16_backend_named(self.network.backend().name());
  self.network.add(std::make_unique<L>(verbs, std::forward<Arguments>(arguments)...));
}

void bind_bfloat16_layers(py::class_<BoundNetwork<float>>& network);
void bind_bfloat16_ops(py::module_& m);

}  // namespace lamina
