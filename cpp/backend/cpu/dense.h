// What a dense layer is made of, on factors of either orientation.
#pragma once

#include "backend/cpu/product.h"
#include "kernels/names.h"

namespace lamina {

// y = a(x w + b), b may be null
template <class T>
void dense(Lease& lease, Factor<T> x, Factor<T> w, const T* b, Activation a, Matrix<T> y);

// out[j] = sum of column j
template <class T>
void column_sums(Lease& lease, ConstMatrix<T> x, T* out);

}  // namespace lamina
