#include "bindings/dataset.h"

#include <pybind11/stl.h>

#include <memory>

#include "bindings/bindings.h"

namespace lamina {

void bind_dataset(py::module_& m) {
  py::class_<BoundDataset>(m, "Dataset")
      .def(py::init([](const py::object& x, const std::optional<py::array>& y,
                       const std::optional<py::array>& weight, const std::string& y_name) {
             auto bound = std::make_unique<BoundDataset>();
             bound->data.x = rows_of(x, "x");
             if (y.has_value()) bound->data.y = rows_of(*y, y_name);
             if (weight.has_value()) bound->data.weight = rows_of(*weight, "sample_weight");
             bound->data.y_name = y_name;
             bound->x = x;
             bound->y = y;
             bound->weight = weight;
             return bound;
           }),
           py::arg("x"), py::arg("y") = py::none(), py::arg("sample_weight") = py::none(),
           py::arg("y_name") = "y")
      .def("__len__", [](const BoundDataset& self) { return self.data.size(); });
}

}  // namespace lamina
