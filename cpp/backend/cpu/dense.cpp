// The three products of a dense layer.
#include <algorithm>

#include "backend/cpu/cpu.h"
#include "backend/cpu/plan.h"
#include "backend/cpu/scratch.h"
#include "backend/cpu/tiles.h"
#include "base/unique_number.h"
#include "kernels/select.h"

namespace lamina {
namespace {

// The rows of x that a tile needs, transposed, one panel behind the other; laid out unless this thread just
// did, in this call: in the next x may hold other values.
template <class T>
const T* transposed(const KernelTable<T>& k, const Input<T>& x, const Grid::Tile& t, std::uint64_t call) {
  auto& scratch = Scratch<T>::of_this_thread();
  const std::int64_t rows = t.row_end - t.row, size = k.panel * x.matrix.cols;
  T* const panels = scratch.panels((rows + k.panel - 1) / k.panel * size);
  if (scratch.holds_panels(call, t.row)) return panels;
  T* panel = panels;
  for (std::int64_t row = t.row; row < t.row_end; row += k.panel, panel += size) {
    const std::int64_t end = std::min(t.row_end, row + k.panel);
    if (x.samples != nullptr)
      k.transposed_samples(*x.samples, row, end, panel);
    else
      k.transposed_rows(x.matrix.rows_of(row, end), panel);
  }
  return panels;
}

// Rows whole pages apart share a few sets of the first-level cache.
template <class T>
bool is_page_apart(ConstMatrix<T> x) {
  return x.stride % std::int64_t{4096 / sizeof(T)} == 0;
}

// The same values in rows that do not share a few sets of the cache, as rows whole pages apart would: then,
// unless they are many, a copy of this thread's own.
template <class T>
ConstMatrix<T> well_spaced(ConstMatrix<T> x, std::uint64_t call, std::int64_t part) {
  constexpr std::int64_t most = (4 << 20) / sizeof(T);
  const std::int64_t stride = row_stride<T>(x.cols);
  if (!is_page_apart(x) || x.rows == 1 || x.rows * stride > most) return x;
  auto& scratch = Scratch<T>::of_this_thread();
  const Matrix<T> spaced(scratch.panels(x.rows * stride), x.rows, x.cols, stride);
  if (!scratch.holds_panels(call, part))
    for (std::int64_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, spaced.row(i));
  return spaced;
}

// For a product that goes down x's columns: this thread's own too, kept for its other tiles of the same part.
template <class T>
Columns<T> laid_out(const KernelTable<T>& k, ConstMatrix<T> x, std::uint64_t call, std::int64_t part) {
  if (x.cols <= k.block_rows) return {x.data, x.rows, x.cols, x.stride};
  auto& scratch = Scratch<T>::of_this_thread();
  T* const columns = scratch.panels(x.size());
  if (!scratch.holds_panels(call, part)) k.laid_out_columns(x, columns);
  return {columns, x.rows, x.cols};
}

// Whether the units go to the lanes (dense_narrow). Few rows are turned while they come from another core's
// cache, a vector at a time: there the units' way, number by number, waits longer.
template <class T>
bool is_narrow(const KernelTable<T>& k, const Input<T>& x, std::int64_t units) {
  if (units > k.panel / 2 || units <= k.panel / 4 || x.matrix.rows <= 2 * k.panel) return false;
  if (x.samples == nullptr) return !is_page_apart(x.matrix);
  return x.samples->unscaled();
}

}  // namespace

template <class T>
std::int64_t CpuBackend<T>::fewest_samples() const {
  return kernels<T>().panel / 2;
}

template <class T>
void CpuBackend<T>::dense(Lease& lease, const Input<T>& x, ConstMatrix<T> w, const T* b, Activation a,
                          Matrix<T> y) const {
  const KernelTable<T>& k = kernels<T>();
  const auto bias = [b](std::int64_t unit) { return b != nullptr ? b + unit : nullptr; };
  if (x.samples == nullptr && y.rows < fewest_samples()) {
    const Grid grid = few_rows_grid(y.rows, w.rows, w.cols);
    lease.run(grid.tiles(), [&](std::int64_t i) {
      const auto t = grid.tile(i);
      k.dense_rows(x.matrix, w.rows_of(t.col, t.col_end), bias(t.col), a, y.cols_of(t.col, t.col_end));
    });
  } else {
    const Grid grid = forward_grid(y.rows, w.rows, w.cols, x.depth_below, k.panel, sizeof(T));
    const std::uint64_t call = unique_number();
    // A thread fetches the next batch's rows in its tiles' turn: all of them where it will read all, else the
    // tiles' share.
    const std::int64_t turns =
        grid.row_tiles > 1 ? grid.tiles() : std::max<std::int64_t>(1, grid.tiles() / lease.threads());
    const bool narrow = is_narrow(k, x, w.rows);
    lease.run(grid.tiles(), [&](std::int64_t i) {
      const auto t = grid.tile(i);
      if (narrow) {
        auto& scratch = Scratch<T>::of_this_thread();
        T* const units = scratch.panels(k.panel * w.cols);
        if (!scratch.holds_panels(call, 0)) k.transposed_rows(w, units);
        return k.dense_narrow(x, t.row, units, b, a, y.rows_of(t.row, t.row_end), i % turns, turns);
      }
      const T* const panels = transposed(k, x, t, call);
      T* const z = Scratch<T>::of_this_thread().result(padded<T>(t.col_end - t.col) * k.panel);
      const std::int64_t count = (t.row_end - t.row + k.panel - 1) / k.panel;
      for (std::int64_t p = 0; p < count; ++p) {
        const std::int64_t row = t.row + p * k.panel, end = std::min(t.row_end, row + k.panel);
        k.dense_panel(panels + p * k.panel * w.cols, w.rows_of(t.col, t.col_end), bias(t.col), a, z,
                      y.rows_of(row, end).cols_of(t.col, t.col_end), x.samples, i % turns * count + p,
                      turns * count);
      }
    });
  }
  if (a == Activation::kSoftmax) activation(lease, a, y, y);
}

template <class T>
void CpuBackend<T>::dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w, Activation a,
                                         const Input<T>& y, Matrix<T> dx) const {
  const KernelTable<T>& k = kernels<T>();
  const Grid grid = input_gradient_grid(dx.rows, w.rows, w.cols, y.depth_below, k.panel, sizeof(T));
  const std::uint64_t call = unique_number();
  lease.run(grid.tiles(), [&](std::int64_t i) {
    const auto t = grid.tile(i);
    const auto part = [&](auto m) { return m.rows_of(t.row, t.row_end).cols_of(t.col, t.col_end); };
    k.dense_input_gradient(well_spaced(dz.rows_of(t.row, t.row_end), call, t.row),
                           w.cols_of(t.col, t.col_end), a,
                           a != Activation::kLinear ? part(y.matrix) : y.matrix,
                           Scratch<T>::of_this_thread().result(k.longest_chain * k.panel), part(dx));
  });
}

