// Softmax and the losses it feeds for rows of few values, as many rows at a time as a vector has lanes: along
// the rows most lanes would be empty, and every sum would go across them. Included only by kernels/isa.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/arguments.h"
#include "kernels/elementary.h"
#include "kernels/transpose.h"

namespace lamina::LAMINA_ISA {
namespace {

inline constexpr std::int64_t kNarrow = 32;

// Up to kLanes rows of up to kNarrow values; column[j][i] is value j of row i.
template <class T>
struct NarrowRows {
  static constexpr std::int64_t lanes = kLanes<T>;
  static constexpr std::int64_t width = (kNarrow + lanes - 1) / lanes * lanes;
  Vec<T> column[width];

  void read(ConstMatrix<T> x) {
    for (std::int64_t j = 0; j < x.cols; j += lanes) {
      Vec<T> block[lanes];
      for (std::int64_t i = 0; i < lanes; ++i)
        block[i] = load_up_to(x.row(std::min(i, x.rows - 1)) + j, std::min(lanes, x.cols - j));
      transpose<T>(block);
      std::copy(block, block + lanes, column + j);
    }
  }

  void write(Matrix<T> y) const {
    for (std::int64_t j = 0; j < y.cols; j += lanes) {
      Vec<T> block[lanes];
      std::copy(column + j, column + j + lanes, block);
      transpose<T>(block);
      for (std::int64_t i = 0; i < y.rows; ++i)
        store_up_to(y.row(i) + j, block[i], std::min(lanes, y.cols - j));
    }
  }

  // The largest value of each row; NaN is passed over.
  Vec<T> largest(std::int64_t cols) const {
    Vec<T> most = splat<T>(-__builtin_huge_val());
    for (std::int64_t j = 0; j < cols; ++j) most = column[j] > most ? column[j] : most;
    return most;
  }

  // e^(x - shift) in place of x; returns the rows' sums.
  Vec<T> exponentiate(Vec<T> shift, std::int64_t cols) {
    Vec<T> sum{};
    for (std::int64_t j = 0; j < cols; ++j) sum += column[j] = exp<T>(column[j] - shift);
    return sum;
  }
};

// f(first, rows) for groups of rows that fill a vector.
template <class T, class F>
void by_lanes(std::int64_t rows, F&& f) {
  for (std::int64_t i = 0; i < rows; i += kLanes<T>) f(i, std::min(rows, i + kLanes<T>));
}

template <class T>
void narrow_softmax(ConstMatrix<T> x, Matrix<T> y) {
  by_lanes<T>(x.rows, [&](std::int64_t first, std::int64_t end) {
    NarrowRows<T> rows;
    rows.read(x.rows_of(first, end));
    const Vec<T> sum = rows.exponentiate(rows.largest(x.cols), x.cols);
    for (std::int64_t j = 0; j < x.cols; ++j) rows.column[j] /= sum;
    rows.write(y.rows_of(first, end));
  });
}

// The cross-entropy of softmax(z) with class numbers or target rows: log sum e^z - z_label, or
// sum t (log sum e^z - z), and softmax(z) - t.
template <class T>
void narrow_crossentropy(const LossForm<T>& form, ConstMatrix<T> z, Target<T> target, const T* weight,
                         T scale, T* loss, Matrix<T> gradient) {
  by_lanes<T>(z.rows, [&](std::int64_t first, std::int64_t end) {
    const ConstMatrix<T> part = z.rows_of(first, end);
    NarrowRows<T> rows, targets;
    rows.read(part);
    const Vec<T> largest = rows.largest(z.cols);
    Vec<T> value{};
    if (target.labels != nullptr) {
      for (std::int64_t i = first; i < end; ++i) value[i - first] = z.row(i)[target.labels[i]];
      value = largest - value;
    } else {
      targets.read(target.values.rows_of(first, end));
      for (std::int64_t j = 0; j < z.cols; ++j) {
        targets.column[j] = targets.column[j] * form.label_scale + form.label_shift;
        value += targets.column[j] * (largest - rows.column[j]);
      }
    }
    const Vec<T> sum = rows.exponentiate(largest, z.cols);
    Vec<T> log_sum{};
    for (std::int64_t i = 0; i < end - first; ++i) log_sum[i] = std::log(sum[i]);
    if (target.labels != nullptr)
      value += log_sum;
    else
      for (std::int64_t j = 0; j < z.cols; ++j) value += targets.column[j] * log_sum;
    const Vec<T> w = weight != nullptr ? load_up_to(weight + first, end - first) : splat(T(1));
    store_up_to(loss + first, w * value, end - first);
    if (!gradient) return;
    const Vec<T> factor = scale * w;
    for (std::int64_t j = 0; j < z.cols; ++j) {
      rows.column[j] = rows.column[j] / sum;
      if (target.labels == nullptr) rows.column[j] -= targets.column[j];
      rows.column[j] *= factor;
    }
    rows.write(gradient.rows_of(first, end));
    if (target.labels != nullptr)
      for (std::int64_t i = first; i < end; ++i) gradient.row(i)[target.labels[i]] -= factor[i - first];
  });
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
