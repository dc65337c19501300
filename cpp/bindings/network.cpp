#include "bindings/network.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bfloat16.h"
#include "bindings/bindings.h"
#include "bindings/nonlinearity.h"
#include "bindings/released.h"
#include "bindings/sample_layers.h"
#include "bindings/use.h"
#include "bindings/watch.h"
#include "nn/layers/activation.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/batch_renorm.h"
#include "nn/layers/dense.h"
#include "nn/layers/rescaling.h"

namespace lamina {
namespace {

// That a prediction takes at a time: enough for all threads, few enough for their caches.
constexpr std::int64_t kFewestRows = 512, kFewestRowsOnDevice = 8192;

template <class T>
py::array predict(BoundNetwork<T>& self, const py::object& x, std::int64_t batch_size, py::object progress) {
  const Network<T>& network = self.network;
  network.require_built();
  require_positive(batch_size, "batch_size");
  const Rows rows = rows_of(x, "x");
  require(rows.width() == network.inputs(), "x: expected ", network.inputs(), " values per row, got ",
          rows.width());
  py::array_t<T> out({rows.count, network.outputs()});
  const Matrix<T> all(out.mutable_data(), rows.count, network.outputs());
  const Reading reading(network.occupancy());
  // Rows do not depend on each other: many small batches are taken at once.
  const std::int64_t step =
      std::max(batch_size, network.backend().on_device() ? kFewestRowsOnDevice : kFewestRows);
  const std::int64_t capacity = std::min(step, std::max<std::int64_t>(rows.count, 1));
  auto predictor = self.predictors.take(capacity);
  std::int64_t first = 0;
  Watch watch(std::move(progress), [&] { return Standing{first / batch_size, {}}; });
  {
    const Released released;
    Lease lease(watch.interrupt());
    for (; first < rows.count; first += step) {
      predictor->run(lease, rows, first, all.rows_of(first, std::min(rows.count, first + step)));
      lease.poll();
    }
  }
  self.predictors.give_back(std::move(predictor));
  return out;
}

template <class T>
class FrozenStatistics {
 public:
  FrozenStatistics(Network<T>& network, const std::vector<bool>& statistics)
      : alone_(network.occupancy()), network_(network) {
    require(statistics.size() == network.layers().size(), "frozen_statistics: expected a word for each of ",
            network.layers().size(), " layers, got ", statistics.size());
    before_ = network.freeze_statistics(statistics);
  }
  ~FrozenStatistics() { network_.freeze_statistics(before_); }
  FrozenStatistics(const FrozenStatistics&) = delete;
  FrozenStatistics& operator=(const FrozenStatistics&) = delete;

