#include "backend/cpu/product.h"

#include <bit>

namespace lamina {

namespace {
constexpr double kTileWork = 1 << 20;  // multiplications
constexpr std::int64_t kMaxTiles = 64;
}  // namespace

Tiling tiling_of(std::int64_t rows, std::int64_t cols, std::int64_t depth) {
  const double work = static_cast<double>(rows) * static_cast<double>(cols) * static_cast<double>(depth);
  // Wide tiles first, since a tile reads all of its rows' factor; a product with many rows and few columns is
  // cut by rows.
  const auto wanted = static_cast<std::int64_t>(std::max(1.0, work / kTileWork));
  const std::int64_t most_cols = std::max<std::int64_t>(1, cols / kUnit),
                     most_rows = std::max<std::int64_t>(1, rows / 64);
  // Powers of two: halves and quarters share out evenly among the usual numbers of threads.
  const auto parts = [](std::int64_t wish, std::int64_t most) {
    const std::int64_t n = std::clamp<std::int64_t>(wish, 1, std::min(most, kMaxTiles));
    return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n)));
  };
  if (cols >= rows) {
    const std::int64_t col_tiles = parts(wanted, most_cols);
    return {parts(wanted / col_tiles / 8, most_rows), col_tiles};
  }
  const std::int64_t row_tiles = parts(wanted, most_rows);
  return {row_tiles, parts(wanted / row_tiles / 8, most_cols)};
}

}  // namespace lamina
