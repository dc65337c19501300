// The kernels behind lamina.ops, on NumPy arrays. ops.py has checked shapes; here types, layouts and sizes
// are checked again, as far as memory safety asks.
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/cpu/product.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/released.h"
#include "nn/optimizer.h"

namespace lamina {
namespace {

// f(T()) with T the array's type.
template <class F>
auto in_type_of(const py::array& array, F&& f) {
  return holds<double>(array) ? f(double{}) : f(float{});
}

// f(lease), with the GIL released when the work is worth it.
template <class F>
auto run(std::int64_t work, F&& f) {
  constexpr std::int64_t worth = 1 << 14;
  if (work < worth) {
    Lease lease;
    return f(lease);
  }
  const Released released;
  Lease lease;
  return f(lease);
}

template <class T>
const Backend<T>& cpu() {
  static const Backend<T>& backend = backend_named<T>("cpu");
  return backend;
}

// A NumPy array itself, no subclass, of float32 or float64, as the kernels take it.
bool is_plain(py::handle value) {
  const auto& api = py::detail::npy_api::get();
  if (reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())) != reinterpret_cast<PyObject*>(api.PyArray_Type_))
    return false;
  static const py::handle single = py::dtype::of<float>().release(),
                          twice = py::dtype::of<double>().release();
  constexpr int wanted = int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_};
  const auto* array = py::detail::array_proxy(value.ptr());
  return (array->descr == single.ptr() || array->descr == twice.ptr()) && (array->flags & wanted) == wanted;
}

// Whether that is true of all, in one dtype.
bool are_plain(const py::tuple& values) {
  const PyObject* dtype = nullptr;
  for (const py::handle value : values) {
    if (!is_plain(value)) return false;
    const PyObject* const own = py::detail::array_proxy(value.ptr())->descr;
    if (dtype != nullptr && own != dtype) return false;
    dtype = own;
  }
  return true;
}

// And of one shape, writable, and each with memory of its own; from `needed` on they may be None.
bool are_apart(const py::list& values, std::size_t needed) {
  std::vector<PyObject*> seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const py::handle value = values[i];
    if (i >= needed && value.is_none()) continue;
    if (!is_plain(value)) return false;
    const auto* array = py::detail::array_proxy(value.ptr());
    if (array->base != nullptr || (array->flags & py::detail::npy_api::NPY_ARRAY_WRITEABLE_) == 0)
      return false;
    if (std::find(seen.begin(), seen.end(), value.ptr()) != seen.end()) return false;
    if (!seen.empty()) {
      const auto* first = py::detail::array_proxy(seen.front());
      if (array->descr != first->descr || array->nd != first->nd ||
          !std::equal(array->dimensions, array->dimensions + array->nd, first->dimensions))
        return false;
    }
    seen.push_back(value.ptr());
  }
  return true;
}

// A matrix one of whose axes is contiguous; the other's stride is at least that axis's length.
template <class T>
Factor<T> factor_of(const py::array& array, const char* name) {
  if (!holds<std::remove_const_t<T>>(array)) elements<const T>(array, name);  // throws, naming the types
  require(array.ndim() == 2, name, ": expected a matrix, got ", array.ndim(), " axes");
  const auto item = static_cast<std::int64_t>(sizeof(T));
  const std::int64_t rows = array.shape(0), cols = array.shape(1);
  const auto fits = [&](int inner, int outer) {
    const bool together = array.shape(inner) <= 1 || array.strides(inner) == item;
    const bool apart = array.shape(outer) <= 1 || (array.strides(outer) % item == 0 &&
                                                   array.strides(outer) / item >= array.shape(inner));
    return together && apart;
  };
  const auto stride = [&](int inner, int outer) {
    return array.shape(outer) <= 1 ? std::max<std::int64_t>(array.shape(inner), 1)
                                   : array.strides(outer) / item;
  };
  const auto* data = static_cast<const T*>(array.data());
  if (fits(1, 0)) return {{data, rows, cols, stride(1, 0)}, false};
  require(fits(0, 1), name, ": expected one contiguous axis");
  return {{data, cols, rows, stride(0, 1)}, true};
}

template <class T>
Matrix<T> output_of(const py::array& out, std::int64_t rows, std::int64_t cols, const char* name) {
  const Matrix<T> m = matrix_of<T>(out, name);
  require(out.ndim() == 2 && out.shape(0) == rows && out.shape(1) == cols, name, ": expected shape (", rows,
          ", ", cols, ")");
  return m;
}

