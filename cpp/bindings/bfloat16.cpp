#include "bindings/bfloat16.h"

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/released.h"

namespace lamina {
namespace {

ConstMatrix<float> checked(const py::array& array, std::int64_t rows, std::int64_t cols, const char* name) {
  const ConstMatrix<float> m = matrix_of<const float>(array, name);
  require(array.ndim() == 2 && m.rows == rows && m.cols == cols, name, ": expected shape (", rows, ", ", cols,
          ")");
  return m;
}

// y = a(x wT + b), w (units, inputs)
py::array dense(const std::string& backend, const py::array& x, const py::array& w,
                const std::optional<py::array>& b, const std::string& activation, bool fused) {
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
  verbs.dense(lease, mx, mw, bias, a, fused, out, scratch.data());
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
    verbs.dense_gradient(lease, mx, mw, mdz, Activation::kLinear, out_w, out_b, out_x, nullptr,
                         scratch.data());
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

void bind_bfloat16_ops(py::module_& m) {
  m.def("bfloat16_dense", &dense, py::arg("backend"), py::arg("x"), py::arg("w"), py::arg("b"),
        py::arg("activation"), py::arg("fused") = true);
  m.def("bfloat16_dense_gradient", &dense_gradient, py::arg("backend"), py::arg("x"), py::arg("w"),
        py::arg("dz"));
  m.def("bfloat16_activation_gradient", &activation_gradient, py::arg("backend"), py::arg("activation"),
        py::arg("y"), py::arg("dy"));
}

}  // namespace lamina
