#include "base/rows.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/elements.h"

namespace lamina {
namespace {

// n elements `stride` bytes apart.
template <class T, class S>
void read_run(const unsigned char* p, std::int64_t n, std::int64_t stride, bool swapped, T* out) {
  if (std::is_same_v<T, S> && stride == std::int64_t{sizeof(T)} && !swapped) {
    std::memcpy(out, p, static_cast<std::size_t>(n) * sizeof(T));
  } else if (stride == std::int64_t{sizeof(S)} && !swapped) {
    for (std::int64_t j = 0; j < n; ++j)
      out[j] = convert<T>(value_at<S>(p + j * std::int64_t{sizeof(S)}, false));
  } else {
    for (std::int64_t j = 0; j < n; ++j) out[j] = convert<T>(value_at<S>(p + j * stride, swapped));
  }
}

// The inner axes from `axis` on; returns where the next element goes.
template <class T, class S>
T* read_axes(const Rows& rows, std::size_t axis, const unsigned char* p, T* out) {
  const std::size_t axes = rows.shape.size();
  if (axis == axes) {
    read_run<T, S>(p, 1, sizeof(S), rows.swapped, out);
    return out + 1;
  }
  // Neighbouring axes that lie one behind the other read as one.
  std::int64_t n = rows.shape[axis];
  std::size_t last = axis;
  while (last + 1 < axes && rows.strides[last] == rows.strides[last + 1] * rows.shape[last + 1])
    n *= rows.shape[++last];
  if (last + 1 == axes) {
    read_run<T, S>(p, n, rows.strides[last], rows.swapped, out);
    return out + n;
  }
  for (std::int64_t i = 0; i < rows.shape[axis]; ++i)
    out = read_axes<T, S>(rows, axis + 1, p + i * rows.strides[axis], out);
  return out;
}

// A function of its own for each type: all of them in one would need a large frame for a row of one number.
template <class T, class S>
[[gnu::noinline]] void read_row_of(const Rows& rows, std::int64_t i, T* out) {
  if (!rows.sparse()) {
    read_axes<T, S>(rows, 0, rows.data + i * rows.stride, out);
    return;
  }
  std::fill_n(out, rows.width(), T(0));
  const std::int64_t end = rows.places.start(i + 1);
  for (std::int64_t k = rows.places.start(i); k < end; ++k)  // a place that comes twice holds the sum
    out[rows.places.column(k)] += convert<T>(value_at<S>(rows.data + k * rows.stride, rows.swapped));
}

}  // namespace

std::int64_t item_size(DType dtype) {
  std::int64_t bytes = 0;
  with_type_of(dtype, [&](auto kind) { bytes = sizeof(typename decltype(kind)::Type); });
  return bytes;
}

template <class T>
bool lie_in_runs(const Rows& rows) {
  const bool own = rows.dtype == (sizeof(T) == sizeof(float) ? DType::kFloat32 : DType::kFloat64);
  if (rows.sparse() || rows.swapped || !(own || rows.dtype == DType::kUint8)) return false;
  std::int64_t expected = own ? std::int64_t{sizeof(T)} : 1;
  for (std::size_t axis = rows.shape.size(); axis-- > 0; expected *= rows.shape[axis])
    if (rows.shape[axis] != 1 && rows.strides[axis] != expected) return false;
  return true;
}

template <class T>
void read_row(const Rows& rows, std::int64_t i, T* out) {
  with_type_of(rows.dtype, [&](auto kind) { read_row_of<T, typename decltype(kind)::Type>(rows, i, out); });
}

template <class T>
void read_rows(const Rows& rows, std::int64_t first, std::int64_t count, T* out) {
  const std::int64_t width = rows.width();
  with_type_of(rows.dtype, [&](auto kind) {
    using S = typename decltype(kind)::Type;
    if (width == 1 && !rows.sparse())  // numbers, such as targets: no call for each
      read_run<T, S>(rows.row(first), count, rows.stride, rows.swapped, out);
    else
      for (std::int64_t i = 0; i < count; ++i) read_row_of<T, S>(rows, first + i, out + i * width);
  });
}

template bool lie_in_runs<float>(const Rows&);
template bool lie_in_runs<double>(const Rows&);
template void read_row<float>(const Rows&, std::int64_t, float*);
template void read_row<double>(const Rows&, std::int64_t, double*);
template void read_rows<float>(const Rows&, std::int64_t, std::int64_t, float*);
template void read_rows<double>(const Rows&, std::int64_t, std::int64_t, double*);

}  // namespace lamina
