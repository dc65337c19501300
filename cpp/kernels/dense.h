// The three products of a dense layer on one tile, with what comes before and after them. Included only by
// kernels/isa.cpp.
#pragma once

#include <algorithm>

#include "kernels/activations.h"
#include "kernels/columns.h"
#include "kernels/gemm.h"
#include "kernels/optimizers.h"
#include "kernels/panels.h"

namespace lamina::LAMINA_ISA {
namespace {

// z[i] = f(z[i] + b) over a panel's row.
template <class T, class F>
void map_panel(std::int64_t units, const T* b, T* z, F&& f) {
  for (std::int64_t u = 0; u < units; ++u) {
    const T bias = b != nullptr ? b[u] : T(0);
    T* const row = z + u * kPanel<T>;
    store(row, f(load(row) + bias));
    store(row + kLanes<T>, f(load(row + kLanes<T>) + bias));
  }
}

// Fetches lines of rows that will be needed later into the second-level cache, a few every kPause steps of a
// product: all at once they would fill the core's line buffers and stand in the product's way.
template <class T>
class Fetching {
 public:
  // The share `part` of `parts` of the samples' next rows, over so many steps; null: nothing.
  Fetching(const Samples<T>* x, std::int64_t part, std::int64_t parts, std::int64_t steps) {
    if (x == nullptr || x->next == nullptr) return;
    x_ = x;
    row_ = x->next_count * part / parts;
    end_ = x->next_count * (part + 1) / parts;
    // Rows need not begin where a line does.
    const std::int64_t lines = (end_ - row_) * ((x->row_bytes() + 2 * kLine - 2) / kLine);
    every_ = std::clamp<std::int64_t>(steps / std::max<std::int64_t>(lines, 1), 1, kMostSteps);
    begin_row();
  }

  [[gnu::always_inline]] std::int64_t operator()(std::int64_t p, std::int64_t depth) {
    const std::int64_t next = kPause == 1 ? p + 1 : std::min(depth, p + kPause);
    wait_ -= kPause;
    if (wait_ > 0 || row_ >= end_) [[likely]]
      return next;
    do {
      fetch_line();
      wait_ += every_;
    } while (kPause > 1 && wait_ <= 0 && row_ < end_);
    return next;
  }

 private:
  static constexpr std::int64_t kLine = 64, kMostSteps = 8;

  void fetch_line() {
    __builtin_prefetch(at_, 0, 2);
    at_ += kLine;
    if (at_ < row_end_) return;
    ++row_;
    begin_row();
  }

  void begin_row() {
    if (row_ >= end_) return;
    at_ = static_cast<const char*>(x_->next[row_]);
    row_end_ = at_ + x_->row_bytes();
    at_ -= reinterpret_cast<std::uintptr_t>(at_) % kLine;
  }

