// NVIDIA's library of products, for large ones. It is found at run time, or not: nothing is linked to it.
#pragma once

#include <cstdint>
#include <string>

#include "backend/cuda/product.h"

namespace lamina::cuda {

// Folders in which it is looked for first, with colons between them. Of no effect once it was looked for.
void set_library_folders(std::string folders);
// Where it was found; empty where it was not.
std::string library_path();

// Whether float32 products may round their factors to TF32, of 11 bits; they do not unless told so.
void allow_tf32(bool allowed);
bool allows_tf32();

// Whether there is one.
bool has_library();

// A bfloat16 number as the library has it: the upper half of a float.
struct HalfFloat {
  std::uint16_t bits;
};

// What products of numbers of this type are added up in.
template <class T>
struct Added {
  using Type = T;
};
template <>
struct Added<HalfFloat> {
  using Type = float;
};

// C[i, j] = sum over k of A[i, k] B[k, j] into rows of `stride` numbers; false where the library cannot take
// matrices that lie so, or there is none.
template <class T>
bool multiply_by_library(const Device& device, Strided<T> a, Strided<T> b, std::int64_t rows,
                         std::int64_t cols, std::int64_t depth, typename Added<T>::Type* c,
                         std::int64_t stride);

// Whether a product is so large that the library's speed outweighs a pass over what it writes. Chosen without
// a measurement: from about 256 by 256 by 256, own tiles are likely to fall behind.
inline bool suits_library(std::int64_t rows, std::int64_t cols, std::int64_t depth) {
  constexpr std::int64_t narrowest = 32, fewest = std::int64_t{1} << 24;
  return rows >= narrowest && cols >= narrowest && depth >= narrowest && rows * cols >= fewest / depth;
}

}  // namespace lamina::cuda
