// A network with its idle predictors.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "nn/network.h"
#include "train/predictor.h"

namespace lamina {

namespace py = pybind11;

template <class T>
struct BoundNetwork {
  BoundNetwork(std::int64_t inputs, const Backend<T>& backend)
      : network(inputs, backend), predictors(network) {}
  Network<T> network;
  PredictorPool<T> predictors;
};

// A view of one parameter's values, wherever they are, in Keras's shape; `owner` keeps them alive.
template <class T>
py::array parameter_view(const Parameter& p, T* values, const py::object& owner) {
  const auto item = static_cast<py::ssize_t>(sizeof(T));
  if (!p.shape.empty()) return py::array(py::dtype::of<T>(), p.shape, values, owner);
  if (p.vector) return py::array(py::dtype::of<T>(), {p.cols}, {item}, values, owner);
  if (p.transposed)
    return py::array(py::dtype::of<T>(), {p.cols, p.rows}, {item, item * p.stride}, values, owner);
  return py::array(py::dtype::of<T>(), {p.rows, p.cols}, {item * p.stride, item}, values, owner);
}

// Its methods that set penalties and constraints.
template <class T>
void bind_restraints(py::class_<BoundNetwork<T>>& network);

}  // namespace lamina
