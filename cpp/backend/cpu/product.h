// Products of two matrices as they lie, in tiles for the thread team.
#pragma once

#include "base/team.h"
#include "kernels/arguments.h"
#include "kernels/names.h"

namespace lamina {

// out = f(a b + bias), bias (one value per column) may be null.
template <class T>
void product(Lease& lease, Factor<T> a, Factor<T> b, const T* bias, Activation f, Matrix<T> out);

// out[j] = sum of column j
template <class T>
void column_sums(Lease& lease, ConstMatrix<T> x, T* out);

}  // namespace lamina
