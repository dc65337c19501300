#include "bindings/epochs.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <new>
#include <vector>

#include "base/error.h"
#include "bindings/bindings.h"
#include "bindings/released.h"
#include "bindings/use.h"
#include "bindings/watch.h"
#include "train/together.h"

namespace lamina {
namespace {

void run(BoundEpochs& self, const py::object& look) {
  const Owning alone(self.occupancy);
  self.forget();
  Watch watch([&] { look(); });
  const Released released;
  Lease lease(watch.interrupt());
  self.epochs->run(lease);
}

// The exception as it comes, its message told by the number of the run.
[[noreturn]] void throw_named(const std::exception_ptr& error, std::size_t i) {
  const auto named = [i](const std::exception& e) { return text("models[", i, "]: ", e.what()); };
  try {
    std::rethrow_exception(error);
  } catch (const std::invalid_argument& e) {
    throw std::invalid_argument(named(e));
  } catch (const std::bad_alloc& e) {
    PyErr_SetString(PyExc_MemoryError, named(e).c_str());
    throw py::error_already_set();
  } catch (const std::exception& e) {
    throw std::runtime_error(named(e));
  }
}

void run_all(const std::vector<BoundEpochs*>& all, const py::object& look) {
  std::vector<std::unique_ptr<Owning>> alone;
  std::vector<Epochs*> runs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    try {
      alone.push_back(std::make_unique<Owning>(all[i]->occupancy));
    } catch (const std::runtime_error&) {
      throw_named(std::current_exception(), i);
    }
    runs.push_back(all[i]->epochs.get());
  }
  for (const BoundEpochs* each : all) each->forget();
  std::vector<std::exception_ptr> errors;
  {
    Watch watch([&] { look(); });
    const Released released;
    errors = run_together(*watch.interrupt(), runs);
  }
  for (std::size_t i = 0; i < errors.size(); ++i)
    if (errors[i] != nullptr) throw_named(errors[i], i);
}

py::array take(BoundEpochs& self) {
  const std::vector<double> rows = self.epochs->take();
  const auto width = static_cast<py::ssize_t>(self.epochs->width());
  py::array_t<double> out({static_cast<py::ssize_t>(rows.size()) / width, width});
  std::copy(rows.begin(), rows.end(), out.mutable_data());
  return out;
}

}  // namespace

void bind_epochs(py::module_& m) {
  py::class_<BoundEpochs>(m, "Epochs")
      .def("run", &run, py::arg("look"))
      .def("stop", [](BoundEpochs& self) { self.epochs->stop(); })
      .def("take", &take)
      .def_property_readonly("passes", [](const BoundEpochs& self) { return self.epochs->passes(); })
      .def_property_readonly("done", [](const BoundEpochs& self) { return self.epochs->done(); });
  m.def("run_together", &run_all, py::arg("runs"), py::arg("look"));
}

}  // namespace lamina
