#include "bindings/schedule.h"

#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>

#include "bindings/bindings.h"

namespace lamina {

namespace py = pybind11;

void bind_schedules(py::module_& m) {
  const ScheduleForm defaults;
  py::class_<BoundSchedule>(m, "Schedule")
      .def(py::init([](const std::string& kind, double initial, double steps, double rate, bool staircase,
                       double end, double power, bool cycle, double alpha,
                       std::optional<double> warmup_target, double warmup_steps, double t_mul, double m_mul,
                       std::vector<double> boundaries, std::vector<double> values) {
             const ScheduleForm form{schedule_named(kind),
                                     initial,
                                     steps,
                                     rate,
                                     staircase,
                                     end,
                                     power,
                                     cycle,
                                     alpha,
                                     warmup_target.has_value(),
                                     warmup_target.value_or(0),
                                     warmup_steps,
                                     t_mul,
                                     m_mul,
                                     std::move(boundaries),
                                     std::move(values)};
             return BoundSchedule{std::make_shared<const ScheduleForm>(form)};
           }),
           py::arg("kind"), py::kw_only(), py::arg("initial") = defaults.initial,
           py::arg("steps") = defaults.steps, py::arg("rate") = defaults.rate,
           py::arg("staircase") = defaults.staircase, py::arg("end") = defaults.end,
           py::arg("power") = defaults.power, py::arg("cycle") = defaults.cycle,
           py::arg("alpha") = defaults.alpha, py::arg("warmup_target") = py::none(),
           py::arg("warmup_steps") = defaults.warmup_steps, py::arg("t_mul") = defaults.t_mul,
           py::arg("m_mul") = defaults.m_mul, py::arg("boundaries") = defaults.boundaries,
           py::arg("values") = defaults.values)
      .def(
          "rate_at",
          [](const BoundSchedule& self, double step, bool whole) { return rate_at(*self.form, step, whole); },
          py::arg("step"), py::arg("whole"));
}

}  // namespace lamina
