// One number of any type, as bytes, read as float or double.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/host_device.h"
#include "base/rows.h"

namespace lamina {

// IEEE half precision, as bits.
struct Half {
  std::uint16_t bits;
};

// By bits: the exponent's bias goes from 15 to 127, and a subnormal half is its fraction times 2^-24.
LAMINA_HOST_DEVICE inline float to_float(Half h) {
  const std::uint32_t magnitude = h.bits & 0x7FFFu, sign = static_cast<std::uint32_t>(h.bits & 0x8000u) << 16;
  const std::uint32_t normal = (magnitude << 13) + ((magnitude >= 0x7C00u ? 255u - 31u : 127u - 15u) << 23);
  const float small = static_cast<float>(magnitude) * 0x1p-24f;
  return std::bit_cast<float>(sign | (magnitude < 0x0400u ? std::bit_cast<std::uint32_t>(small) : normal));
}

template <class S>
LAMINA_HOST_DEVICE S swap_bytes(S value) {
  unsigned char bytes[sizeof(S)], reversed[sizeof(S)];
  std::memcpy(bytes, &value, sizeof value);
  for (std::size_t i = 0; i < sizeof(S); ++i) reversed[i] = bytes[sizeof(S) - 1 - i];
  std::memcpy(&value, reversed, sizeof value);
  return value;
}

template <class T, class S>
LAMINA_HOST_DEVICE T convert(S value) {
  if constexpr (std::is_same_v<S, Half>)
    return static_cast<T>(to_float(value));
  else if constexpr (std::is_same_v<S, bool>)
    return value ? T(1) : T(0);
  else
    return static_cast<T>(value);
}

template <class S>
LAMINA_HOST_DEVICE S value_at(const unsigned char* p, bool swapped) {
  std::conditional_t<std::is_same_v<S, bool>, unsigned char, S> value;
  std::memcpy(&value, p, sizeof value);  // p may be unaligned
  if (swapped) value = swap_bytes(value);
  if constexpr (std::is_same_v<S, bool>)
    return value != 0;
  else
    return value;
}

template <class S>
struct TypeOf {
  using Type = S;
};

// f(TypeOf<S>) with S the type that this stands for.
template <class F>
LAMINA_HOST_DEVICE void with_type_of(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kBool:
      return f(TypeOf<bool>{});
    case DType::kInt8:
      return f(TypeOf<std::int8_t>{});
    case DType::kInt16:
      return f(TypeOf<std::int16_t>{});
    case DType::kInt32:
      return f(TypeOf<std::int32_t>{});
    case DType::kInt64:
      return f(TypeOf<std::int64_t>{});
    case DType::kUint8:
      return f(TypeOf<std::uint8_t>{});
    case DType::kUint16:
      return f(TypeOf<std::uint16_t>{});
    case DType::kUint32:
      return f(TypeOf<std::uint32_t>{});
    case DType::kUint64:
      return f(TypeOf<std::uint64_t>{});
    case DType::kFloat16:
      return f(TypeOf<Half>{});
    case DType::kFloat32:
      return f(TypeOf<float>{});
    case DType::kFloat64:
      return f(TypeOf<double>{});
  }
}

}  // namespace lamina
