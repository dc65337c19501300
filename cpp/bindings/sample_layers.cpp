#include "bindings/sample_layers.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "nn/layers/alpha_dropout.h"
#include "nn/layers/normal_noise.h"
#include "nn/layers/rearrangement.h"
#include "nn/layers/row_normalisation.h"
#include "nn/layers/standardisation.h"

namespace lamina {
namespace {

Normalisation normalisation_named(const std::string& name) {
  if (name == "standard") return Normalisation::kStandard;
  if (name == "root_mean_square") return Normalisation::kRootMeanSquare;
  if (name == "unit") return Normalisation::kUnit;
  throw std::invalid_argument(text("kind: expected standard, root_mean_square or unit, got ", name));
}

void require_numbers_below(const std::vector<std::int64_t>& numbers, std::int64_t end, const char* name) {
  for (const std::int64_t number : numbers)
    require(number >= 0 && number < end, name, ": expected numbers from 0 to ", end - 1, ", got ", number);
}

template <class T>
void add_dropout_of_shape(BoundNetwork<T>& self, double rate, std::uint64_t seed,
                          std::vector<std::int64_t> from, std::int64_t size, bool once, bool alpha) {
  require(!from.empty(), "from: expected a number per element of a sample, got none");
  require_positive(size, "size");
  require_numbers_below(from, size, "from");
  require(rate >= 0 && rate <= 1, "rate: expected a number from 0 to 1, got ", rate);
  const auto stream = static_cast<std::uint32_t>(self.network.layers().size());
  const auto elements = static_cast<std::int64_t>(from.size());
  DropoutShape shape{std::move(from), size, once};
  if (alpha)
    self.network.add(std::make_unique<AlphaDropout<T>>(elements, rate, seed, stream, std::move(shape)));
  else
    self.network.add(std::make_unique<Dropout<T>>(elements, rate, seed, stream, std::move(shape)));
}

}  // namespace

template <class T>
void bind_sample_layers(py::class_<BoundNetwork<T>>& network) {
  using Self = BoundNetwork<T>;
  network
      .def(
          "add_normalisation",
          [](Self& self, std::int64_t groups, std::int64_t lanes, std::int64_t alike, std::int64_t repeat,
             const std::string& kind, double epsilon, const std::string& gamma, bool center,
             const std::vector<std::int64_t>& parameter_shape) {
            for (const std::int64_t size : {groups, lanes, alike, repeat}) require_positive(size, "sizes");
            require(groups % alike == 0, "alike: expected a divisor of ", groups, ", got ", alike);
            require(groups / alike * lanes % repeat == 0, "repeat: expected a divisor of ",
                    groups / alike * lanes, ", got ", repeat);
            std::int64_t parameters = 1;
            for (const std::int64_t size : parameter_shape) parameters *= size;
            require(parameters == groups / alike * lanes / repeat, "parameter_shape: expected ",
                    groups / alike * lanes / repeat, " values, got ", parameters);
            const typename RowNormalisation<T>::Shape shape{groups, lanes, alike, repeat};
            self.network.add(std::make_unique<RowNormalisation<T>>(shape, normalisation_named(kind), epsilon,
                                                                   gamma, center, parameter_shape));
          },
          py::arg("groups"), py::arg("lanes"), py::arg("alike"), py::arg("repeat"), py::arg("kind"),
          py::arg("epsilon"), py::arg("gamma"), py::arg("center"), py::arg("parameter_shape"))
      .def(
          "add_rearrangement",
          [](Self& self, std::vector<std::int64_t> from) {
            const auto size = static_cast<std::int64_t>(from.size());
            require_numbers_below(from, size, "from");
            std::vector<bool> seen(from.size());
            for (const std::int64_t number : from) {
              require(!seen[static_cast<std::size_t>(number)], "from: expected each number once, got ",
                      number, " twice");
              seen[static_cast<std::size_t>(number)] = true;
            }
            self.network.add(std::make_unique<Rearrangement<T>>(std::move(from)));
          },
          py::arg("from_"))
      .def(
          "add_standardisation",
          [](Self& self, std::int64_t size) {
            require_positive(size, "size");
            self.network.add(std::make_unique<Standardisation<T>>(size));
          },
          py::arg("size"))
      .def(
          "add_normal_noise",
          [](Self& self, std::int64_t size, double stddev, bool factor, std::uint64_t seed) {
            require_positive(size, "size");
            require(stddev >= 0, "stddev: expected a number of 0 or more, got ", stddev);
            const auto stream = static_cast<std::uint32_t>(self.network.layers().size());
            self.network.add(std::make_unique<NormalNoise<T>>(size, stddev, factor, seed, stream));
          },
          py::arg("size"), py::arg("stddev"), py::arg("factor"), py::arg("seed"))
      .def("add_dropout_of_shape", &add_dropout_of_shape<T>, py::arg("rate"), py::arg("seed"),
           py::arg("from_"), py::arg("size"), py::arg("once"), py::arg("alpha"));
}

template void bind_sample_layers(py::class_<BoundNetwork<float>>&);
template void bind_sample_layers(py::class_<BoundNetwork<double>>&);

}  // namespace lamina
