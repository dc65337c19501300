#include "base/packed_rows.h"

#include <cstring>

namespace lamina {
namespace {

void copy(unsigned char* out, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(out, from, static_cast<std::size_t>(bytes));
}

// The elements of the axes from `axis` on, in C order; returns where the next one goes.
unsigned char* pack(const Rows& rows, std::size_t axis, std::int64_t item, const unsigned char* from,
                    unsigned char* out) {
  if (axis == rows.shape.size()) {
    copy(out, from, item);
    return out + item;
  }
  if (axis + 1 == rows.shape.size() && rows.strides[axis] == item) {
    copy(out, from, rows.shape[axis] * item);
    return out + rows.shape[axis] * item;
  }
  for (std::int64_t i = 0; i < rows.shape[axis]; ++i)
    out = pack(rows, axis + 1, item, from + i * rows.strides[axis], out);
  return out;
}

bool lie_one_behind_the_other(const Rows& rows, std::int64_t item) {
  std::int64_t expected = item;
  for (std::size_t axis = rows.shape.size(); axis-- > 0; expected *= rows.shape[axis])
    if (rows.shape[axis] != 1 && rows.strides[axis] != expected) return false;
  return rows.stride == expected;
}

}  // namespace

unsigned char* PackedRows::room(std::int64_t bytes, Memory& memory) {
  if (bytes_.size() < bytes || !bytes_.is_from(memory)) {
    bytes_ = {};  // before there are two
    bytes_ = Buffer<unsigned char>(bytes, memory);
  }
  return bytes_.data();
}

void PackedRows::hold(const Rows& rows, const std::int64_t* order, std::int64_t first, std::int64_t count,
                      Memory& memory) {
  if (rows.sparse()) return hold_sparse(rows, order, first, count, memory);
  const std::int64_t item = item_size(rows.dtype), width = rows.width();
  unsigned char* const data = room(count * width * item, memory);
  if (order == nullptr && lie_one_behind_the_other(rows, item)) {
    copy(data, rows.row(first), count * width * item);
  } else {
    unsigned char* out = data;
    for (std::int64_t i = first; i < first + count; ++i)
      out = pack(rows, 0, item, rows.row(order != nullptr ? order[i] : i), out);
  }
  rows_ = {data, rows.dtype, rows.swapped, count, width * item, {width}, {item}, {}};
}

// Starts, columns and values, each on a cache line.
void PackedRows::hold_sparse(const Rows& rows, const std::int64_t* order, std::int64_t first,
                             std::int64_t count, Memory& memory) {
  const auto row = [&](std::int64_t i) { return order != nullptr ? order[first + i] : first + i; };
  const std::int64_t item = item_size(rows.dtype);
  std::int64_t stored = 0;
  for (std::int64_t i = 0; i < count; ++i)
    stored += rows.places.start(row(i) + 1) - rows.places.start(row(i));
  constexpr auto place = std::int64_t{sizeof(std::int64_t)};
  const std::int64_t columns_at = padded<unsigned char>((count + 1) * place),
                     values_at = columns_at + padded<unsigned char>(stored * place);
  unsigned char* const data = room(values_at + stored * item, memory);
  auto* const starts = reinterpret_cast<std::int64_t*>(data);
  auto* const columns = reinterpret_cast<std::int64_t*>(data + columns_at);
  std::int64_t out = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    starts[i] = out;
    for (std::int64_t k = rows.places.start(row(i)); k < rows.places.start(row(i) + 1); ++k, ++out) {
      columns[out] = rows.places.column(k);
      copy(data + values_at + out * item, rows.data + k * rows.stride, item);
    }
  }
  starts[count] = out;
  rows_ = {data + values_at, rows.dtype,   rows.swapped,           count, item,
           rows.shape,       rows.strides, {starts, columns, true}};
}

}  // namespace lamina
