#include "backend/cpu/plan.h"

#include <algorithm>
#include <bit>

namespace lamina {
namespace {

// A tile is worth about so many multiply-adds: 5 us on one core, many times what it costs to share it out.
constexpr double kTileWork = 1 << 19;
constexpr std::int64_t kMostTiles = 64;
// What of a product's factors is to stay in a second-level cache.
constexpr std::int64_t kCacheBytes = 1 << 20;
// Units of a tile, at least: what is laid out for a tile is read once for each.
constexpr std::int64_t kFewestUnits = 16;
// And at most, where a batch is large: so much of the gradients at the output stays in cache.
constexpr std::int64_t kMostUnits = 512;
// Rows of a tile of an input gradient, at least: panels of the weights are laid out for each.
constexpr std::int64_t kFewestRows = 128;

std::int64_t wanted_tiles(std::int64_t rows, std::int64_t units, std::int64_t inputs) {
  const double work = static_cast<double>(rows) * static_cast<double>(units) * static_cast<double>(inputs);
  return static_cast<std::int64_t>(std::min(work / kTileWork, static_cast<double>(kMostTiles)));
}

// A power of two from 1 to `most`: halves and quarters share out evenly among the usual numbers of threads.
std::int64_t parts(std::int64_t wish, std::int64_t most) {
  const std::int64_t n = std::clamp<std::int64_t>(wish, 1, std::max<std::int64_t>(most, 1));
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n)));
}

std::int64_t divided(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

// Of so few rows each thread lays out all, and has its own units, forward and back: theirs are the weights
// that its cache holds.
bool is_few(std::int64_t rows, std::int64_t panel) { return rows <= 2 * panel; }

std::int64_t edge(std::int64_t n, std::int64_t tiles, std::int64_t i, std::int64_t unit) {
  return std::min(n, divided(n, unit) * i / tiles * unit);
}

}  // namespace

Grid::Tile Grid::tile(std::int64_t i) const {
  const std::int64_t r = i / col_tiles, c = i % col_tiles;
  return {edge(rows, row_tiles, r, row_unit), edge(rows, row_tiles, r + 1, row_unit),
          edge(cols, col_tiles, c, col_unit), edge(cols, col_tiles, c + 1, col_unit)};
}

Grid forward_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs, std::int64_t depth_below,
                  std::int64_t panel, std::int64_t item) {
  const std::int64_t panels = divided(rows, panel), wanted = wanted_tiles(rows, units, inputs);
  // Weights that fit the cache are read from it for one panel after the other; larger ones are to be read few
  // times, each time for as many panels as fit.
  const std::int64_t fitting = std::max<std::int64_t>(1, kCacheBytes / (panel * inputs * item));
  const bool small = units * inputs * item <= kCacheBytes;
  const std::int64_t fewest = small && !is_few(rows, panel) ? std::clamp<std::int64_t>(wanted, 1, panels) : 1;
  const std::int64_t groups = std::clamp(divided(panels, fitting), fewest, panels);
  const Grid grid{rows, units, groups, parts(wanted / groups, units / kFewestUnits), panel, 1};
  if (depth_below == 0 || grid.tiles() > 1) return grid;
  return {rows, units, forward_grid(rows, inputs, depth_below, 0, panel, item).row_tiles, 1, panel, 1};
}

Grid few_rows_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs) {
  return {rows, units, 1, parts(wanted_tiles(rows, units, inputs), units / kFewestUnits), 1, kFewestUnits};
}

Grid input_gradient_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs, std::int64_t depth_below,
                         std::int64_t panel, std::int64_t item) {
  const std::int64_t wanted = wanted_tiles(rows, units, inputs);
  const std::int64_t col_tiles = parts(std::min(wanted, kMostTiles / 4), inputs / panel);
  const Grid grid{rows, inputs, parts(wanted / col_tiles, rows / kFewestRows), col_tiles, 1, panel};
  if (depth_below == 0 || grid.tiles() > 1) return grid;
  return {rows, inputs, forward_grid(rows, inputs, depth_below, 0, panel, item).row_tiles, 1, panel, panel};
}

Grid weight_gradient_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs, std::int64_t panel) {
  const std::int64_t wanted = wanted_tiles(rows, units, inputs);
  // A panel of columns is laid out for all units of a tile, which takes the longer the more rows there are.
  if (!is_few(rows, panel)) {
    const std::int64_t row_tiles = parts(divided(units, kMostUnits), units);
    const std::int64_t col_tiles = parts(std::min(wanted, kMostTiles / 4) / row_tiles, inputs / panel);
    return {units, inputs, row_tiles, col_tiles, 1, panel};
  }
  const std::int64_t row_tiles = parts(wanted, units / kFewestUnits);
  return {units, inputs, row_tiles, parts(wanted / row_tiles, inputs / panel), 1, panel};
}

Grid product_grid(std::int64_t rows, std::int64_t cols, std::int64_t depth, std::int64_t panel) {
  const std::int64_t wanted = wanted_tiles(rows, cols, depth);
  // Tiles of a large product are square, so that each reads little for what it computes, and small enough
  // that its parts of the factors stay in cache for one chain.
  constexpr std::int64_t longest_edge = 512, first_cut = 4;
  const auto cut = [&](std::int64_t tiles, std::int64_t n) {
    return std::max(parts(tiles, n / panel), divided(n, longest_edge));
  };
  const std::int64_t first = cut(std::min(wanted, first_cut), std::max(rows, cols));
  const std::int64_t second = cut(wanted / first, std::min(rows, cols));
  return {rows, cols, rows > cols ? first : second, rows > cols ? second : first, 1, panel};
}

}  // namespace lamina
