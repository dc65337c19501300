#include "bindings/trainer.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "bindings/bindings.h"
#include "bindings/dataset.h"
#include "bindings/epochs.h"
#include "bindings/network.h"
#include "bindings/objective.h"
#include "bindings/released.h"
#include "bindings/use.h"
#include "bindings/watch.h"

namespace lamina {
namespace {

// False, True or "batch".
Shuffle shuffle_of(const py::object& value) {
  if (py::isinstance<py::str>(value)) {
    require(value.cast<std::string>() == "batch", "shuffle: expected False, True or 'batch'");
    return Shuffle::kWithinBatches;
  }
  return value.cast<bool>() ? Shuffle::kRows : Shuffle::kNone;
}

template <class T>
std::vector<double> train(BoundTrainer<T>& self, std::int64_t first, std::int64_t last, py::object progress) {
  const Owning alone(self.network.occupancy());
  Watch watch(std::move(progress), [&] { return self.trainer.epoch_standing(); });
  {
    const Released released;
    Lease lease(watch.interrupt());
    self.trainer.train(lease, first, last);
  }
  if (self.trainer.epoch_over()) self.forget();  // the user's arrays are not held longer than they are needed
  return self.trainer.epoch_standing().means;
}

template <class T>
std::int64_t begin_epoch(BoundTrainer<T>& self, const py::object& data, std::int64_t batch_size,
                         const py::object& shuffle, std::uint64_t seed, std::uint64_t epoch, bool goes_on) {
  const Owning alone(self.network.occupancy());
  const Dataset& views = data.cast<BoundDataset&>().data;
  const Shuffle way = shuffle_of(shuffle);
  self.forget();
  self.data = data;
  Watch watch;
  const Released released;
  Lease lease(watch.interrupt());
  return self.trainer.begin_epoch(lease, views, batch_size, way, seed, epoch, goes_on);
}

template <class T>
std::vector<double> evaluate(BoundTrainer<T>& self, const BoundDataset& data, std::int64_t batch_size,
                             py::object progress, bool goes_on) {
  const Owning alone(self.network.occupancy());
  Watch watch(std::move(progress), [&] { return self.trainer.evaluation_standing(); });
  const Released released;
  Lease lease(watch.interrupt());
  self.trainer.evaluate(lease, data.data, batch_size, goes_on);
  return self.trainer.evaluation_standing().means;
}

// Where another call has the model it keeps what it needs, and lets go of it at its own end.
template <class T>
void let_data_go(BoundTrainer<T>& self) {
  try {
    const Owning alone(self.network.occupancy());
    self.forget();
    self.trainer.let_data_go();
  } catch (const std::runtime_error&) {
  }
}

template <class T>
std::unique_ptr<BoundEpochs> epochs(const py::object& self, const py::object& data, std::int64_t first,
                                    std::int64_t last, std::int64_t batch_size, const py::object& shuffle,
                                    std::uint64_t seed, std::uint64_t trained_before,
                                    const py::object& validation, std::int64_t validation_batch_size,
                                    std::int64_t validation_freq, std::vector<std::int64_t> validation_epochs,
                                    std::int64_t steps) {
  auto& bound = self.cast<BoundTrainer<T>&>();
  const Dataset& views = data.cast<BoundDataset&>().data;
  const Dataset* validated = validation.is_none() ? nullptr : &validation.cast<BoundDataset&>().data;
  EpochsForm form{first,
                  last,
                  batch_size,
                  shuffle_of(shuffle),
                  seed,
                  trained_before,
                  validation_batch_size,
                  validation_freq,
                  std::move(validation_epochs),
                  steps};
  std::sort(form.validation_epochs.begin(), form.validation_epochs.end());
  return std::make_unique<BoundEpochs>(
      BoundEpochs{self, data, validation, bound.network.occupancy(), [&bound] { bound.forget(); },
                  std::make_unique<TrainerEpochs<T>>(bound.trainer, views, validated, std::move(form))});
}

template <class T>
void bind_trainer(py::module_& m, const char* name) {
  using Self = BoundTrainer<T>;
  py::class_<Self>(m, name)
      .def(py::init([](BoundNetwork<T>& network, Optimizer<T>& optimizer, const py::object& loss,
                       bool from_logits, double label_smoothing, const std::string& reduction,
                       const py::sequence& metrics, std::int64_t positions, bool head_logits) {
             Own<T> own;
             TrainingForm form = training_form(loss, from_logits, label_smoothing, reduction, metrics, own);
             form.positions = positions;
             form.head_logits = head_logits;
             return std::make_unique<Self>(network.network, optimizer, form, std::move(own));
           }),
           py::arg("network"), py::arg("optimizer"), py::arg("loss"), py::arg("from_logits"),
           py::arg("label_smoothing"), py::arg("reduction"), py::arg("metrics"), py::arg("positions") = 1,
           py::arg("head_logits") = true, py::keep_alive<1, 2>(), py::keep_alive<1, 3>())
      .def(
          "check",
          [](const Self& self, const BoundDataset& data) {
            const DataForm form = self.trainer.data_form();
            Watch watch;
            const Released released;
            Lease lease(watch.interrupt());
            check(lease, data.data, form);
          },
          py::arg("data"))
      .def("begin_epoch", &begin_epoch<T>, py::arg("data"), py::arg("batch_size"), py::arg("shuffle"),
           py::arg("seed"), py::arg("epoch"), py::arg("goes_on") = false)
      .def(
          "keep_data",
          [](Self& self, bool looks) {
            const Owning alone(self.network.occupancy());
            const bool kept = self.trainer.keeps_data();
            self.trainer.keep_data(looks);
            return !kept;
          },
          py::arg("looks"))
      .def("let_data_go", &let_data_go<T>)
      .def("clear_means",
           [](Self& self) {
             const Owning alone(self.network.occupancy());
             self.trainer.clear_epoch_means();
           })
      .def("epochs", &epochs<T>, py::arg("data"), py::arg("first"), py::arg("last"), py::arg("batch_size"),
           py::arg("shuffle"), py::arg("seed"), py::arg("trained_before"), py::arg("validation") = py::none(),
           py::arg("validation_batch_size") = 1, py::arg("validation_freq") = 1,
           py::arg("validation_epochs") = std::vector<std::int64_t>{}, py::arg("steps") = 0)
      .def_property_readonly("verbs_because", [](const Self& self) { return self.trainer.verbs_because(); })
      .def("train", &train<T>, py::arg("first"), py::arg("last"), py::arg("progress") = py::none())
      .def("evaluate", &evaluate<T>, py::arg("data"), py::arg("batch_size"), py::arg("progress") = py::none(),
           py::arg("goes_on") = false);
}

}  // namespace

void bind_trainers(py::module_& m) {
  bind_trainer<float>(m, "Trainer32");
  bind_trainer<double>(m, "Trainer64");
}

}  // namespace lamina
