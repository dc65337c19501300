// Random numbers, for the initialisers and for tests.
#include "base/random.h"

#include <pybind11/stl.h>

#include "base/sampling.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"

namespace lamina {
namespace {

RandomStream initialiser_stream(std::uint64_t seed, std::uint32_t stream) {
  return {seed, Purpose::kInitialise, stream & 0xFFFFFF, 0};
}

// f(pointer, size) on the array's elements, in its own type.
template <class F>
void fill(const py::array& out, F&& f) {
  if (holds<float>(out))
    f(elements<float>(out, "out"), out.size());
  else
    f(elements<double>(out, "out"), out.size());
}

}  // namespace

void bind_random(py::module_& m) {
  m.def(
      "random_uniform",
      [](const py::array& out, std::uint64_t seed, std::uint32_t stream, double low, double high) {
        fill(out, [&](auto* p, std::int64_t n) {
          fill_uniform(p, n, initialiser_stream(seed, stream), low, high);
        });
      },
      py::arg("out"), py::arg("seed"), py::arg("stream"), py::arg("low"), py::arg("high"));
  m.def(
      "random_normal",
      [](const py::array& out, std::uint64_t seed, std::uint32_t stream, double mean, double stddev,
         bool truncated) {
        fill(out, [&](auto* p, std::int64_t n) {
          fill_normal(p, n, initialiser_stream(seed, stream), mean, stddev, truncated);
        });
      },
      py::arg("out"), py::arg("seed"), py::arg("stream"), py::arg("mean"), py::arg("stddev"),
      py::arg("truncated"));
  m.def(
      "philox", [](PhiloxBlock counter, PhiloxKey key) { return py::tuple(py::cast(philox(counter, key))); },
      py::arg("counter"), py::arg("key"));
  m.def(
      "permutation",
      [](std::int64_t n, std::uint64_t seed, std::uint64_t epoch) {
        require(n >= 0, "n: expected 0 or more, got ", n);
        py::array_t<std::int64_t> order(n);
        fill_permutation(order.mutable_data(), n, {seed, Purpose::kShuffle, 0, epoch});
        return order;
      },
      py::arg("n"), py::arg("seed"), py::arg("epoch"));
}

}  // namespace lamina