template <class T>
void dense_into(const py::array& x, const py::array& w, const T* b, Activation a, const py::array& out) {
  const Factor<T> fx = factor_of<T>(x, "x"), fw = factor_of<T>(w, "w");
  require(fx.cols() == fw.rows(), "w: expected ", fx.cols(), " rows, got ", fw.rows());
  const Matrix<T> y = output_of<T>(out, fx.rows(), fw.cols(), "out");
  if (y.size() == 0) return;
  run(y.size() * fx.cols(), [&](Lease& lease) { product<T>(lease, fx, fw, b, a, y); });
}

void bind_products(py::module_& m) {
  m.def(
      "matmul",
      [](const py::array& a, const py::array& b, const py::array& out) {
        in_type_of(a, [&](auto t) { dense_into<decltype(t)>(a, b, nullptr, Activation::kLinear, out); });
      },
      py::arg("a"), py::arg("b"), py::arg("out"));
  m.def(
      "dense",
      [](const py::array& x, const py::array& w, const std::optional<py::array>& b,
         const std::string& activation, const py::array& out) {
        in_type_of(x, [&](auto t) {
          using T = decltype(t);
          if (w.ndim() == 2) require_size(b, w.shape(1), "b");
          dense_into<T>(x, w, optional_elements<const T>(b, "b"), activation_named(activation), out);
        });
      },
      py::arg("x"), py::arg("w"), py::arg("b").none(true), py::arg("activation"), py::arg("out"));
  m.def(
      "dense_grad",
      [](const py::array& x, const py::array& w, const py::array& dy, const std::optional<py::array>& dx,
         const std::optional<py::array>& dw, const std::optional<py::array>& db) {
        in_type_of(x, [&](auto t) {
          using T = decltype(t);
          const Factor<T> fx = factor_of<T>(x, "x"), fw = factor_of<T>(w, "w"), fdy = factor_of<T>(dy, "dy");
          const Factor<T> xt{fx.matrix, !fx.transposed}, wt{fw.matrix, !fw.transposed};
          require(fdy.rows() == fx.rows() && fdy.cols() == fw.cols() && fx.cols() == fw.rows(),
                  "dy: expected the shape of x w");
          const auto into = [&](const py::array& out, Factor<T> a, Factor<T> b, const char* name) {
            const Matrix<T> result = output_of<T>(out, a.rows(), b.cols(), name);
            if (result.size() == 0) return;
            run(result.size() * a.cols(),
                [&](Lease& lease) { product<T>(lease, a, b, nullptr, Activation::kLinear, result); });
          };
          if (dx.has_value()) into(*dx, fdy, wt, "dx");
          if (dw.has_value()) into(*dw, xt, fdy, "dw");
          if (db.has_value()) {
            require(!fdy.transposed, "dy: expected a C-contiguous array");
            require_size(*db, fdy.cols(), "db");
            T* sums = elements<T>(*db, "db");
            run(fdy.matrix.size(), [&](Lease& lease) { column_sums<T>(lease, fdy.matrix, sums); });
          }
        });
      },
      py::arg("x"), py::arg("w"), py::arg("dy"), py::arg("dx").none(true), py::arg("dw").none(true),
      py::arg("db").none(true));
}

void bind_activations(py::module_& m) {
  // Elementwise functions see one column, softmax the last axis.
  const auto shaped = [](auto matrix, Activation a) {
    return a == Activation::kSoftmax || matrix.size() == 0 ? matrix : matrix.reshaped(1);
  };
  m.def(
      "activation",
      [shaped](const std::string& name, const py::array& x, const py::array& out) {
        in_type_of(x, [&](auto t) {
          using T = decltype(t);
          const Activation a = activation_named(name);
          require_size(out, x.size(), "out");
          const auto in = shaped(matrix_of<const T>(x, "x"), a);
          const auto y = shaped(matrix_of<T>(out, "out"), a);
          run(in.size(), [&](Lease& lease) { cpu<T>().activation(lease, a, in, y); });
        });
      },
      py::arg("name"), py::arg("x"), py::arg("out"));
  m.def(
      "activation_grad",
      [shaped](const std::string& name, const py::array& y, const py::array& dy, const py::array& out) {
        in_type_of(y, [&](auto t) {
          using T = decltype(t);
          const Activation a = activation_named(name);
          require_size(dy, y.size(), "dy");
          require_size(out, y.size(), "out");
          const auto my = shaped(matrix_of<const T>(y, "y"), a),
                     mdy = shaped(matrix_of<const T>(dy, "dy"), a);
          const auto dx = shaped(matrix_of<T>(out, "out"), a);
          run(my.size(), [&](Lease& lease) { cpu<T>().activation_gradient(lease, a, my, mdy, dx); });
        });
      },
      py::arg("name"), py::arg("y"), py::arg("dy"), py::arg("out"));
}

