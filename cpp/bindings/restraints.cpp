// Penalties and constraints of a network's parameters, and penalties on its layers' outputs.
#include "base/error.h"
#include "bindings/bindings.h"
#include "bindings/network.h"
#include "nn/layers/output_penalty.h"

namespace lamina {
namespace {

template <class T>
Layer<T>& layer_of(BoundNetwork<T>& self, std::size_t i) {
  require(i < self.network.layers().size(), "layer: expected one of ", self.network.layers().size(), ", got ",
          i);
  return *self.network.layers()[i];
}

template <class T>
const Parameter& parameter_of(const Layer<T>& layer, std::size_t k) {
  require(k < layer.parameters().size(), "parameter: expected one of ", layer.parameters().size(), ", got ",
          k);
  return layer.parameters()[k];
}

// Which of the rows as they are held share a norm, for the axes of the array that Keras sees.
NormOver norm_over(const Parameter& p, const std::string& axes) {
  if (axes == "all") return NormOver::kAll;
  require(!p.vector && p.shape.empty(), "constraint: axis: not supported along some axes of ", p.name,
          " only, expected all");
  require(axes == "first" || axes == "last", "axes: expected first, last or all, got ", axes);
  return (axes == "first") == p.transposed ? NormOver::kRows : NormOver::kColumns;
}

// A program's own penalty and constraint: they are called with a copy of the weight, and with a view of where
// the result goes, which lives as long as the call.
template <class T>
void restrain(BoundNetwork<T>& self, std::size_t layer, std::size_t parameter, const py::object& penalty,
              const py::object& constraint) {
  parameter_of(layer_of(self, layer), parameter);
  const auto copied = [](const Parameter& p, const T* w) {
    return parameter_view(p, const_cast<T*>(w), py::none()).attr("copy")();
  };
  OwnRestraint<T> own{parameter, nullptr, nullptr};
  if (!penalty.is_none())
    own.penalty = [penalty, copied](const Parameter& p, const T* w, T* dw) {
      const py::gil_scoped_acquire gil;
      py::object gradient = py::none();
      if (dw != nullptr) gradient = parameter_view(p, dw, py::none());
      return penalty(copied(p, w), gradient).template cast<double>();
    };
  if (!constraint.is_none())
    own.constraint = [constraint, copied](const Parameter& p, T* w) {
      const py::gil_scoped_acquire gil;
      constraint(copied(p, w), parameter_view(p, w, py::none()));
    };
  layer_of(self, layer).restrain(std::move(own));
}

}  // namespace

template <class T>
void bind_restraints(py::class_<BoundNetwork<T>>& network) {
  using Self = BoundNetwork<T>;
  network
      .def(
          "penalise",
          [](Self& self, std::size_t layer, std::size_t parameter, double l1, double l2) {
            parameter_of(layer_of(self, layer), parameter);
            layer_of(self, layer).penalise(parameter, {l1, l2});
          },
          py::arg("layer"), py::arg("parameter"), py::arg("l1"), py::arg("l2"))
      .def(
          "penalise_angles",
          [](Self& self, std::size_t layer, std::size_t parameter, double factor, bool columns) {
            const Parameter& p = parameter_of(layer_of(self, layer), parameter);
            require(!p.vector, "parameter: expected a matrix, got the vector ", p.name);
            layer_of(self, layer).penalise_angles(parameter, factor, columns);
          },
          py::arg("layer"), py::arg("parameter"), py::arg("factor"), py::arg("columns"))
      .def("restrain", &restrain<T>, py::arg("layer"), py::arg("parameter"), py::arg("penalty"),
           py::arg("constraint"))
      .def(
          "constrain",
          [](Self& self, std::size_t layer, std::size_t parameter, const std::string& kind,
             const std::string& axes, double min_value, double max_value, double rate, double epsilon) {
            const Parameter& p = parameter_of(layer_of(self, layer), parameter);
            layer_of(self, layer)
                .constrain(parameter, {constraint_named(kind), norm_over(p, axes), min_value, max_value, rate,
                                       1 - rate, epsilon});
          },
          py::arg("layer"), py::arg("parameter"), py::arg("kind"), py::arg("axes"), py::arg("min_value"),
          py::arg("max_value"), py::arg("rate"), py::arg("epsilon"))
      .def(
          "add_output_penalty",
          [](Self& self, double l1, double l2) {
            self.network.add(std::make_unique<OutputPenalty<T>>(
                self.network.outputs(), Penalty<T>{static_cast<T>(l1), static_cast<T>(l2)}));
          },
          py::arg("l1"), py::arg("l2"));
}

template void bind_restraints<float>(py::class_<BoundNetwork<float>>&);
template void bind_restraints<double>(py::class_<BoundNetwork<double>>&);

}  // namespace lamina
