// The kernels of one instruction set for one type. The same source is compiled once per set
// (kernels/isa.cpp), each in its own namespace, and one table is chosen when the library is loaded.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "kernels/arguments.h"

namespace lamina {

template <class T>
struct KernelTable {
  // y = a(x + bias), bias (cols) or null; y may be x. Softmax is over each row.
  void (*bias_activation)(Activation a, ConstMatrix<T> x, const T* bias, Matrix<T> y);
  // dx = dy * a'(z), from the output y = a(z); dx may be dy.
  void (*activation_gradient)(Activation a, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx);

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

  // loss[i] = weight[i] * loss of row i (weight null: 1); gradient = scale * weight[i] * its gradient at
  // `prediction`, which is logits or probabilities as the form says. Null gradient: not wanted.
  void (*loss)(const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target, const T* weight, T scale,
               T* loss, Matrix<T> gradient);
  // value[i] = the metric of row i.
  void (*metric)(MetricKind kind, ConstMatrix<T> prediction, Target<T> target, T* value);

  // Optimizers: w and slots are flat ranges; a null slot belongs to a variant without it.
  void (*sgd)(const StepForm<T>& form, std::int64_t size, const T* dw, T* w, T* velocity);
  void (*rmsprop)(const StepForm<T>& form, std::int64_t size, const T* dw, T* w, T* mean_square, T* momentum,
                  T* mean);
  void (*adagrad)(const StepForm<T>& form, std::int64_t size, const T* dw, T* w, T* accumulator);
  void (*adam)(const StepForm<T>& form, std::int64_t size, const T* dw, T* w, T* m, T* v, T* vhat);

  // The machine's limits (kernels/peak.h): multiply-adds in registers, returning the operations; y = x.
  double (*peak_multiply_add)(std::int64_t rounds, T* sink);
  void (*peak_copy)(std::int64_t size, const T* x, T* y);
};

}  // namespace lamina