template <class T>
void CpuBackend<T>::dense_weight_gradient(Lease& lease, const Input<T>& x, ConstMatrix<T> dz, Matrix<T> dw,
                                          T* db, const Update<T>* update) const {
  const KernelTable<T>& k = kernels<T>();
  const Grid grid = weight_gradient_grid(dz.rows, dw.rows, dw.cols, k.panel);
  const std::uint64_t call = unique_number();
  lease.run(grid.tiles(), [&](std::int64_t i) {
    const auto t = grid.tile(i);
    auto& scratch = Scratch<T>::of_this_thread();
    const ConstMatrix<T> units = dz.cols_of(t.row, t.row_end);
    const Columns<T> columns = laid_out(k, units, call, t.row);
    // The last columns' part goes to the end of the rows, so that a part of whole rows is one range.
    const std::int64_t col_end = t.col_end == dw.cols ? dw.stride : t.col_end;
    const Matrix<T> part(dw.row(t.row) + t.col, t.row_end - t.row, col_end - t.col, dw.stride);
    k.weight_gradient(x, t.col, t.col_end, columns, update, scratch.result(dz.rows * k.panel), part);
    if (db != nullptr && t.col == 0) k.bias_gradient(units, update, db + t.row);
  });
}

// The rest of the class is instantiated in cpu.cpp.
#define LAMINA_INSTANTIATE(T)                                                                                \
  template std::int64_t CpuBackend<T>::fewest_samples() const;                                               \
  template void CpuBackend<T>::dense(Lease&, const Input<T>&, ConstMatrix<T>, const T*, Activation,          \
                                     Matrix<T>) const;                                                       \
  template void CpuBackend<T>::dense_input_gradient(Lease&, ConstMatrix<T>, ConstMatrix<T>, Activation,      \
                                                    const Input<T>&, Matrix<T>) const;                       \
  template void CpuBackend<T>::dense_weight_gradient(Lease&, const Input<T>&, ConstMatrix<T>, Matrix<T>, T*, \
                                                     const Update<T>*) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
