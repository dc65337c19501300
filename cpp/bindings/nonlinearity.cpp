#include "bindings/nonlinearity.h"

#include <pybind11/stl.h>

#include <numeric>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bfloat16.h"
#include "bindings/released.h"
#include "nn/layers/bfloat16.h"
#include "nn/layers/gated_bfloat16.h"
#include "nn/layers/nonlinear.h"
#include "nn/layers/prelu.h"

namespace lamina {
namespace {

constexpr std::int64_t kWidestSorted = 1 << 24;  // sparsemax keeps places in a row of floats

template <class T>
Nonlinearity<T> form_of(const std::string& kind, const std::vector<double>& numbers, std::int64_t inner,
                        std::int64_t features) {
  Nonlinearity<T> f{nonlinear_named(kind)};
  require(numbers.size() <= 4, "numbers: expected up to 4, got ", numbers.size());
  T* const slots[] = {&f.a, &f.b, &f.c, &f.d};
  for (std::size_t k = 0; k < numbers.size(); ++k) *slots[k] = static_cast<T>(numbers[k]);
  require_positive(inner, "inner");
  require(inner == 1 || f.kind == NonlinearKind::kSoftmax, "inner: expected 1 for ", kind, ", got ", inner);
  require(features % inner == 0, "inner: expected a divisor of ", features, " values, got ", inner);
  require(f.kind != NonlinearKind::kGlu || features % 2 == 0, kind,
          ": expected an even number of values to halve, got ", features);
  require(f.kind != NonlinearKind::kSparsemax || features <= kWidestSorted, kind, ": expected up to ",
          kWidestSorted, " values, got ", features);
  f.inner = inner;
  return f;
}

// f(T()) with T the array's type.
template <class F>
void in_type_of(const py::array& array, F&& f) {
  if (holds<double>(array))
    f(double{});
  else
    f(float{});
}

// Rows of a function over rows; else the numbers one below the other, as each stands for itself.
template <class T>
Matrix<T> shaped(Matrix<T> matrix, bool by_rows) {
  return by_rows || matrix.size() == 0 ? matrix : matrix.reshaped(1);
}

void apply(const std::string& backend, const std::string& kind, const std::vector<double>& numbers,
           const py::array& x, const py::array& out, std::int64_t inner) {
  in_type_of(x, [&](auto t) {
    using T = decltype(t);
    const auto rows = matrix_of<const T>(x, "x");
    const Nonlinearity<T> f = form_of<T>(kind, numbers, inner, rows.cols);
    require(f.kind != NonlinearKind::kPrelu, "nonlinearity: expected one without parameters, got ", kind);
    require_size(out, f.kind == NonlinearKind::kGlu ? x.size() / 2 : x.size(), "out");
    const auto in = shaped<const T>(rows, f.by_rows());
    const auto y = shaped<T>(matrix_of<T>(out, "out"), f.by_rows());
    if (in.size() == 0) return;
    const Backend<T>& verbs = backend_named<T>(backend);
    const Released released;
    Lease lease;
    verbs.nonlinearity(lease, f, in, y);
  });
}

void gradient(const std::string& backend, const std::string& kind, const std::vector<double>& numbers,
              const py::array& x, const py::array& y, const py::array& dy, const py::array& out,
              std::int64_t inner) {
  in_type_of(x, [&](auto t) {
    using T = decltype(t);
    const auto rows = matrix_of<const T>(x, "x");
    const Nonlinearity<T> f = form_of<T>(kind, numbers, inner, rows.cols);
    require(f.kind != NonlinearKind::kPrelu, "nonlinearity: expected one without parameters, got ", kind);
    const auto size = f.kind == NonlinearKind::kGlu ? x.size() / 2 : x.size();
    require_size(y, size, "y");
    require_size(dy, size, "dy");
    require_size(out, x.size(), "out");
    const bool by_rows = f.by_rows();
    const auto in = shaped<const T>(rows, by_rows);
    const auto my = shaped<const T>(matrix_of<const T>(y, "y"), by_rows);
    const auto mdy = shaped<const T>(matrix_of<const T>(dy, "dy"), by_rows);
    const auto dx = shaped<T>(matrix_of<T>(out, "out"), by_rows);
    if (in.size() == 0) return;
    const Backend<T>& verbs = backend_named<T>(backend);
    const Released released;
    Lease lease;
    verbs.nonlinearity_gradient(lease, f, in, my, mdy, dx, nullptr);
  });
}

struct Alphas {
  std::vector<std::int64_t> shape, places;
};

// The arguments of a prelu, checked.
Alphas alphas_of(std::int64_t size, const std::vector<std::int64_t>& shape,
                 const std::vector<std::int64_t>& places) {
  require_positive(size, "size");
  std::int64_t count = 1;
  for (const std::int64_t n : shape) {
    require_positive(n, "shape");
    count *= n;
  }
  require(places.empty() ? count == size : static_cast<std::int64_t>(places.size()) == size,
          "places: expected one for each of ", size, " values, got ", places.size());
  for (const std::int64_t place : places)
    require(place >= 0 && place < count, "places: expected numbers below ", count, ", got ", place);
  return {shape, places};
}

void bind_bfloat16_nonlinear_layers(py::class_<BoundNetwork<float>>& network) {
  using Self = BoundNetwork<float>;
  network
      .def(
          "add_bfloat16_row_nonlinearity",
          [](Self& self, std::int64_t positions, std::int64_t features, const std::string& kind) {
            require_positive(positions, "positions");
            require_positive(features, "features");
            const Nonlinearity<float> f = form_of<float>(kind, {}, 1, features);
            require(f.by_rows() && f.kind != NonlinearKind::kSoftmax, kind,
                    ": expected one over rows, and no softmax, in bfloat16");
            if (f.kind == NonlinearKind::kGlu)
              add_bfloat16<GatedBfloat16>(self, positions, features);
            else
              add_bfloat16<BetweenCasts<Nonlinear<float>>>(self, positions, features, f, false);
          },
          py::arg("positions"), py::arg("features"), py::arg("kind"))
      .def(
          "add_bfloat16_prelu",
          [](Self& self, std::int64_t size, const std::vector<std::int64_t>& shape,
             const std::vector<std::int64_t>& places) {
            const Alphas alphas = alphas_of(size, shape, places);
            add_bfloat16<PReluBetweenCasts>(self, size, alphas.shape, alphas.places);
          },
          py::arg("size"), py::arg("shape"), py::arg("places"));
}

}  // namespace

template <class T>
void bind_nonlinear_layers(py::class_<BoundNetwork<T>>& network) {
  using Self = BoundNetwork<T>;
  if constexpr (sizeof(T) == sizeof(float)) {
    bind_bfloat16_nonlinear_layers(network);
    network.def(
        "add_bfloat16_nonlinearity",
        [](Self& self, std::int64_t size, const std::string& kind, const std::vector<double>& numbers) {
          require_positive(size, "size");
          const Nonlinearity<float> f = form_of<float>(kind, numbers, 1, size);
          require(!f.by_rows() && f.kind != NonlinearKind::kPrelu, kind,
                  ": expected one that works number by number in bfloat16");
          add_bfloat16<NonlinearBfloat16>(self, size, f);
        },
        py::arg("size"), py::arg("kind"), py::arg("numbers"));
  }
  network
      .def(
          "add_nonlinearity",
          [](Self& self, std::int64_t positions, std::int64_t features, const std::string& kind,
             const std::vector<double>& numbers, std::int64_t inner, bool logits) {
            require_positive(positions, "positions");
            require_positive(features, "features");
            const Nonlinearity<T> f = form_of<T>(kind, numbers, inner, features);
            require(!logits || f.kind == NonlinearKind::kSoftmax, "logits: expected False for ", kind);
            self.network.add(std::make_unique<Nonlinear<T>>(positions, features, f, logits));
          },
          py::arg("positions"), py::arg("features"), py::arg("kind"), py::arg("numbers"),
          py::arg("inner") = 1, py::arg("logits") = false)
      .def(
          "add_prelu",
          [](Self& self, std::int64_t size, const std::vector<std::int64_t>& shape,
             const std::vector<std::int64_t>& places) {
            Alphas alphas = alphas_of(size, shape, places);
            self.network.add(
                std::make_unique<PRelu<T>>(size, std::move(alphas.shape), std::move(alphas.places)));
          },
          py::arg("size"), py::arg("shape"), py::arg("places"));
}

template void bind_nonlinear_layers(py::class_<BoundNetwork<float>>&);
template void bind_nonlinear_layers(py::class_<BoundNetwork<double>>&);

void bind_nonlinear_ops(py::module_& m) {
  m.def("nonlinearity", &apply, py::arg("backend"), py::arg("kind"), py::arg("numbers"), py::arg("x"),
        py::arg("out"), py::arg("inner") = 1);
  m.def("nonlinearity_grad", &gradient, py::arg("backend"), py::arg("kind"), py::arg("numbers"), py::arg("x"),
        py::arg("y"), py::arg("dy"), py::arg("out"), py::arg("inner") = 1);
}

}  // namespace lamina
