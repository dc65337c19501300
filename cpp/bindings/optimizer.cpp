#include "nn/optimizer.h"

#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <utility>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/network.h"
#include "bindings/released.h"
#include "bindings/schedule.h"
#include "bindings/watch.h"

namespace lamina {
namespace {

using Arrays = std::vector<py::array>;
using OptionalArrays = std::vector<std::optional<py::array>>;

// (name, number of the parameter, view) in Keras's order; what is no parameter's has number -1.
template <class T>
py::list slots(const py::object& self) {
  const auto& optimizer = self.cast<const Optimizer<T>&>();
  const auto& all = optimizer.slots();
  py::list out;
  for (std::size_t first = 0, end; first < all.size(); first = end) {
    for (end = first; end < all.size() && all[end].run == all[first].run;) ++end;
    if (all[first].values.size() == 1 && all[first].name == "u_product") {
      out.append(py::make_tuple(all[first].name, -1,
                                py::array(py::dtype::of<T>(), std::vector<py::ssize_t>{},
                                          std::vector<py::ssize_t>{}, all[first].values.data(), self)));
      continue;
    }
    for (std::size_t i = 0; i < optimizer.parameters().size(); ++i)
      for (std::size_t k = first; k < end; ++k) {
        const Parameter& p = optimizer.parameters()[i];
        T* const values = all[k].values.data() + p.offset;
        if (all[k].name == "r" || all[k].name == "c") {  // Adafactor's: as long as one side of a matrix
          const std::int64_t length = (all[k].name == "r") == p.transposed ? p.cols : p.rows;
          if (!p.vector)
            out.append(py::make_tuple(all[k].name, i, parameter_view({"", 1, length}, values, self)));
          continue;
        }
        const bool orthogonal = optimizer.form().kind == OptimizerKind::kMuon && !optimizer.left_to_adam(i);
        if (orthogonal && all[k].name == "velocity") continue;
        out.append(py::make_tuple(all[k].name, i, parameter_view(p, all[k].values.data() + p.offset, self)));
      }
  }
  return out;
}

template <class T>
py::tuple get_state(const Optimizer<T>& self) {
  py::list slots;
  for (const auto& values : self.state())
    slots.append(py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data()));
  return py::make_tuple(self.iterations(), slots);
}

template <class T>
void set_state(Optimizer<T>& self, std::int64_t iterations, const Arrays& slots) {
  std::vector<std::vector<T>> values;
  for (const auto& slot : slots) {
    const T* p = elements<const T>(slot, "slots");
    values.emplace_back(p, p + slot.size());
  }
  self.restore(iterations, std::move(values));
}

// A matrix whose columns lie together is a layer's, held the other way round.
template <class T>
Parameter parameter_of(const py::array& w) {
  if (!holds<T>(w)) throw py::type_error(text("variables: expected ", sizeof(T) * 8, "-bit floats only"));
  if (w.ndim() != 2) return {"", 1, w.size()};
  const bool transposed = w.strides(1) > static_cast<py::ssize_t>(sizeof(T)) && w.shape(1) > 1
                              ? w.strides(0) == static_cast<py::ssize_t>(sizeof(T))
                              : w.shape(1) == 1 && w.strides(1) > static_cast<py::ssize_t>(sizeof(T));
  const std::int64_t rows = w.shape(transposed ? 1 : 0), cols = w.shape(transposed ? 0 : 1);
  return {"", rows, cols, true, transposed, false};
}

// Calls f(place in the parameter's block, element) for all elements of an array of this parameter's size.
template <class T, class F>
void each_element(const Parameter& p, const py::array& array, F&& f) {
  auto* const data = static_cast<unsigned char*>(const_cast<void*>(array.data()));
  if (p.vector) {  // of any rank, contiguous
    for (std::int64_t k = 0; k < p.cols; ++k) f(p.offset + k, reinterpret_cast<T*>(data)[k]);
    return;
  }
  const std::int64_t to_row = array.strides(p.transposed ? 1 : 0),
                     to_col = array.strides(p.transposed ? 0 : 1);
  for (std::int64_t i = 0; i < p.rows; ++i)
    for (std::int64_t j = 0; j < p.cols; ++j)
      f(p.offset + i * p.stride + j, *reinterpret_cast<T*>(data + i * to_row + j * to_col));
}

template <class T>
void check_array(const Parameter& p, const py::array& array, const char* name) {
  require(holds<T>(array) && array.size() == p.rows * p.cols && (p.vector || array.ndim() == 2), name,
          ": expected ", p.rows * p.cols, " values of the variable's type, got ", array.size());
  require(!p.vector || (array.flags() & py::array::c_style) != 0, name, ": expected contiguous values");
}

template <class T>
Buffer<T> packed(const std::vector<Parameter>& parameters, std::int64_t size, const Arrays& arrays) {
  Buffer<T> block(size);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    each_element<T>(parameters[i], arrays[i], [&](std::int64_t at, T& value) { block.data()[at] = value; });
  return block;
}

template <class T>
void build(Optimizer<T>& self, const Arrays& weights) {
  require(!self.bound(), "variables: the optimizer is built already");
  std::vector<Parameter> parameters;
  std::int64_t size = 0;
  for (const py::array& w : weights) {
    parameters.push_back(parameter_of<T>(w));
    Parameter& p = parameters.back();
    check_array<T>(p, w, "variables");
    p.offset = size;
    p.stride = row_stride<T>(p.cols);
    size += p.extent();
  }
  const Buffer<T> w = packed<T>(parameters, size, weights);
  self.bind(std::move(parameters), size, w.data());
}

template <class T>
void apply(Optimizer<T>& self, const OptionalArrays& gradients, const Arrays& weights) {
  const auto& parameters = self.parameters();
  require(self.bound() && gradients.size() == parameters.size() && weights.size() == parameters.size(),
          "grads: expected one for each of the ", parameters.size(), " variables, got ", gradients.size());
  std::vector<bool> absent;
  std::int64_t size = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (gradients[i].has_value()) check_array<T>(parameters[i], *gradients[i], "grads");
    check_array<T>(parameters[i], weights[i], "variables");
    absent.push_back(!gradients[i].has_value());
    size = std::max(size, parameters[i].offset + parameters[i].extent());
  }
  Buffer<T> dw(size), w = packed<T>(parameters, size, weights);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (gradients[i].has_value())
      each_element<T>(parameters[i], *gradients[i],
                      [&](std::int64_t at, T& value) { dw.data()[at] = value; });
  {
    const Update<T> due = self.update(dw.data(), w.data());
    const Released released;
    Lease lease;
    if (self.step(lease, backend_named<T>("cpu"), due, dw.data(), w.data(), absent)) self.count_step();
  }
  for (std::size_t i = 0; i < parameters.size(); ++i)
    each_element<T>(parameters[i], weights[i], [&](std::int64_t at, T& value) { value = w.data()[at]; });
}