  const Samples<T>* x_ = nullptr;
  std::int64_t row_ = 0, end_ = 0, every_ = 1, wait_ = 1;
  const char *at_ = nullptr, *row_end_ = nullptr;
};

// y = a(x wT + b) for the rows of one panel of x (transposed_panel), which are y's, and w's units, which are
// y's columns. z: scratch of as many rows of a panel, rounded up to whole vectors. A softmax is left to the
// caller. Meanwhile the share `part` of `parts` of what comes after `fetched` is fetched, if it is not null
// and the rows are more than a vector's.
template <class T>
void dense_panel(const T* panel, ConstMatrix<T> w, const T* b, Activation a, T* z, Matrix<T> y,
                 const Samples<T>* fetched, std::int64_t part, std::int64_t parts) {
  Fetching<T> fetching(fetched, part, parts, blocks_of(w.rows) * w.cols);
  by_chains(w.cols, [&](std::int64_t first, std::int64_t depth, bool) {
    const Stored<T> stored{z, kPanel<T>, kPanel<T>, first > 0};
    const Strided<T> units{w.data + first, w.stride, 1};
    const Panel<T> rows{panel + first * kPanel<T>, kPanel<T>};
    if (y.rows <= kLanes<T>)
      panel_product<T, 1>(w.rows, depth, units, rows, stored);
    else if (fetched != nullptr)
      panel_product<T, 2>(w.rows, depth, units, rows, stored, fetching);
    else
      panel_product<T, 2>(w.rows, depth, units, rows, stored);
  });
  with_activation<T>(a, [&](auto f) { map_panel<T>(w.rows, b, z, f); });
  transposed_back<T>(z, y);
}

// The same for a layer of so few units that they all fit a vector: they are put in its lanes, `units` being w
// as transposed_rows lays it out, and x's rows, those of y, are read where they lie, unscaled numbers. What
// stays empty of the vector costs less than turning x does, if it is less than half.
template <class T>
void dense_narrow(const Input<T>& x, std::int64_t row, const T* units, const T* b, Activation a, Matrix<T> y,
                  std::int64_t part, std::int64_t parts) {
  // So few rows at once that a pointer to each stays in a register.
  constexpr int most = std::min(8, kBlockRows);
  Fetching<T> fetching(x.samples, part, parts, blocks_of(y.rows, most) * x.matrix.cols);
  by_chains(x.matrix.cols, [&](std::int64_t first, std::int64_t depth, bool) {
    const Stored<T> stored{y.data, y.stride, y.cols, first > 0};
    const Panel<T> panel{units + first * kPanel<T>, kPanel<T>};
    if (x.samples != nullptr)
      panel_product<T, 1, most>(y.rows, depth, Scattered<T>{x.samples->rows + row, first}, panel, stored,
                                fetching);
    else
      panel_product<T, 1, most>(y.rows, depth, Strided<T>{x.matrix.row(row) + first, x.matrix.stride, 1},
                                panel, stored);
  });
  if (a == Activation::kSoftmax) a = Activation::kLinear;
  if (b != nullptr || a != Activation::kLinear) bias_activation<T>(a, y, b, y);
}

// R rows of x times kLanes / R units of w, a vector of the depth at a time; the sums of all pairs are made by
// one transposition. Where there are fewer rows or units the last is taken again.
template <class T, std::int64_t R>
void dot_block(ConstMatrix<T> x, ConstMatrix<T> w, T* sums) {
  constexpr std::int64_t lanes = kLanes<T>, units = lanes / R;
  const T *rows[R], *weights[units];
  for (std::int64_t i = 0; i < R; ++i) rows[i] = x.row(std::min(i, x.rows - 1));
  for (std::int64_t u = 0; u < units; ++u) weights[u] = w.row(std::min(u, w.rows - 1));
  Vec<T> c[lanes] = {};
  const auto multiply_add = [&](std::int64_t k, std::int64_t n) {
    Vec<T> values[R];
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < R; ++i) values[i] = load_up_to(rows[i] + k, n);
#pragma GCC unroll 16
    for (std::int64_t u = 0; u < units; ++u) {
      const Vec<T> weight = load_up_to(weights[u] + k, n);
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < R; ++i) c[i * units + u] += values[i] * weight;
    }
  };
  std::int64_t k = 0;
  for (; k + lanes <= x.cols; k += lanes) multiply_add(k, lanes);
  if (k < x.cols) multiply_add(k, x.cols - k);
  transpose<T>(c);
  Vec<T> sum = c[0];
#pragma GCC unroll 16
  for (std::int64_t j = 1; j < lanes; ++j) sum += c[j];
  store(sums, sum);
}

template <class T, std::int64_t R>
void dot_rows(ConstMatrix<T> x, ConstMatrix<T> w, Matrix<T> y) {
  constexpr std::int64_t units = kLanes<T> / R;
  T sums[kLanes<T>];
  for (std::int64_t u = 0; u < w.rows; u += units) {
    const std::int64_t n = std::min(units, w.rows - u);
    dot_block<T, R>(x, w.rows_of(u, u + n), sums);
    for (std::int64_t i = 0; i < x.rows; ++i) std::copy_n(sums + i * units, n, y.row(i) + u);
  }
}

// The same for few rows, where panels would be mostly empty: y = a(x wT + b), softmax again left to the
// caller.
template <class T>
void dense_rows(ConstMatrix<T> x, ConstMatrix<T> w, const T* b, Activation a, Matrix<T> y) {
  constexpr std::int64_t several = std::min<std::int64_t>(4, kLanes<T>);
  for (std::int64_t i = 0; i < x.rows; i += several) {
    const std::int64_t next = std::min(x.rows, i + several);
    if (next - i == 1)
      dot_rows<T, 1>(x.rows_of(i, next), w, y.rows_of(i, next));
    else
      dot_rows<T, several>(x.rows_of(i, next), w, y.rows_of(i, next));
  }
  if (a == Activation::kSoftmax) a = Activation::kLinear;
  if (b != nullptr || a != Activation::kLinear) bias_activation<T>(a, y, b, y);
}

