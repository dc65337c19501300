// The three products of a dense layer.
#include "backend/cpu/dense.h"

#include "backend/cpu/cpu.h"
#include "backend/cpu/tiles.h"
#include "kernels/select.h"

namespace lamina {

template <class T>
void dense(Lease& lease, Factor<T> x, Factor<T> w, const T* b, Activation a, Matrix<T> y) {
  const KernelTable<T>& k = kernels<T>();
  if (a == Activation::kSoftmax) {  // needs whole rows, which a tile need not have
    product<T>(lease, x, w, y, [](Matrix<T>, std::int64_t) {});
    by_rows(lease, y.rows, y.cols, [&](std::int64_t first, std::int64_t last) {
      const Matrix<T> part = y.rows_of(first, last);
      k.bias_activation(a, part, b, part);
    });
  } else {
    product<T>(lease, x, w, y, [&](Matrix<T> tile, std::int64_t column) {
      if (b != nullptr || a != Activation::kLinear)
        k.bias_activation(a, tile, b != nullptr ? b + column : nullptr, tile);
    });
  }
}

template <class T>
void column_sums(Lease& lease, ConstMatrix<T> x, T* out) {
  by_columns(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().column_sums(x.cols_of(first, last), out + first);
  });
}

template <class T>
void CpuBackend<T>::dense(Lease& lease, ConstMatrix<T> x, ConstMatrix<T> w, const T* b, Activation a,
                          Matrix<T> y) const {
  lamina::dense<T>(lease, {x}, {w, true}, b, a, y);
}

template <class T>
void CpuBackend<T>::dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w,
                                         Matrix<T> dx) const {
  product<T>(lease, {dz}, {w}, dx, [](Matrix<T>, std::int64_t) {});
}

template <class T>
void CpuBackend<T>::dense_weight_gradient(Lease& lease, ConstMatrix<T> x, ConstMatrix<T> dz, Matrix<T> dw,
                                          T* db) const {
  product<T>(lease, {dz, true}, {x}, dw, [](Matrix<T>, std::int64_t) {});
  if (db != nullptr) column_sums(lease, dz, db);
}

// The rest of the class is instantiated in cpu.cpp.
#define LAMINA_INSTANTIATE(T)                                                                               \
  template void dense<T>(Lease&, Factor<T>, Factor<T>, const T*, Activation, Matrix<T>);                    \
  template void column_sums<T>(Lease&, ConstMatrix<T>, T*);                                                 \
  template void CpuBackend<T>::dense(Lease&, ConstMatrix<T>, ConstMatrix<T>, const T*, Activation,          \
                                     Matrix<T>) const;                                                      \
  template void CpuBackend<T>::dense_input_gradient(Lease&, ConstMatrix<T>, ConstMatrix<T>, Matrix<T>)      \
      const;                                                                                                \
  template void CpuBackend<T>::dense_weight_gradient(Lease&, ConstMatrix<T>, ConstMatrix<T>, Matrix<T>, T*) \
      const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
