#include "bindings/bfloat16.h"

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/released.h"
#include "nn/layers/bfloat16.h"
#include "nn/layers/dense_bfloat16.h"

namespace lamina {
namespace {

using Bound = BoundNetwork<float>;

const Bfloat16Backend& verbs_of(const Bound& self) {
  return bfloat16_backend_named(self.network.backend().name());
}

template <class L, class... Arguments>
void add(Bound& self, Arguments... arguments) {
  self.network.add(std::make_unique<L>(verbs_of(self), arguments...));
}

ConstMatrix<float> checked(const py::array& array, std::int64_t rows, std::int64_t cols, const char* name) {
  const ConstMatrix<float> m = matrix_of<const float>(array, name);
  require(array.ndim() == 2 && m.rows == rows && m.cols == cols, name, ": expected shape (", rows, ", ", cols,
          ")");
  return m;
}

// y = a(x wT + b), w (units, inputs)
py::array dense(const std::string& backend, const py::array& x, const py::array& w,
                const std::optional<py::array>& b, const std::string& activation) {
  const Bfloat16Backend& verbs = bfloat16_backend_named(backend);
  const Activation a = activation_named(activation);
  const ConstMatrix<float> mw = matrix_of<const float>(w, "w");
  const ConstMatrix<float> mx = checked(x, matrix_of<const float>(x, "x").rows, mw.cols, "x");
  require_size(b, mw.rows, "b");
  const auto* bias = optional_elements<const float>(b, "b");
  py::array_t<float> y({mx.rows, mw.rows});
  const Matrix<float> out(y.mutable_data(), mx.rows, mw.rows);
  const Released released;
  Lease lease;
  const Buffer<float> scratch(verbs.dense_scratch(mx.rows, mw.cols, mw.rows));
  verbs.dense(lease, mx, mw, bias, a, out, scratch.data());
  return y;
}

// (dw, db, dx)
py::tuple dense_gradient(const std::string& backend, const py::array& x, const py::array& w,
                         const py::array& dz) {
  const Bfloat16Backend& verbs = bfloat16_backend_named(backend);
  const ConstMatrix<float> mw = matrix_of<const float>(w, "w");
  const ConstMatrix<float> mx = checked(x, matrix_of<const float>(x, "x").rows, mw.cols, "x");
  const ConstMatrix<float> mdz = checked(dz, mx.rows, mw.rows, "dz");
  py::array_t<float> dw({mw.rows, mw.cols}), db(mw.rows), dx({mx.rows, mw.cols});
  const Matrix<float> out_w(dw.mutable_data(), mw.rows, mw.cols), out_x(dx.mutable_data(), mx.rows, mw.cols);
  float* out_b = db.mutable_data();
  {
    const Released released;
    Lease lease;
    const Buffer<float> scratch(verbs.dense_scratch(mx.rows, mw.cols, mw.rows));
    verbs.dense_gradient(lease, mx, mw, mdz, out_w, out_b, out_x, scratch.data());
  }
  return py::make_tuple(dw, db, dx);
}

// dx = dy a'(z) from y
py::array activation_gradient(const std::string& backend, const std::string& activation, const py::array& y,
                              const py::array& dy) {
  const Bfloat16Backend& verbs = bfloat16_backend_named(backend);
  const Activation a = activation_named(activation);
  const ConstMatrix<float> my = matrix_of<const float>(y, "y");
  const ConstMatrix<float> mdy = checked(dy, my.rows, my.cols, "dy");
  py::array_t<float> dx({my.rows, my.cols});
  Lease lease;
  verbs.activation_gradient(lease, a, my, mdy, {dx.mutable_data(), my.rows, my.cols});
  return dx;
}

}  // namespace

void bind_bfloat16_layers(py::class_<Bound>& network) {
  network
      .def(
          "add_bfloat16_cast",
          [](Bound& self, std::int64_t size) {
            require_positive(size, "size");
            add<CastBfloat16>(self, size);
          },
          py::arg("size"))
      .def(
          "add_bfloat16_dense",
          [](Bound& self, std::int64_t positions, std::int64_t inputs, std::int64_t units,
             const std::string& activation, bool use_bias) {
            require_positive(positions, "positions");
            require_positive(inputs, "inputs");
            require_positive(units, "units");
            add<DenseBfloat16>(self, positions, inputs, units, activation_named(activation), use_bias);
          },
          py::arg("positions"), py::arg("inputs"), py::arg("units"), py::arg("activation"),
          py::arg("use_bias"))
      .def(
          "add_bfloat16_activation",
          [](Bound& self, std::int64_t positions, std::int64_t features, const std::string& activation) {
            require_positive(positions, "positions");
            require_positive(features, "features");
            add<ActivationBfloat16>(self, positions, features, activation_named(activation));
          },
          py::arg("positions"), py::arg("features"), py::arg("activation"))
      .def(
          "add_bfloat16_batch_normalization",
          [](Bound& self, std::int64_t positions, std::int64_t channels, double momentum, double epsilon,
             bool center, bool scale) {
            require_positive(positions, "positions");
            require_positive(channels, "channels");
            add<BatchNormBfloat16>(self, positions, channels, momentum, epsilon, center, scale);
          },
          py::arg("positions"), py::arg("channels"), py::arg("momentum"), py::arg("epsilon"),
          py::arg("center"), py::arg("scale"))
      .def(
          "add_bfloat16_dropout",
          [](Bound& self, std::int64_t size, double rate, std::uint64_t seed) {
            require_positive(size, "size");
            require(rate >= 0 && rate <= 1, "rate: expected a number from 0 to 1, got ", rate);
            const auto stream = static_cast<std::uint32_t>(self.network.layers().size());
            add<DropoutBfloat16>(self, size, rate, seed, stream);
          },
          py::arg("size"), py::arg("rate"), py::arg("seed"));
}

void bind_bfloat16_ops(py::module_& m) {
  m.def("bfloat16_dense", &dense, py::arg("backend"), py::arg("x"), py::arg("w"), py::arg("b"),
        py::arg("activation"));
  m.def("bfloat16_dense_gradient", &dense_gradient, py::arg("backend"), py::arg("x"), py::arg("w"),
        py::arg("dz"));
  m.def("bfloat16_activation_gradient", &activation_gradient, py::arg("backend"), py::arg("activation"),
        py::arg("y"), py::arg("dy"));
}

}  // namespace lamina
