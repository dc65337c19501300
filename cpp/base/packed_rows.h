// Rows of somebody else's array, copied one behind the other into memory of one's own.
#pragma once

#include <cstdint>

#include "base/memory.h"
#include "base/rows.h"

namespace lamina {

class PackedRows {
 public:
  // Rows first..first+count-1, of their own number type and byte order, as row 0 and following. The memory of
  // an earlier call is used again where it is large enough.
  void hold(const Rows& rows, std::int64_t first, std::int64_t count, Memory& memory) {
    hold(rows, nullptr, first, count, memory);
  }
  // The same of rows order[first..first+count-1], where order is not null.
  void hold(const Rows& rows, const std::int64_t* order, std::int64_t first, std::int64_t count,
            Memory& memory);
  void release() { *this = {}; }

  const Rows& rows() const { return rows_; }

 private:
  unsigned char* room(std::int64_t bytes, Memory& memory);
  void hold_sparse(const Rows& rows, const std::int64_t* order, std::int64_t first, std::int64_t count,
                   Memory& memory);

  Rows rows_;
  Buffer<unsigned char> bytes_;
};

}  // namespace lamina
