// Rows in a device's memory, one behind the other and of any number type, as a kernel reads them.
#pragma once

#include "backend/cuda/device.h"
#include "base/elements.h"

namespace lamina::cuda {

struct Packed {
  const unsigned char* data = nullptr;
  DType dtype = DType::kFloat32;
  bool swapped = false;
  std::int64_t item = 0, stride = 0;
  Places places;

  Packed() = default;
  explicit Packed(const Rows& rows)
      : data(rows.data),
        dtype(rows.dtype),
        swapped(rows.swapped),
        item(rows.sparse() ? rows.stride : rows.strides.back()),
        stride(rows.stride),
        places(rows.places) {}

  // Element j of row i. A place of a sparse row that comes twice holds the sum.
  template <class T>
  LAMINA_DEVICE T at(std::int64_t i, std::int64_t j) const {
    T value(0);
    with_type_of(dtype, [&](auto kind) {
      using S = typename decltype(kind)::Type;
      if (places.starts == nullptr) {
        value = convert<T>(value_at<S>(data + i * stride + j * item, swapped));
        return;
      }
      const auto* const starts = static_cast<const std::int64_t*>(places.starts);
      const auto* const columns = static_cast<const std::int64_t*>(places.columns);
      for (std::int64_t k = starts[i]; k < starts[i + 1]; ++k)
        if (columns[k] == j) value += convert<T>(value_at<S>(data + k * item, swapped));
    });
    return value;
  }
};

}  // namespace lamina::cuda