// A loss on arrays: rows gets one value per row, gradient (or null) that of the mean.
template <class T>
double loss_on(const std::string& kind, const py::array& y_true, const py::array& y_pred, bool from_logits,
               T* rows, Matrix<T> gradient) {
  LossForm<T> form;
  form.kind = loss_named(kind);
  form.logits = from_logits;
  const auto prediction = matrix_of<const T>(y_pred, "y_pred");
  Target<T> target;
  if (form.kind == LossKind::kSparseCategoricalCrossentropy) {
    require_size(y_true, prediction.rows, "y_true");
    target.labels = elements<const std::int64_t>(y_true, "y_true");
    for (std::int64_t i = 0; i < prediction.rows; ++i)
      require(target.labels[i] >= 0 && target.labels[i] < prediction.cols,
              "y_true must hold integers in [0, ", prediction.cols, "), got ", target.labels[i], " at index ",
              i);
  } else {
    require_size(y_true, prediction.size(), "y_true");
    target.values = matrix_of<const T>(y_true, "y_true");
  }
  require(prediction.rows > 0, "y_pred: expected at least one row, got none");
  const T scale = static_cast<T>(1.0 / static_cast<double>(prediction.rows));
  double sum = 0;
  run(prediction.size(), [&](Lease& lease) {
    cpu<T>().loss(lease, form, prediction, target, nullptr, scale, rows, gradient, &sum);
  });
  return sum / static_cast<double>(prediction.rows);
}

template <class T>
Buffer<T> row_buffer(const py::array& y_pred) {
  return Buffer<T>(matrix_of<const T>(y_pred, "y_pred").rows);
}

void bind_losses(py::module_& m) {
  m.def(
      "loss",
      [](const std::string& kind, const py::array& y_true, const py::array& y_pred, bool from_logits) {
        return in_type_of(y_pred, [&](auto t) {
          using T = decltype(t);
          const auto rows = row_buffer<T>(y_pred);
          return loss_on<T>(kind, y_true, y_pred, from_logits, rows.data(), {});
        });
      },
      py::arg("kind"), py::arg("y_true"), py::arg("y_pred"), py::arg("from_logits"));
  m.def(
      "loss_rows",
      [](const std::string& kind, const py::array& y_true, const py::array& y_pred, bool from_logits,
         const py::array& out) {
        in_type_of(y_pred, [&](auto t) {
          using T = decltype(t);
          require_size(out, matrix_of<const T>(y_pred, "y_pred").rows, "out");
          loss_on<T>(kind, y_true, y_pred, from_logits, elements<T>(out, "out"), {});
        });
      },
      py::arg("kind"), py::arg("y_true"), py::arg("y_pred"), py::arg("from_logits"), py::arg("out"));
  m.def(
      "loss_grad",
      [](const std::string& kind, const py::array& y_true, const py::array& y_pred, bool from_logits,
         const py::array& out) {
        in_type_of(y_pred, [&](auto t) {
          using T = decltype(t);
          require_size(out, y_pred.size(), "out");
          const auto rows = row_buffer<T>(y_pred);
          const auto prediction = matrix_of<const T>(y_pred, "y_pred");
          loss_on<T>(kind, y_true, y_pred, from_logits, rows.data(),
                     {elements<T>(out, "out"), prediction.rows, prediction.cols});
        });
      },
      py::arg("kind"), py::arg("y_true"), py::arg("y_pred"), py::arg("from_logits"), py::arg("out"));
}

// The arrays of a step are equally long; f(lease, form, size, dw, w) in their type, with the numbers rounded
// to it.
template <class F>
void step(const py::array& w, const py::array& dw, const OptimizerForm& form, std::int64_t t, F&& f) {
  in_type_of(w, [&](auto zero) {
    using T = decltype(zero);
    require_size(dw, w.size(), "dw");
    T* values = elements<T>(w, "w");
    const T* gradient = elements<const T>(dw, "dw");
    f(step_form<T>(form, t), w.size(), gradient, values);
  });
}

