// Products of two matrices as they lie, in tiles for the thread team.
#pragma once

#include "base/team.h"
#include "kernels/arguments.h"
#include "kernels/names.h"

namespace lamina {

// Who multiplies: the kernels, or BLAS on each tile.
enum class Multiplier { kKernels, kBlas };

// For a result of so many rows, as benchmarks/products.cpp found: few of them fill no block of the kernels.
template <class T>
Multiplier multiplier_for(std::int64_t rows);

// out = f(a b + bias), bias (one value per column) may be null.
template <class T>
void product(Lease& lease, Factor<T> a, Factor<T> b, const T* bias, Activation f, Matrix<T> out,
             Multiplier multiplier);

template <class T>
void product(Lease& lease, Factor<T> a, Factor<T> b, const T* bias, Activation f, Matrix<T> out) {
  product<T>(lease, a, b, bias, f, out, multiplier_for<T>(out.rows));
}

// out[j] = sum of column j
template <class T>
void column_sums(Lease& lease, ConstMatrix<T> x, T* out);

}  // namespace lamina