// What Python computes the learning rate with, at every step.
template <class T>
typename Optimizer<T>::Schedule called_back(py::object function) {
  return [function = std::move(function)](std::int64_t step) {
    throw_if_closing();
    const py::gil_scoped_acquire gil;
    return function(step).template cast<double>();
  };
}

template <class T>
void bind_optimizer(py::module_& m, const char* name) {
  using Self = Optimizer<T>;
  const OptimizerForm d;
  py::class_<Self>(m, name)
      .def(
          py::init(
              [](const std::string& kind, double learning_rate, double momentum, bool nesterov, double rho,
                 double epsilon, bool centered, double initial_accumulator, double beta1, double beta2,
                 bool amsgrad, double learning_rate_power, double l1, double l2, double l2_shrinkage,
                 double beta, double warmup_steps, double beta2_decay, double epsilon2, double clip_threshold,
                 double adam_lr_ratio, std::optional<double> adam_weight_decay, double muon_a, double muon_b,
                 double muon_c, std::int64_t ns_steps, double rms_rate, std::optional<double> weight_decay,
                 double clipnorm, double global_clipnorm, double clipvalue, bool use_ema, double ema_momentum,
                 std::int64_t ema_overwrite_frequency, std::int64_t gradient_accumulation_steps) {
                return std::make_unique<Self>(OptimizerForm{optimizer_named(kind),
                                                            learning_rate,
                                                            momentum,
                                                            nesterov,
                                                            rho,
                                                            epsilon,
                                                            centered,
                                                            initial_accumulator,
                                                            beta1,
                                                            beta2,
                                                            amsgrad,
                                                            learning_rate_power,
                                                            l1,
                                                            l2,
                                                            l2_shrinkage,
                                                            beta,
                                                            warmup_steps,
                                                            beta2_decay,
                                                            epsilon2,
                                                            clip_threshold,
                                                            adam_lr_ratio,
                                                            adam_weight_decay,
                                                            {muon_a, muon_b, muon_c, ns_steps, rms_rate},
                                                            weight_decay,
                                                            clipnorm,
                                                            global_clipnorm,
                                                            clipvalue,
                                                            use_ema,
                                                            ema_momentum,
                                                            ema_overwrite_frequency,
                                                            gradient_accumulation_steps});
              }),
          py::arg("kind"), py::arg("learning_rate"), py::kw_only(), py::arg("momentum") = d.momentum,
          py::arg("nesterov") = d.nesterov, py::arg("rho") = d.rho, py::arg("epsilon") = d.epsilon,
          py::arg("centered") = d.centered, py::arg("initial_accumulator_value") = d.initial_accumulator,
          py::arg("beta_1") = d.beta1, py::arg("beta_2") = d.beta2, py::arg("amsgrad") = d.amsgrad,
          py::arg("learning_rate_power") = d.learning_rate_power,
          py::arg("l1_regularization_strength") = d.l1, py::arg("l2_regularization_strength") = d.l2,
          py::arg("l2_shrinkage_regularization_strength") = d.l2_shrinkage, py::arg("beta") = d.beta,
          py::arg("warmup_steps") = d.warmup_steps, py::arg("beta_2_decay") = d.beta2_decay,
          py::arg("epsilon_2") = d.epsilon2, py::arg("clip_threshold") = d.clip_threshold,
          py::arg("adam_lr_ratio") = d.adam_lr_ratio, py::arg("adam_weight_decay") = py::none(),
          py::arg("muon_a") = d.muon.a, py::arg("muon_b") = d.muon.b, py::arg("muon_c") = d.muon.c,
          py::arg("ns_steps") = d.muon.iterations, py::arg("rms_rate") = d.muon.rms_rate,
          py::arg("weight_decay") = py::none(), py::arg("clipnorm") = d.clipnorm,
          py::arg("global_clipnorm") = d.global_clipnorm, py::arg("clipvalue") = d.clipvalue,
          py::arg("use_ema") = d.use_ema, py::arg("ema_momentum") = d.ema_momentum,
          py::arg("ema_overwrite_frequency") = d.ema_overwrite_frequency,
          py::arg("gradient_accumulation_steps") = d.gradient_accumulation_steps)
      .def_property(
          "learning_rate", [](const Self& self) { return self.form().learning_rate; },
          &Self::set_learning_rate)
      .def_property("iterations", &Self::iterations, &Self::set_iterations)
      .def(
          "share",
          [](Self& self, const py::array& iterations, const std::optional<py::array>& rate) {
            const bool wide = rate.has_value() && holds<double>(*rate);
            self.share(elements<std::int64_t>(iterations, "iterations"),
                       rate.has_value() && !wide ? elements<const float>(*rate, "learning_rate") : nullptr,
                       wide ? elements<const double>(*rate, "learning_rate") : nullptr);
          },
          py::arg("iterations"), py::arg("learning_rate"), py::keep_alive<1, 2>(), py::keep_alive<1, 3>())
      .def(
          "scale_dynamically",
          [](Self& self, std::int64_t growth_steps, const py::array& steps, const py::array& scale) {
            require_positive(growth_steps, "growth_steps");
            self.scale_dynamically(growth_steps, elements<std::int64_t>(steps, "steps"),
                                   elements<float>(scale, "scale"));
          },
          py::arg("growth_steps"), py::arg("steps"), py::arg("scale"), py::keep_alive<1, 3>(),
          py::keep_alive<1, 4>())
      .def(
          "set_schedule",
          [](Self& self, const py::object& schedule) {
            if (!py::isinstance<BoundSchedule>(schedule)) return self.set_schedule(called_back<T>(schedule));
            self.set_schedule([form = schedule.cast<const BoundSchedule&>().form](std::int64_t step) {
              return static_cast<double>(rate_at(*form, static_cast<double>(step), true));
            });
          },
          py::arg("schedule"))
      .def("build", &build<T>, py::arg("variables"))
      .def(
          "bind",
          [](Self& self, const BoundNetwork<T>& network, const std::vector<std::size_t>& known) {
            self.bind(network.network, known);
          },
          py::arg("network"), py::arg("known"))
      .def("apply", &apply<T>, py::arg("grads"), py::arg("variables"))
      .def(
          "delegate",
          [](Self& self, const py::tuple& parts) {
            std::vector<Self*> all;
            for (const py::handle part : parts) all.push_back(&part.cast<Self&>());
            self.delegate(std::move(all));
          },
          py::arg("parts"), py::keep_alive<1, 2>())
      .def("leave_to_adam", &Self::leave_to_adam, py::arg("left"))
      .def("exclude_from_decay", &Self::exclude_from_decay, py::arg("excluded"))
      .def_property_readonly("bound", &Self::bound)
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