// Fetches a panel of a matrix's columns that will be copied next, some rows of it before each block of a
// product of so many rows: at each of its steps it would take registers from the sums.
template <class T>
class ColumnsFetching {
 public:
  ColumnsFetching(ConstMatrix<T> x, std::int64_t k, std::int64_t rows)
      : x_(x), k_(k), end_(k < x.cols ? x.rows : 0), rows_(rows) {}

  void operator()(std::int64_t first) {
    for (const std::int64_t pause = end_ * std::min(rows_, first + kBlockRows) / rows_; row_ < pause;
         ++row_) {
      const T* const at = x_.row(row_) + k_;
      __builtin_prefetch(at, 0, 2);
      __builtin_prefetch(at + kLanes<T>, 0, 2);
    }
  }

 private:
  ConstMatrix<T> x_;
  std::int64_t k_, row_ = 0, end_, rows_;
};

// A panel of a source's columns, read where they lie: `valid` columns from k on; the others are 0.
template <class T, class Source>
class ColumnsOf {
 public:
  ColumnsOf(const Source& x, std::int64_t k, std::int64_t valid, std::int64_t row = 0)
      : x_(x), k_(k), valid_(valid), row_(row) {}

  ColumnsOf from_row(std::int64_t i) const { return {x_, k_, valid_, row_ + i}; }
  [[gnu::always_inline]] Vec<T> operator()(std::int64_t p, int j) const {
    const std::int64_t n = std::min(kLanes<T>, valid_ - j * kLanes<T>);
    return x_(row_ + p, k_ + j * kLanes<T>, n);
  }

 private:
  const Source& x_;
  std::int64_t k_, valid_, row_;
};

// The same of unscaled samples, for a panel whose columns are all there.
template <class T>
struct SampleColumns {
  const void* const* rows;
  std::int64_t k;

  SampleColumns from_row(std::int64_t i) const { return {rows + i, k}; }
  [[gnu::always_inline]] Vec<T> operator()(std::int64_t p, int j) const {
    return load(static_cast<const T*>(rows[p]) + k + j * kLanes<T>);
  }
};

// dx = dz w, or dx += dz w, of units that are one chain. Not inlined: what is around it would take registers
// from its loops.
template <class T>
[[gnu::noinline]] void input_gradient_chain(ConstMatrix<T> dz, ConstMatrix<T> w, bool add, T* panel,
                                            Matrix<T> dx) {
  const bool copy = dx.rows > 4 * kBlockRows;
  const MatrixSource<T> source{w};
  const Strided<T> rows{dz.data, dz.stride, 1};
  for (std::int64_t k = 0; k < dx.cols; k += kPanel<T>) {
    const std::int64_t valid = std::min(kPanel<T>, dx.cols - k);
    if (copy) copied_panel<T>(source, k, valid, panel);
    const Panel<T> columns = copy ? Panel<T>{panel, kPanel<T>} : Panel<T>{w.data + k, w.stride};
    const Stored<T> stored{dx.data + k, dx.stride, valid, add};
    if (valid <= kLanes<T>)
      panel_product<T, 1>(dx.rows, w.rows, rows, columns, stored);
    else if (copy)
      panel_product<T, 2>(dx.rows, w.rows, rows, columns, stored, Nothing{},
                          ColumnsFetching<T>(w, k + kPanel<T>, dx.rows));
    else
      panel_product<T, 2>(dx.rows, w.rows, rows, columns, stored);
  }
}

// dx = (dz w) a'(y) for some rows and columns of dx. w's rows may be read to the end of dx's last vector.
// panel: scratch of kLongestChain rows of a panel, where w's are put if many rows will read them.
template <class T>
void dense_input_gradient(ConstMatrix<T> dz, ConstMatrix<T> w, Activation a, ConstMatrix<T> y, T* panel,
                          Matrix<T> dx) {
  by_chains(w.rows, [&](std::int64_t first, std::int64_t depth, bool) {
    const std::int64_t end = first + depth;
    input_gradient_chain<T>(dz.cols_of(first, end), w.rows_of(first, end), first > 0, panel, dx);
  });
  if (a != Activation::kLinear) activation_gradient<T>(a, y, dx, dx);
}

