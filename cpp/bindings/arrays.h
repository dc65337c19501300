// NumPy arrays as the core's views.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/rows.h"
#include "base/view.h"

namespace lamina {

namespace py = pybind11;

// The rows (axis 0) of an array of numbers, of any layout. TypeError for other dtypes, ValueError for a
// scalar.
Rows rows_of(const py::array& array, const std::string& name);
// Of an array, or of a tuple (values, columns, starts, number of columns) of a sparse matrix in compressed
// rows.
Rows rows_of(const py::object& source, const std::string& name);

template <class T>
bool holds(const py::array& array) {
  return py::isinstance<py::array_t<T>>(array);
}

// The elements of a C-contiguous array of T; writable when T is not const.
template <class T>
T* elements(const py::array& array, const char* name) {
  using Value = std::remove_const_t<T>;
  if (!holds<Value>(array))
    throw py::type_error(text(name, ": expected ",
                              py::str(py::dtype::of<Value>()).template cast<std::string>(), ", got ",
                              py::str(array.dtype()).cast<std::string>()));
  constexpr int wanted = int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_};
  require((array.flags() & wanted) == wanted, name, ": expected an aligned C-contiguous array");
  require(std::is_const_v<T> || array.writeable(), name, ": expected a writable array");
  return static_cast<T*>(const_cast<void*>(array.data()));
}

template <class T>
T* optional_elements(const std::optional<py::array>& array, const char* name) {
  return array.has_value() ? elements<T>(*array, name) : nullptr;
}

inline void require_positive(std::int64_t n, const char* name) {
  require(n > 0, name, ": expected a positive number, got ", n);
}

inline void require_size(const py::array& array, std::int64_t size, const char* name) {
  require(array.size() == size, name, ": expected ", size, " elements, got ", array.size());
}

inline void require_size(const std::optional<py::array>& array, std::int64_t size, const char* name) {
  if (array.has_value()) require_size(*array, size, name);
}

// A C-contiguous array as rows of its last axis; a scalar is one value.
template <class T>
Matrix<T> matrix_of(const py::array& array, const char* name) {
  T* data = elements<T>(array, name);
  require(array.ndim() >= 1, name, ": expected at least one axis, got a scalar");
  const std::int64_t cols = array.ndim() > 0 ? array.shape(array.ndim() - 1) : 1;
  return {data, cols > 0 ? array.size() / cols : 0, cols};
}

}  // namespace lamina
