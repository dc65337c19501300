#include "bindings/sample_layers.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bfloat16.h"
#include "nn/layers/alpha_dropout.h"
#include "nn/layers/bfloat16.h"
#include "nn/layers/noise_bfloat16.h"
#include "nn/layers/normal_noise.h"
#include "nn/layers/rearrangement.h"
#include "nn/layers/row_normalisation.h"
#include "nn/layers/standardisation.h"

namespace lamina {
namespace {

Normalisation normalisation_named(const std::string& name) {
  if (name == "standard") return Normalisation::kStandard;
  if (name == "root_mean_square") return Normalisation::kRootMeanSquare;
  if (name == "deviation") return Normalisation::kDeviation;
  if (name == "unit") return Normalisation::kUnit;
  throw std::invalid_argument(
      text("kind: expected standard, root_mean_square, deviation or unit, got ", name));
}

void require_numbers_below(const std::vector<std::int64_t>& numbers, std::int64_t end, const char* name) {
  for (const std::int64_t number : numbers)
    require(number >= 0 && number < end, name, ": expected numbers from 0 to ", end - 1, ", got ", number);
}

void require_rate(double rate) {
  require(rate >= 0 && rate <= 1, "rate: expected a number from 0 to 1, got ", rate);
}

// What the methods add: layers that compute in T ...
template <class T>
struct Plain {
  using Number = T;
  static constexpr const char* kPrefix = "add_";
  using Kept = Dropout<T>;
  using KeptAlpha = AlphaDropout<T>;
  using Noise = NormalNoise<T>;
  using Standardised = Standardisation<T>;

  template <class L, class... Arguments>
  static void add(BoundNetwork<T>& self, Arguments&&... arguments) {
    self.network.add(std::make_unique<L>(std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  static void add_normalisation(BoundNetwork<T>& self, Normalisation, Arguments&&... arguments) {
    add<RowNormalisation<T>>(self, std::forward<Arguments>(arguments)...);
  }
};

// ... or in bfloat16.
struct InBfloat16 {
  using Number = float;
  static constexpr const char* kPrefix = "add_bfloat16_";
  using Kept = DropoutBfloat16;
  using KeptAlpha = AlphaDropoutBfloat16;
  using Noise = NormalNoiseBfloat16;
  using Standardised = StandardisationBfloat16;

  template <class L, class... Arguments>
  static void add(BoundNetwork<float>& self, Arguments&&... arguments) {
    add_bfloat16<L>(self, std::forward<Arguments>(arguments)...);
  }
  // Keras casts no gamma but that of RMSNormalization.
  template <class... Arguments>
  static void add_normalisation(BoundNetwork<float>& self, Normalisation kind, Arguments&&... arguments) {
    if (kind == Normalisation::kRootMeanSquare)
      add<RowNormalisationRoundedGamma>(self, std::forward<Arguments>(arguments)...);
    else
      add<BetweenCasts<RowNormalisation<float>>>(self, std::forward<Arguments>(arguments)...);
  }
};

template <class Family>
void bind_family(py::class_<BoundNetwork<typename Family::Number>>& network) {
  using T = typename Family::Number;
  using Self = BoundNetwork<T>;
  const auto named = [](const char* name) { return std::string(Family::kPrefix) + name; };
  const auto stream = [](const Self& self) {
    return static_cast<std::uint32_t>(self.network.layers().size());
  };
  network
      .def(
          named("normalisation").c_str(),
          [](Self& self, std::int64_t groups, std::int64_t lanes, std::int64_t alike, std::int64_t repeat,
             const std::string& name, double epsilon, const std::string& gamma, bool center,
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
            const Normalisation kind = normalisation_named(name);
            Family::add_normalisation(self, kind, shape, kind, epsilon, gamma, center, parameter_shape);
          },
          py::arg("groups"), py::arg("lanes"), py::arg("alike"), py::arg("repeat"), py::arg("kind"),
          py::arg("epsilon"), py::arg("gamma"), py::arg("center"), py::arg("parameter_shape"))
      .def(
          named("standardisation").c_str(),
          [](Self& self, std::int64_t size) {
            require_positive(size, "size");
            Family::template add<typename Family::Standardised>(self, size);
          },
          py::arg("size"))
      .def(
          named("normal_noise").c_str(),
          [stream](Self& self, std::int64_t size, double stddev, bool factor, std::uint64_t seed) {
            require_positive(size, "size");
            require(stddev >= 0, "stddev: expected a number of 0 or more, got ", stddev);
            Family::template add<typename Family::Noise>(self, size, stddev, factor, seed, stream(self));
          },
          py::arg("size"), py::arg("stddev"), py::arg("factor"), py::arg("seed"))
      .def(
          named("dropout").c_str(),
          [stream](Self& self, std::int64_t size, double rate, std::uint64_t seed) {
            require_positive(size, "size");
            require_rate(rate);
            Family::template add<typename Family::Kept>(self, size, rate, seed, stream(self));
          },
          py::arg("size"), py::arg("rate"), py::arg("seed"))
      .def(
          named("dropout_of_shape").c_str(),
          [stream](Self& self, double rate, std::uint64_t seed, std::vector<std::int64_t> from,
                   std::int64_t size, bool once, bool alpha) {
            require(!from.empty(), "from: expected a number per element of a sample, got none");
            require_positive(size, "size");
            require_numbers_below(from, size, "from");
            require_rate(rate);
            const auto elements = static_cast<std::int64_t>(from.size());
            DropoutShape shape{std::move(from), size, once};
            if (alpha)
              Family::template add<typename Family::KeptAlpha>(self, elements, rate, seed, stream(self),
                                                               std::move(shape));
            else
              Family::template add<typename Family::Kept>(self, elements, rate, seed, stream(self),
                                                          std::move(shape));
          },
          py::arg("rate"), py::arg("seed"), py::arg("from_"), py::arg("size"), py::arg("once"),
          py::arg("alpha"));
}

}  // namespace

template <class T>
void bind_sample_layers(py::class_<BoundNetwork<T>>& network) {
  bind_family<Plain<T>>(network);
  if constexpr (sizeof(T) == sizeof(float)) bind_family<InBfloat16>(network);
  network.def(
      "add_rearrangement",
      [](BoundNetwork<T>& self, std::vector<std::int64_t> from) {
        const auto size = static_cast<std::int64_t>(from.size());
        require_numbers_below(from, size, "from");
        std::vector<bool> seen(from.size());
        for (const std::int64_t number : from) {
          require(!seen[static_cast<std::size_t>(number)], "from: expected each number once, got ", number,
                  " twice");
          seen[static_cast<std::size_t>(number)] = true;
        }
        self.network.add(std::make_unique<Rearrangement<T>>(std::move(from)));
      },
      py::arg("from_"));
}

template void bind_sample_layers(py::class_<BoundNetwork<float>>&);
template void bind_sample_layers(py::class_<BoundNetwork<double>>&);

}  // namespace lamina