// dw = dzT x for some units, dz's columns, and inputs first_input..end_input-1; plain SGD's step too, if that
// is the update. dw's rows are written to the end of their last vector, with 0. panel_of(input) is x's panel
// of columns that starts there, and panel_of(input).from_row(i) that from a sample on; before_of(input) is
// what is done before each block of its product.
template <class T, class PanelOf, class BeforeOf>
void weight_products(PanelOf&& panel_of, BeforeOf&& before_of, std::int64_t first_input,
                     std::int64_t end_input, const Columns<T>& dz, const Update<T>* update, Matrix<T> dw) {
  const bool at_once = update != nullptr && update->is_plain_sgd();
  for (std::int64_t input = first_input; input < end_input; input += kPanel<T>) {
    const auto panel = panel_of(input);
    auto before = before_of(input);
    by_chains(dz.rows, [&](std::int64_t first, std::int64_t depth, bool last) {
      const LaidOut<T> units{dz.data, dz.rows, first, dz.step};
      const auto run = [&](const auto& end) {
        if (end_input - input > kLanes<T>)
          panel_product<T, 2>(dz.cols, depth, units, panel.from_row(first), end, Nothing{}, before);
        else
          panel_product<T, 1>(dz.cols, depth, units, panel.from_row(first), end);
      };
      T* const place = dw.data + (input - first_input);
      if (at_once && last)
        run(Stepped<T>{update->weight_of(place), first > 0 ? place : nullptr, dw.stride, update->form.lr});
      else
        run(Stored<T>{place, dw.stride, kPanel<T>, first > 0});
    });
  }
}

// The same with whatever update. x is read where it lies if one block reads it, all units being in it, or if
// it holds nothing but the numbers, in rows that are apart: samples, which the forward pass of a small batch
// left in cache. Else a panel is copied to `panel` first, scratch of as many rows as dz has.
template <class T>
void weight_gradient(const Input<T>& x, std::int64_t first_input, std::int64_t end_input,
                     const Columns<T>& dz, const Update<T>* update, T* panel, Matrix<T> dw) {
  const auto nothing = [](std::int64_t) { return Nothing{}; };
  const auto in_place = [&](const auto& source, std::int64_t from) {
    const auto columns = [&](std::int64_t input) {
      return ColumnsOf<T, std::remove_cvref_t<decltype(source)>>(source, input,
                                                                 std::min(kPanel<T>, end_input - input));
    };
    weight_products<T>(columns, nothing, from, end_input, dz, update,
                       dw.cols_of(from - first_input, dw.cols));
  };
  const auto run = [&](const auto& source, const auto& before) {
    if (dz.cols <= kBlockRows) return in_place(source, first_input);
    const auto copied = [&](std::int64_t input) {
      copied_panel<T>(source, input, std::min(kPanel<T>, end_input - input), panel);
      return Panel<T>{panel, kPanel<T>};
    };
    weight_products<T>(copied, before, first_input, end_input, dz, update, dw);
  };
  if (x.samples == nullptr) {
    run(MatrixSource<T>{x.matrix}, [&](std::int64_t input) {
      const std::int64_t next = input + kPanel<T>;
      return ColumnsFetching<T>(x.matrix, next < end_input ? next : x.matrix.cols, dz.cols);
    });
  } else if (x.samples->unscaled()) {
    const auto columns = [&](std::int64_t input) { return SampleColumns<T>{x.samples->rows, input}; };
    const std::int64_t whole = first_input + (end_input - first_input) / kPanel<T> * kPanel<T>;
    weight_products<T>(columns, nothing, first_input, whole, dz, update, dw);
    in_place(RowSource<T>{*x.samples, 0, x.samples->count}, whole);
  } else {
    with_source<T>(*x.samples, 0, x.samples->count, [&](const auto& source) { run(source, nothing); });
  }
  if (update == nullptr || update->is_plain_sgd()) return;
  if (dw.contiguous()) return update_range<T>(*update, dw.data, dw.size());
  for (std::int64_t u = 0; u < dw.rows; ++u) update_range<T>(*update, dw.row(u), dw.cols);
}

// db = column sums of dz, then the update.
template <class T>
void bias_gradient(ConstMatrix<T> dz, const Update<T>* update, T* db) {
  column_sums<T>(dz, db);
  if (update != nullptr) update_range<T>(*update, db, dz.cols);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
