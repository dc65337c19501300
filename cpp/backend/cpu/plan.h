// How a dense layer's products are cut into tiles: by their shapes, never by the number of threads.
#pragma once

#include <cstdint>

namespace lamina {

// A grid of tiles over a result: near-equal parts of its two sides, each starting at a multiple of `unit`.
struct Grid {
  std::int64_t rows, cols;            // of the result
  std::int64_t row_tiles, col_tiles;  // row by row
  std::int64_t row_unit, col_unit;

  std::int64_t tiles() const { return row_tiles * col_tiles; }

  struct Tile {
    std::int64_t row, row_end, col, col_end;
  };
  Tile tile(std::int64_t i) const;
};

// Where a large batch was cut by rows for the product below (of depth_below, see Input), a small product is
// so too: a thread finds the rows that it wrote in its own cache. (Cut by columns, as a small batch is,
// threads would write to the same cache lines, which costs more than it gains.)

// y (rows x units) = x (rows x inputs) wT: a row tile is a group of panels of x.
Grid forward_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs, std::int64_t depth_below,
                  std::int64_t panel, std::int64_t item);
// The same for rows that fill no panel: cut by units.
Grid few_rows_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs);
// dx (rows x inputs) = dz w: cut by columns, a large batch by rows too.
Grid input_gradient_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs, std::int64_t depth_below,
                         std::int64_t panel, std::int64_t item);
// dw (units x inputs) = dzT x: of a small batch cut by units, as in forward, so that a unit's weights stay
// with one thread; of a large one by inputs first.
Grid weight_gradient_grid(std::int64_t rows, std::int64_t units, std::int64_t inputs, std::int64_t panel);
// out (rows x cols) = a b, of matrices as they lie: the longer side is cut first.
Grid product_grid(std::int64_t rows, std::int64_t cols, std::int64_t depth, std::int64_t panel);

}  // namespace lamina
