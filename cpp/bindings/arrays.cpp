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

}  // namespace lamina
