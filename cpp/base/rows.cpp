#include "base/rows.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace lamina {
namespace {

// IEEE half precision, as bits.
struct Half {
  std::uint16_t bits;
};

float to_float(Half h) {
  const int exponent = h.bits >> 10 & 31, fraction = h.bits & 1023;
  const float magnitude = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                          : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                          : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return h.bits >> 15 != 0 ? -magnitude : magnitude;
}

template <class S>
S swap_bytes(S value) {
  unsigned char bytes[sizeof(S)], reversed[sizeof(S)];
  std::memcpy(bytes, &value, sizeof value);
  for (std::size_t i = 0; i < sizeof(S); ++i) reversed[i] = bytes[sizeof(S) - 1 - i];
  std::memcpy(&value, reversed, sizeof value);
  return value;
}

template <class T, class S>
T convert(S value) {
  if constexpr (std::is_same_v<S, Half>)
    return static_cast<T>(to_float(value));
  else if constexpr (std::is_same_v<S, bool>)
    return value ? T(1) : T(0);
  else
    return static_cast<T>(value);
}

template <class S>
S value_at(const unsigned char* p, bool swapped) {
  std::conditional_t<std::is_same_v<S, bool>, unsigned char, S> value;
  std::memcpy(&value, p, sizeof value);  // p may be unaligned
  if (swapped) value = swap_bytes(value);
  if constexpr (std::is_same_v<S, bool>)
    return value != 0;
  else
    return value;
}

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

}  // namespace

std::int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
    case DType::kUint8:
      return 1;
    case DType::kInt16:
    case DType::kUint16:
    case DType::kFloat16:
      return 2;
    case DType::kInt32:
    case DType::kUint32:
    case DType::kFloat32:
      return 4;
    default:
      return 8;
  }
}

template <class T>
void read_row(const Rows& rows, std::int64_t i, T* out) {
  const unsigned char* p = rows.data + i * rows.stride;
  switch (rows.dtype) {
    case DType::kBool:
      read_axes<T, bool>(rows, 0, p, out);
      break;
    case DType::kInt8:
      read_axes<T, std::int8_t>(rows, 0, p, out);
      break;
    case DType::kInt16:
      read_axes<T, std::int16_t>(rows, 0, p, out);
      break;
    case DType::kInt32:
      read_axes<T, std::int32_t>(rows, 0, p, out);
      break;
    case DType::kInt64:
      read_axes<T, std::int64_t>(rows, 0, p, out);
      break;
    case DType::kUint8:
      read_axes<T, std::uint8_t>(rows, 0, p, out);
      break;
    case DType::kUint16:
      read_axes<T, std::uint16_t>(rows, 0, p, out);
      break;
    case DType::kUint32:
      read_axes<T, std::uint32_t>(rows, 0, p, out);
      break;
    case DType::kUint64:
      read_axes<T, std::uint64_t>(rows, 0, p, out);
      break;
    case DType::kFloat16:
      read_axes<T, Half>(rows, 0, p, out);
      break;
    case DType::kFloat32:
      read_axes<T, float>(rows, 0, p, out);
      break;
    case DType::kFloat64:
      read_axes<T, double>(rows, 0, p, out);
      break;
  }
}

template void read_row<float>(const Rows&, std::int64_t, float*);
template void read_row<double>(const Rows&, std::int64_t, double*);

}  // namespace lamina
