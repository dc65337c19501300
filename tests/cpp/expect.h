// What the parts of the smoke test share: what ends it, and data.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/rows.h"
#include "base/sampling.h"

namespace lamina {

inline void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "smoke: failed: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
constexpr DType dtype_of() {
  return sizeof(T) == sizeof(float) ? DType::kFloat32 : DType::kFloat64;
}

// Contiguous rows of T.
template <class T>
Rows rows_of(const std::vector<T>& values, std::int64_t count) {
  const auto width = static_cast<std::int64_t>(values.size()) / count;
  const auto item = std::int64_t{sizeof(T)};
  Rows rows;
  rows.data = reinterpret_cast<const unsigned char*>(values.data());
  rows.dtype = dtype_of<T>();
  rows.count = count;
  rows.stride = width * item;
  rows.shape = {width};
  rows.strides = {item};
  return rows;
}

template <class T>
std::vector<T> random_values(std::int64_t size, std::uint64_t seed) {
  std::vector<T> values(static_cast<std::size_t>(size));
  fill_normal(values.data(), size, {seed, Purpose::kInitialise, 0, 0}, 0.0, 1.0, false);
  return values;
}

}  // namespace lamina
