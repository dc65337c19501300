// The kernels of one instruction set for one type. The same source is compiled once per set
// (kernels/isa.cpp), each in its own namespace, and one table is chosen when the library is loaded.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "kernels/arguments.h"
#include "kernels/nonlinearity.h"

namespace lamina {

template <class T>
struct KernelTable {
  // y = a(x + bias), bias (cols) or null; y may be x. Softmax is over each row.
  void (*bias_activation)(Activation a, ConstMatrix<T> x, const T* bias, Matrix<T> y);
  // dx = dy * a'(z), from the output y = a(z); dx may be dy.
  void (*activation_gradient)(Activation a, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx);
  // y = f(x), and dx = dy f'(x) with y = f(x); both in other memory; scratch: a row of x's width.
  void (*nonlinearity)(const Nonlinearity<T>& f, ConstMatrix<T> x, Matrix<T> y, T* scratch);
  void (*nonlinearity_gradient)(const Nonlinearity<T>& f, ConstMatrix<T> x, ConstMatrix<T> y,
                                ConstMatrix<T> dy, Matrix<T> dx, T* scratch);
  // out[j] = sum over column j of dy min(x, 0): the gradient of a slope below 0.
  void (*slope_gradient)(ConstMatrix<T> x, ConstMatrix<T> dy, T* out);

  // out[j] = sum of column j.
  void (*column_sums)(ConstMatrix<T> x, T* out);
  // Mean and biased variance of every column.
  void (*column_moments)(ConstMatrix<T> x, T* mean, T* variance);
  // y = (x - mean) * scale + shift, by column; shift may be null.
  void (*standardise)(ConstMatrix<T> x, const T* mean, const T* scale, const T* shift, Matrix<T> y);
  // Batch normalization's gradient; inverse = 1/sqrt(variance + epsilon), gamma or null for 1; dx may be dy.
  void (*batch_norm_gradient)(ConstMatrix<T> x, ConstMatrix<T> dy, const T* mean, const T* inverse,
                              const T* gamma, T* dgamma, T* dbeta, Matrix<T> dx);

  // mask[i] = 0 with probability rate, else 1/(1-rate), for the numbers first..first+size-1 of the stream;
  // first % 4 == 0.
  void (*dropout_mask)(const RandomStream& stream, double rate, std::int64_t first, T* mask,
                       std::int64_t size);
  void (*multiply)(const T* a, const T* b, T* out, std::int64_t size);
  void (*rescale)(const Rescale<T>& rescale, const T* x, T* y, std::int64_t size);

  // loss[i] = weight[i] * loss of row i (weight null: 1); gradient = scale * weight[i] * its gradient at
  // `prediction`, which is logits or probabilities as the form says. Null gradient: not wanted.
  void (*loss)(const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target, const T* weight, T scale,
               T* loss, Matrix<T> gradient);
  // value[i] = the metric of row i.
  void (*metric)(const MetricForm<T>& form, ConstMatrix<T> prediction, Target<T> target, T* value);

  // The step of the parameters whose gradients are dw[0..size-1], a part of the update's range.
  void (*update)(const Update<T>& update, const T* dw, std::int64_t size);
  void (*blend)(Blend kind, T a, T b, const T* x, T* y, std::int64_t size);
  double (*sum_of_squares)(const T* x, std::int64_t size);

  // rows[i] = the penalty of row i; gradient += scale * its gradient. Null gradient: not wanted.
  void (*penalty)(const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows, Matrix<T> gradient);
  // w as the constraint wants it; all numbers that share a norm are in w.
  void (*constrain)(const Constraint<T>& form, Matrix<T> w);

  // Rows of a batch, or columns of a weight matrix, that a panel holds (kernels/gemm.h).
  std::int64_t panel;
  std::int64_t block_rows;  // rows of a block, at most
  std::int64_t longest_chain;
  // The tiles of a dense layer's products; kernels/dense.h says what they need.
  void (*transposed_rows)(ConstMatrix<T> x, T* panel);
  void (*transposed_samples)(const Samples<T>& x, std::int64_t first, std::int64_t end, T* panel);
  void (*dense_panel)(const T* panel, ConstMatrix<T> w, const T* b, Activation a, T* z, Matrix<T> y,
                      const Samples<T>* fetched, std::int64_t part, std::int64_t parts);
  void (*dense_narrow)(const Input<T>& x, std::int64_t row, const T* units, const T* b, Activation a,
                       Matrix<T> y, std::int64_t part, std::int64_t parts);
  void (*dense_rows)(ConstMatrix<T> x, ConstMatrix<T> w, const T* b, Activation a, Matrix<T> y);
  void (*dense_input_gradient)(ConstMatrix<T> dz, ConstMatrix<T> w, Activation a, ConstMatrix<T> y, T* panel,
                               Matrix<T> dx);
  void (*laid_out_columns)(ConstMatrix<T> x, T* out);
  void (*weight_gradient)(const Input<T>& x, std::int64_t first_input, std::int64_t end_input,
                          const Columns<T>& dz, const Update<T>* update, T* panel, Matrix<T> dw);
  void (*bias_gradient)(ConstMatrix<T> dz, const Update<T>* update, T* db);
  // out = a b; the scratch is what kernels/product.h says.
  void (*product)(Factor<T> a, Factor<T> b, T* panel, T* more, Matrix<T> out);
  // The machine's limits (kernels/peak.h): multiply-adds in registers, returning the operations; y = x.
  double (*peak_multiply_add)(std::int64_t rounds, T* sink);
  void (*peak_copy)(std::int64_t size, const T* x, T* y);
};

}  // namespace lamina
