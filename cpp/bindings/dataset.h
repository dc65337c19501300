// A data set with the arrays that it views.
#pragma once

#include "bindings/arrays.h"
#include "train/dataset.h"

namespace lamina {

struct BoundDataset {
  Dataset data;
  py::object x;
  std::optional<py::array> y, weight;
};

}  // namespace lamina