template <class T>
T* slot(const std::optional<py::array>& array, std::int64_t size, const char* name) {
  require_size(array, size, name);
  return optional_elements<T>(array, name);
}

void bind_steps(py::module_& m) {
  using Slot = std::optional<py::array>;
  m.def(
      "sgd_step",
      [](const py::array& w, const py::array& dw, double lr, double momentum, const Slot& velocity,
         bool nesterov) {
        OptimizerForm form{OptimizerKind::kSgd, lr, momentum, nesterov};
        step(w, dw, form, 1, [&]<class T>(const StepForm<T>& s, std::int64_t n, const T* g, T* p) {
          T* v = slot<T>(velocity, n, "velocity");
          run(n, [&](Lease& lease) { cpu<T>().update(lease, {OptimizerKind::kSgd, s, g, p, {v}}, g, n); });
        });
      },
      py::arg("w"), py::arg("dw"), py::arg("lr"), py::arg("momentum"), py::arg("velocity").none(true),
      py::arg("nesterov"));
  m.def(
      "rmsprop_step",
      [](const py::array& w, const py::array& dw, double lr, const py::array& velocity, double rho,
         double epsilon, double momentum, const Slot& momentum_slot, const Slot& average_gradient) {
        OptimizerForm form{OptimizerKind::kRmsprop, lr, momentum};
        form.rho = rho;
        form.epsilon = epsilon;
        step(w, dw, form, 1, [&]<class T>(const StepForm<T>& s, std::int64_t n, const T* g, T* p) {
          T* v = slot<T>(velocity, n, "velocity");
          T* mo = slot<T>(momentum_slot, n, "momentum_slot");
          T* mean = slot<T>(average_gradient, n, "average_gradient");
          run(n, [&](Lease& lease) {
            cpu<T>().update(lease, {OptimizerKind::kRmsprop, s, g, p, {v, mo, mean}}, g, n);
          });
        });
      },
      py::arg("w"), py::arg("dw"), py::arg("lr"), py::arg("velocity"), py::arg("rho"), py::arg("epsilon"),
      py::arg("momentum"), py::arg("momentum_slot").none(true), py::arg("average_gradient").none(true));
  m.def(
      "adagrad_step",
      [](const py::array& w, const py::array& dw, double lr, const py::array& accumulator, double epsilon) {
        OptimizerForm form{OptimizerKind::kAdagrad, lr};
        form.epsilon = epsilon;
        step(w, dw, form, 1, [&]<class T>(const StepForm<T>& s, std::int64_t n, const T* g, T* p) {
          T* a = slot<T>(accumulator, n, "accumulator");
          run(n,
              [&](Lease& lease) { cpu<T>().update(lease, {OptimizerKind::kAdagrad, s, g, p, {a}}, g, n); });
        });
      },
      py::arg("w"), py::arg("dw"), py::arg("lr"), py::arg("accumulator"), py::arg("epsilon"));
  m.def(
      "adam_step",
      [](const py::array& w, const py::array& dw, double lr, const py::array& m1, const py::array& v,
         std::int64_t t, double beta1, double beta2, double epsilon, const Slot& vhat) {
        require(t >= 1, "step: expected 1 or more, got ", t);
        OptimizerForm form{OptimizerKind::kAdam, lr};
        form.beta1 = beta1;
        form.beta2 = beta2;
        form.epsilon = epsilon;
        step(w, dw, form, t, [&]<class T>(const StepForm<T>& s, std::int64_t n, const T* g, T* p) {
          T* first = slot<T>(m1, n, "m");
          T* second = slot<T>(v, n, "v");
          T* largest = slot<T>(vhat, n, "vhat");
          run(n, [&](Lease& lease) {
            cpu<T>().update(lease, {OptimizerKind::kAdam, s, g, p, {first, second, largest}}, g, n);
          });
        });
      },
      py::arg("w"), py::arg("dw"), py::arg("lr"), py::arg("m"), py::arg("v"), py::arg("step"),
      py::arg("beta1"), py::arg("beta2"), py::arg("epsilon"), py::arg("vhat").none(true));
}

}  // namespace

void bind_ops(py::module_& m) {
  m.def("are_plain", &are_plain, py::arg("arrays"));
  m.def("are_apart", &are_apart, py::arg("arrays"), py::arg("needed"));
  bind_products(m);
  bind_activations(m);
  bind_losses(m);
  bind_steps(m);
}

}  // namespace lamina
