#include "backend/cpu/product.h"

#include <algorithm>

#include "backend/cpu/plan.h"
#include "backend/cpu/scratch.h"
#include "backend/cpu/tiles.h"
#include "kernels/select.h"

namespace lamina {
namespace {

template <class T>
void multiply(const KernelTable<T>& k, Factor<T> a, Factor<T> b, Matrix<T> out) {
  if (!a.transposed && b.transposed && out.rows < k.panel / 2)  // few rows by rows: dot products
    return k.dense_rows(a.matrix, b.matrix, nullptr, Activation::kLinear, out);
  const std::int64_t panel = k.longest_chain * k.panel;
  const std::int64_t more = std::max(padded<T>(out.cols) * k.panel, out.rows * (k.longest_chain + k.panel));
  T* const scratch = Scratch<T>::of_this_thread().result(panel + more);
  k.product(a, b, scratch, scratch + panel, out);
}

}  // namespace

template <class T>
void product(Lease& lease, Factor<T> a, Factor<T> b, const T* bias, Activation f, Matrix<T> out) {
  const KernelTable<T>& k = kernels<T>();
  const std::int64_t depth = a.cols();
  const Grid grid = product_grid(out.rows, out.cols, depth, k.panel);
  const bool whole_rows = f == Activation::kSoftmax;  // which a tile need not have
  lease.run(grid.tiles(), [&](std::int64_t i) {
    const auto t = grid.tile(i);
    const Matrix<T> part = out.rows_of(t.row, t.row_end).cols_of(t.col, t.col_end);
    multiply(k, a.rows_of(t.row, t.row_end), b.cols_of(t.col, t.col_end), part);
    if (!whole_rows && (bias != nullptr || f != Activation::kLinear))
      k.bias_activation(f, part, bias != nullptr ? bias + t.col : nullptr, part);
  });
  if (whole_rows)
    by_rows(lease, out.rows, out.cols, [&](std::int64_t first, std::int64_t last) {
      const Matrix<T> part = out.rows_of(first, last);
      k.bias_activation(f, part, bias, part);
    });
}

template <class T>
void column_sums(Lease& lease, ConstMatrix<T> x, T* out) {
  by_columns(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().column_sums(x.cols_of(first, last), out + first);
  });
}

#define LAMINA_INSTANTIATE(T)                                                              \
  template void product<T>(Lease&, Factor<T>, Factor<T>, const T*, Activation, Matrix<T>); \
  template void column_sums<T>(Lease&, ConstMatrix<T>, T*);
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
