// Rows of somebody else's array, where and as they are: any number type, strides, byte order and alignment.
#pragma once

#include <cstdint>
#include <vector>

namespace lamina {

enum class DType {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64
};

// The places of a sparse matrix's values: row i has those of numbers starts[i]..starts[i+1]-1, in these
// columns; all other columns are 0. The numbers are of 32 or of 64 bits.
struct Places {
  const void* starts = nullptr;
  const void* columns = nullptr;
  bool wide = false;

  std::int64_t start(std::int64_t i) const { return number(starts, i); }
  std::int64_t column(std::int64_t k) const { return number(columns, k); }

 private:
  std::int64_t number(const void* numbers, std::int64_t i) const {
    return wide ? static_cast<const std::int64_t*>(numbers)[i] : static_cast<const std::int32_t*>(numbers)[i];
  }
};

// `count` rows; row i starts `i * stride` bytes after data, and its elements are an array of `shape` with
// `strides` in bytes, read in C order. With places, data are the values of a sparse matrix, one after
// another.
struct Rows {
  const unsigned char* data = nullptr;
  DType dtype = DType::kFloat32;
  bool swapped = false;  // of the other byte order
  std::int64_t count = 0;
  std::int64_t stride = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  Places places;

  bool sparse() const { return places.starts != nullptr; }
  const unsigned char* row(std::int64_t i) const { return data + i * stride; }
  std::int64_t width() const {
    std::int64_t product = 1;
    for (const std::int64_t n : shape) product *= n;
    return product;
  }
};

// Bytes of an element.
std::int64_t item_size(DType dtype);

// Whether each row is one run of values of type T or, with bytes, of uint8.
template <class T>
bool lie_in_runs(const Rows& rows);

// out[0..width-1] = row i, each value rounded to T.
template <class T>
void read_row(const Rows& rows, std::int64_t i, T* out);

// The same of rows first..first+count-1, one after another.
template <class T>
void read_rows(const Rows& rows, std::int64_t first, std::int64_t count, T* out);

}  // namespace lamina