 private:
  const Owning alone_;
  Network<T>& network_;
  std::vector<bool> before_;
};

template <class T>
py::array forward(BoundNetwork<T>& self, const py::array& x, bool training, std::uint64_t step,
                  const std::vector<bool>& frozen_statistics) {
  Network<T>& network = self.network;
  network.require_built();
  const Rows rows = rows_of(x, "x");
  require(rows.count > 0, "x: expected at least one row, got none");
  if (!training) return predict(self, x, rows.count, py::none());
  require(rows.width() == network.inputs(), "x: expected ", network.inputs(), " values per row, got ",
          rows.width());
  py::array_t<T> out({rows.count, network.outputs()});
  T* values = out.mutable_data();
  // Nobody else may see what is frozen for this call only.
  std::optional<Reading> reading;
  std::optional<FrozenStatistics<T>> frozen;
  if (frozen_statistics.empty())
    reading.emplace(network.occupancy());
  else
    frozen.emplace(network, frozen_statistics);
  const Released released;
  Lease lease;
  const Backend<T>& backend = network.backend();
  Forward<T> forward(network, rows.count, Mode::kTraining);
  Intake<T> intake;
  PackedRows packed;
  const Finishing<T> finishing(backend);
  if (backend.on_device()) packed.hold(rows, 0, rows.count, backend.memory());
  const Rows& read = backend.on_device() ? packed.rows() : rows;
  intake.prepare(network, forward, read, rows.count);
  const ConstMatrix<T> batch = intake.take(lease, read, nullptr, 0, rows.count, 0);
  const ConstMatrix<T> y =
      forward.run({backend, lease, network.parameters(), nullptr, true, step, intake.samples()}, batch);
  backend.finish();
  std::copy_n(y.data, y.size(), values);
  return out;
}

template <class T>
void freeze(BoundNetwork<T>& self, const std::vector<bool>& parameters, const std::vector<bool>& statistics) {
  const Owning alone(self.network.occupancy());
  self.network.freeze(parameters, statistics);
}

template <class T>
py::list parameters(const py::object& self) {
  const auto& network = self.cast<BoundNetwork<T>&>().network;
  network.require_built();
  // The views keep the block, not the network: they stay good when the parameters move to another.
  using Block = std::shared_ptr<Buffer<T>>;
  const py::capsule owner(new Block(network.block()), [](void* p) { delete static_cast<Block*>(p); });
  py::list all;
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    for (const Parameter& p : network.layers()[i]->parameters())
      all.append(
          py::make_tuple(i, p.name, p.trainable, parameter_view(p, network.parameters() + p.offset, owner)));
  return all;
}

template <class T>
void bind_network(py::module_& m, const char* name) {
  using Self = BoundNetwork<T>;
  py::class_<Self> network(m, name);
  if constexpr (sizeof(T) == sizeof(float)) bind_bfloat16_layers(network);
  bind_sample_layers(network);
  bind_nonlinear_layers<T>(network);
  bind_restraints(network);
  network
      .def(py::init([](std::int64_t inputs, const std::string& backend) {
             return std::make_unique<Self>(inputs, backend_named<T>(backend));
           }),
           py::arg("inputs"), py::arg("backend") = "cpu")
      .def(
          "add_dense",
          [](Self& self, std::int64_t positions, std::int64_t inputs, std::int64_t units,
             const std::string& activation, bool use_bias) {
            require_positive(positions, "positions");
            require_positive(inputs, "inputs");
            require_positive(units, "units");
            self.network.add(
                std::make_unique<Dense<T>>(positions, inputs, units, activation_named(activation), use_bias));
          },
          py::arg("positions"), py::arg("inputs"), py::arg("units"), py::arg("activation"),
          py::arg("use_bias"))
      .def(
          "add_activation",
          [](Self& self, std::int64_t positions, std::int64_t features, const std::string& activation) {
            require_positive(positions, "positions");
            require_positive(features, "features");
            self.network.add(
                std::make_unique<ActivationLayer<T>>(positions, features, activation_named(activation)));
          },
          py::arg("positions"), py::arg("features"), py::arg("activation"))
      .def(
          "add_batch_normalization",
          [](Self& self, std::int64_t positions, std::int64_t channels, double momentum, double epsilon,
             bool center, bool scale) {
            require_positive(positions, "positions");
            require_positive(channels, "channels");
            self.network.add(
                std::make_unique<BatchNorm<T>>(positions, channels, momentum, epsilon, center, scale));
          },
          py::arg("positions"), py::arg("channels"), py::arg("momentum"), py::arg("epsilon"),
          py::arg("center"), py::arg("scale"))
      .def(
          "add_batch_renormalization",
          [](Self& self, std::int64_t positions, std::int64_t channels, double momentum, double epsilon,
             bool center, bool scale, double renorm_momentum, double rmin, double rmax, double dmax) {
            require_positive(positions, "positions");
            require_positive(channels, "channels");
            self.network.add(std::make_unique<BatchRenorm<T>>(positions, channels, momentum, epsilon, center,
                                                              scale,
                                                              RenormForm{renorm_momentum, rmin, rmax, dmax}));
          },
          py::arg("positions"), py::arg("channels"), py::arg("momentum"), py::arg("epsilon"),
          py::arg("center"), py::arg("scale"), py::arg("renorm_momentum"), py::arg("rmin"), py::arg("rmax"),
          py::arg("dmax"))
      .def(
          "add_rescaling",
          [](Self& self, std::int64_t size, double scale, double shift) {
            require_positive(size, "size");
            self.network.add(std::make_unique<Rescaling<T>>(size, scale, shift));
          },
          py::arg("size"), py::arg("scale"), py::arg("offset"))
      .def("build", [](Self& self) { self.network.build(); })
      .def("freeze", &freeze<T>, py::arg("parameters"), py::arg("statistics"))
      .def("parameters", &parameters<T>)
      .def("predict", &predict<T>, py::arg("x"), py::arg("batch_size"), py::arg("progress") = py::none())
      .def("forward", &forward<T>, py::arg("x"), py::arg("training"), py::arg("step"),
           py::arg("frozen_statistics") = std::vector<bool>{})
      .def_property_readonly("layers", [](const Self& self) { return self.network.layers().size(); })
      .def_property_readonly("outputs", [](const Self& self) { return self.network.outputs(); });
}

}  // namespace

void bind_networks(py::module_& m) {
  bind_network<float>(m, "Network32");
  bind_network<double>(m, "Network64");
  bind_bfloat16_ops(m);
  bind_nonlinear_ops(m);
}

}  // namespace lamina
