#include "bindings/arrays.h"

#include <bit>

namespace lamina {
namespace {

std::optional<DType> dtype_of(char kind, std::int64_t size) {
  switch (kind) {
    case 'b':
      return DType::kBool;
    case 'i':
      return size == 1 ? DType::kInt8 : size == 2 ? DType::kInt16 : size == 4 ? DType::kInt32 : DType::kInt64;
    case 'u':
      return size == 1   ? DType::kUint8
             : size == 2 ? DType::kUint16
             : size == 4 ? DType::kUint32
                         : DType::kUint64;
    case 'f':
      if (size == 2) return DType::kFloat16;
      if (size == 4) return DType::kFloat32;
      if (size == 8) return DType::kFloat64;
      return std::nullopt;  // long double
    default:
      return std::nullopt;
  }
}

}  // namespace

Rows rows_of(const py::array& array, const std::string& name) {
  const py::dtype dtype = array.dtype();
  const auto known = dtype_of(dtype.kind(), dtype.itemsize());
  if (!known.has_value())
    throw py::type_error(text(name, ": expected booleans, integers or floats of at most 64 bits, got dtype ",
                              py::str(dtype).cast<std::string>()));
  require(array.ndim() >= 1, name, ": expected an array with an axis of samples, got a scalar");
  Rows rows;
  rows.data = static_cast<const unsigned char*>(array.data());
  rows.dtype = *known;
  const char foreign = std::endian::native == std::endian::little ? '>' : '<';
  rows.swapped = dtype.byteorder() == foreign;
  rows.count = array.shape(0);
  rows.stride = array.strides(0);
  rows.shape.assign(array.shape() + 1, array.shape() + array.ndim());
  rows.strides.assign(array.strides() + 1, array.strides() + array.ndim());
  return rows;
}

namespace {

// All places lie inside the matrix, so that no row is read or written beyond it.
template <class Index>
void check_places(const py::array& columns, const py::array& starts, std::int64_t width,
                  const std::string& name) {
  const auto* column = elements<const Index>(columns, "columns");
  const auto* start = elements<const Index>(starts, "starts");
  bool inside = starts.size() > 0 && start[0] >= 0 && start[starts.size() - 1] <= columns.size();
  for (py::ssize_t i = 1; inside && i < starts.size(); ++i) inside = start[i - 1] <= start[i];
  for (py::ssize_t k = 0; inside && k < columns.size(); ++k) inside = column[k] >= 0 && column[k] < width;
  require(inside, name, ": expected a sparse matrix whose indices lie inside it");
}

Rows sparse_rows_of(const py::tuple& source, const std::string& name) {
  const auto values = source[0].cast<py::array>();
  const auto columns = source[1].cast<py::array>(), starts = source[2].cast<py::array>();
  const auto width = source[3].cast<std::int64_t>();
  Rows rows = rows_of(values, name);
  require(values.ndim() == 1 && values.size() == columns.size(), name,
          ": expected as many values as columns in a sparse matrix");
  rows.places.wide = holds<std::int64_t>(starts);
  if (rows.places.wide)
    check_places<std::int64_t>(columns, starts, width, name);
  else
    check_places<std::int32_t>(columns, starts, width, name);
  rows.places.starts = starts.data();
  rows.places.columns = columns.data();
  rows.count = starts.size() - 1;
  rows.shape = {width};
  rows.strides = {0};
  return rows;
}

}  // namespace

Rows rows_of(const py::object& source, const std::string& name) {
  if (py::isinstance<py::tuple>(source)) return sparse_rows_of(source.cast<py::tuple>(), name);
  return rows_of(source.cast<py::array>(), name);
}

}  // namespace lamina
