#include "bindings/bfloat16.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

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

// The verbs of a backend and the caller's arrays as it sees them: a device has copies.
class Shown {
 public:
  explicit Shown(const std::string& backend)
      : verbs(bfloat16_backend_named(backend)), backend_(backend_named<float>(backend)) {}

  const float* read(const float* values, std::int64_t size) {
    if (values == nullptr || !backend_.on_device()) return values;
    float* const copy = held(size);
    std::copy_n(values, size, copy);
    return copy;
  }
  ConstMatrix<float> read(ConstMatrix<float> m) { return {read(m.data, m.size()), m.rows, m.cols}; }
  float* written(float* values, std::int64_t size) {
    if (!backend_.on_device()) return values;
    results_.push_back({held(size), values, size});
    return results_.back().from;
  }
  Matrix<float> written(Matrix<float> m) { return {written(m.data, m.size()), m.rows, m.cols}; }
  float* scratch(std::int64_t rows, std::int64_t inputs, std::int64_t units) {
    return held(verbs.dense_scratch(rows, inputs, units));
  }
  // Waits for the verbs, and brings back what they wrote.
  void finish() {
    backend_.finish();
    for (const Result& one : results_) std::copy_n(one.from, one.size, one.to);
  }

  const Bfloat16Backend& verbs;

 private:
  struct Result {
    float *from, *to;
    std::int64_t size;
  };

  float* held(std::int64_t size) {
    held_.emplace_back(size, backend_.memory());
    return held_.back().data();
  }

  const Backend<float>& backend_;
  std::vector<Buffer<float>> held_;
  std::vector<Result> results_;
};

// y = a(x wT + b), w (units, inputs)
py::array dense(const std::string& backend, const py::array& x, const py::array& w,
                const std::optional<py::array>& b, const std::string& activation, bool fused) {
  Shown shown(backend);
  const Activation a = activation_named(activation);
  const ConstMatrix<float> mw = matrix_of<const float>(w, "w");
  const ConstMatrix<float> mx = checked(x, matrix_of<const float>(x, "x").rows, mw.cols, "x");
  require_size(b, mw.rows, "b");
  const auto* bias = optional_elements<const float>(b, "b");
  py::array_t<float> y({mx.rows, mw.rows});
  const Matrix<float> out(y.mutable_data(), mx.rows, mw.rows);
  const Released released;
  Lease lease;
  shown.verbs.dense(lease, shown.read(mx), shown.read(mw), shown.read(bias, mw.rows), a, fused,
                    shown.written(out), shown.scratch(mx.rows, mw.cols, mw.rows));
  shown.finish();
  return y;
}

// (dw, db, dx)
py::tuple dense_gradient(const std::string& backend, const py::array& x, const py::array& w,
                         const py::array& dz) {
  Shown shown(backend);
  const ConstMatrix<float> mw = matrix_of<const float>(w, "w");
  const ConstMatrix<float> mx = checked(x, matrix_of<const float>(x, "x").rows, mw.cols, "x");
  const ConstMatrix<float> mdz = checked(dz, mx.rows, mw.rows, "dz");
  py::array_t<float> dw({mw.rows, mw.cols}), db(mw.rows), dx({mx.rows, mw.cols});
  const Matrix<float> out_w(dw.mutable_data(), mw.rows, mw.cols), out_x(dx.mutable_data(), mx.rows, mw.cols);
  float* out_b = db.mutable_data();
  {
    const Released released;
    Lease lease;
    shown.verbs.dense_gradient(lease, shown.read(mx), shown.read(mw), shown.read(mdz), Activation::kLinear,
                               shown.written(out_w), shown.written(out_b, mw.rows), shown.written(out_x),
                               nullptr, shown.scratch(mx.rows, mw.cols, mw.rows));
    shown.finish();
  }
  return py::make_tuple(dw, db, dx);
}

// dx = dy a'(z) from y
py::array activation_gradient(const std::string& backend, const std::string& activation, const py::array& y,
                              const py::array& dy) {
  Shown shown(backend);
  const Activation a = activation_named(activation);
  const ConstMatrix<float> my = matrix_of<const float>(y, "y");
  const ConstMatrix<float> mdy = checked(dy, my.rows, my.cols, "dy");
  py::array_t<float> dx({my.rows, my.cols});
  Lease lease;
  shown.verbs.activation_gradient(lease, a, shown.read(my), shown.read(mdy),
                                  shown.written({dx.mutable_data(), my.rows, my.cols}));
  shown.finish();
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
