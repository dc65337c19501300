// The layers of a network that compute in bfloat16; those that normalise or draw by sample are in
// bindings/sample_layers.cpp, beside the others of their kind.
#include <string>

#include "bindings/arrays.h"
#include "bindings/bfloat16.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/batch_renorm.h"
#include "nn/layers/bfloat16.h"
#include "nn/layers/dense_bfloat16.h"

namespace lamina {
using Bound = BoundNetwork<float>;

void bind_bfloat16_layers(py::class_<Bound>& network) {
  network
      .def(
          "add_bfloat16_cast",
          [](Bound& self, std::int64_t size) {
            require_positive(size, "size");
            add_bfloat16<CastBfloat16>(self, size);
          },
          py::arg("size"))
      .def(
          "add_bfloat16_dense",
          [](Bound& self, std::int64_t positions, std::int64_t inputs, std::int64_t units,
             const std::string& activation, bool use_bias, bool fused) {
            require_positive(positions, "positions");
            require_positive(inputs, "inputs");
            require_positive(units, "units");
            add_bfloat16<DenseBfloat16>(self, positions, inputs, units, activation_named(activation),
                                        use_bias, fused);
          },
          py::arg("positions"), py::arg("inputs"), py::arg("units"), py::arg("activation"),
          py::arg("use_bias"), py::arg("fused"))
      .def(
          "add_bfloat16_activation",
          [](Bound& self, std::int64_t positions, std::int64_t features, const std::string& activation) {
            require_positive(positions, "positions");
            require_positive(features, "features");
            add_bfloat16<ActivationBfloat16>(self, positions, features, activation_named(activation));
          },
          py::arg("positions"), py::arg("features"), py::arg("activation"))
      .def(
          "add_bfloat16_rescaling",
          [](Bound& self, std::int64_t size, double scale, double shift) {
            require_positive(size, "size");
            add_bfloat16<RescalingBfloat16>(self, size, scale, shift);
          },
          py::arg("size"), py::arg("scale"), py::arg("offset"))
      .def(
          "add_bfloat16_batch_normalization",
          [](Bound& self, std::int64_t positions, std::int64_t channels, double momentum, double epsilon,
             bool center, bool scale) {
            require_positive(positions, "positions");
            require_positive(channels, "channels");
            add_bfloat16<BetweenCasts<BatchNorm<float>>>(self, positions, channels, momentum, epsilon, center,
                                                         scale);
          },
          py::arg("positions"), py::arg("channels"), py::arg("momentum"), py::arg("epsilon"),
          py::arg("center"), py::arg("scale"))
      .def(
          "add_bfloat16_batch_renormalization",
          [](Bound& self, std::int64_t positions, std::int64_t channels, double momentum, double epsilon,
             bool center, bool scale, double renorm_momentum, double rmin, double rmax, double dmax) {
            require_positive(positions, "positions");
            require_positive(channels, "channels");
            add_bfloat16<BetweenCasts<BatchRenorm<float>>>(self, positions, channels, momentum, epsilon,
                                                           center, scale,
                                                           RenormForm{renorm_momentum, rmin, rmax, dmax});
          },
          py::arg("positions"), py::arg("channels"), py::arg("momentum"), py::arg("epsilon"),
          py::arg("center"), py::arg("scale"), py::arg("renorm_momentum"), py::arg("rmin"), py::arg("rmax"),
          py::arg("dmax"));
}

}  // namespace lamina
