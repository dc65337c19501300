// Elementwise and row-wise work in tiles. Tiles are cut by shape alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/team.h"

namespace lamina {

// About 5 us of simple arithmetic on one core; less is not worth another thread.
inline constexpr std::int64_t kTileElements = 16384;

// range(first, last) over 0..size-1, in tiles of `grain`.
template <class Range>
void by_ranges(Lease& lease, std::int64_t size, std::int64_t grain, Range&& range) {
  grain = std::max<std::int64_t>(grain, 1);
  lease.run((size + grain - 1) / grain,
            [&](std::int64_t tile) { range(tile * grain, std::min(size, (tile + 1) * grain)); });
}

// range(first row, last row) in tiles of about kTileElements.
template <class Range>
void by_rows(Lease& lease, std::int64_t rows, std::int64_t cols, Range&& range) {
  by_ranges(lease, rows, kTileElements / std::max<std::int64_t>(cols, 1), range);
}

// The same by columns, a multiple of 64 of them at a time: sums over rows are made strip by strip.
template <class Range>
void by_columns(Lease& lease, std::int64_t rows, std::int64_t cols, Range&& range) {
  constexpr std::int64_t strip = 64;
  by_ranges(lease, cols,
            strip * std::max<std::int64_t>(1, kTileElements / (strip * std::max<std::int64_t>(rows, 1))),
            range);
}

// The sum of value(i) over i = 0..size-1, as four chains of additions: one would wait for itself.
template <class Value>
double sum_of(std::int64_t size, Value&& value) {
  constexpr std::int64_t chains = 4;
  double parts[chains] = {};
  std::int64_t i = 0;
  for (; i + chains <= size; i += chains)
    for (std::int64_t k = 0; k < chains; ++k) parts[k] += static_cast<double>(value(i + k));
  for (std::int64_t k = 0; i < size; ++i, ++k) parts[k] += static_cast<double>(value(i));
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

}  // namespace lamina
