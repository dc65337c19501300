#include "nn/optimizer.h"

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/network.h"

namespace lamina {
namespace {

template <class T>
py::list slots(const py::object& self) {
  const auto& optimizer = self.cast<const Optimizer<T>&>();
  py::list all;
  for (const auto& slot : optimizer.slots())
    for (std::size_t i = 0; i < optimizer.parameters().size(); ++i) {
      const Parameter& p = optimizer.parameters()[i];
      all.append(py::make_tuple(slot.name, i, parameter_view(p, slot.values.data() + p.offset, self)));
    }
  return all;
}

template <class T>
py::tuple get_state(const Optimizer<T>& self) {
  py::list slots;
  for (const auto& values : self.state())
    slots.append(py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data()));
  return py::make_tuple(self.iterations(), slots);
}

template <class T>
void set_state(Optimizer<T>& self, std::int64_t iterations, const std::vector<py::array>& slots) {
  std::vector<std::vector<T>> values;
  for (const auto& slot : slots) {
    const T* p = elements<const T>(slot, "slots");
    values.emplace_back(p, p + slot.size());
  }
  self.restore(iterations, std::move(values));
}

template <class T>
void bind_optimizer(py::module_& m, const char* name) {
  using Self = Optimizer<T>;
  const OptimizerForm defaults;
  py::class_<Self>(m, name)
      .def(py::init([](const std::string& kind, double learning_rate, double momentum, bool nesterov,
                       double rho, double epsilon, bool centered, double initial_accumulator, double beta1,
                       double beta2, bool amsgrad) {
             return std::make_unique<Self>(OptimizerForm{optimizer_named(kind), learning_rate, momentum,
                                                         nesterov, rho, epsilon, centered,
                                                         initial_accumulator, beta1, beta2, amsgrad});
           }),
           py::arg("kind"), py::arg("learning_rate"), py::kw_only(), py::arg("momentum") = defaults.momentum,
           py::arg("nesterov") = defaults.nesterov, py::arg("rho") = defaults.rho,
           py::arg("epsilon") = defaults.epsilon, py::arg("centered") = defaults.centered,
           py::arg("initial_accumulator_value") = defaults.initial_accumulator,
           py::arg("beta_1") = defaults.beta1, py::arg("beta_2") = defaults.beta2,
           py::arg("amsgrad") = defaults.amsgrad)
      .def_property(
          "learning_rate", [](const Self& self) { return self.form().learning_rate; },
          &Self::set_learning_rate)
      .def_property("iterations", &Self::iterations, &Self::set_iterations)
      .def("slots", &slots<T>)
      .def("get_state", &get_state<T>)
      .def("set_state", &set_state<T>, py::arg("iterations"), py::arg("slots"));
}

}  // namespace

void bind_optimizers(py::module_& m) {
  bind_optimizer<float>(m, "Optimizer32");
  bind_optimizer<double>(m, "Optimizer64");
}

}  // namespace lamina
