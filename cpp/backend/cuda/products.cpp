// A dense layer's products, with what follows them fused in.
#include "backend/cuda/cublas.h"
#include "backend/cuda/cuda.h"
#include "backend/cuda/sums.h"
#include "backend/formulas.h"

namespace lamina {
namespace {

// store(i, j, sum) of every element of a product that becomes `c`: by the library, and then by a pass over c,
// where that is worth it.
template <class T, class Store>
void multiply_into(const cuda::Device& device, Matrix<T> c, cuda::Strided<T> a, cuda::Strided<T> b,
                   std::int64_t depth, const Store& store) {
  if (!cuda::suits_library(c.rows, c.cols, depth) ||
      !cuda::multiply_by_library(device, a, b, c.rows, c.cols, depth, c.data, c.stride))
    return cuda::multiply<T>(device, a, b, c.rows, c.cols, depth, store);
  cuda::store_all(device, c, store);
}

}  // namespace

template <class T>
void CudaBackend<T>::dense(Lease& lease, const Input<T>& input, ConstMatrix<T> w, const T* b, Activation a,
                           Matrix<T> y) const {
  const ConstMatrix<T> x = input.matrix;
  device_.check(x.data, w.data, b, y.data);
  const Activation fused = a == Activation::kSoftmax ? Activation::kLinear : a;
  multiply_into<T>(device_, y, {x.data, x.stride, 1}, {w.data, 1, w.stride}, x.cols,
                   [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j, T sum) {
                     y.row(i)[j] = formulas::activated(fused, b != nullptr ? sum + b[j] : sum);
                   });
  if (a == Activation::kSoftmax) activation(lease, a, y, y);
}

template <class T>
void CudaBackend<T>::dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w, Activation a,
                                          const Input<T>& input, Matrix<T> dx) const {
  const ConstMatrix<T> y = input.matrix;
  device_.check(dz.data, w.data, y.data, dx.data);
  const Activation fused = a == Activation::kSoftmax ? Activation::kLinear : a;
  multiply_into<T>(device_, dx, {dz.data, dz.stride, 1}, {w.data, w.stride, 1}, dz.cols,
                   [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j, T sum) {
                     dx.row(i)[j] = fused == Activation::kLinear
                                        ? sum
                                        : sum * formulas::derivative_from_output(fused, y.row(i)[j]);
                   });
  if (a == Activation::kSoftmax) activation_gradient(lease, a, y, dx, dx);
}

template <class T>
void CudaBackend<T>::dense_weight_gradient(Lease& lease, const Input<T>& input, ConstMatrix<T> dz,
                                           Matrix<T> dw, T* db, const Update<T>* update) const {
  const ConstMatrix<T> x = input.matrix;
  device_.check(x.data, dz.data, dw.data, db);
  const cuda::Strided<T> dzt{dz.data, 1, dz.stride}, of_x{x.data, x.stride, 1};
  if (cuda::suits_library(dw.rows, dw.cols, x.rows) &&
      cuda::multiply_by_library(device_, dzt, of_x, dw.rows, dw.cols, x.rows, dw.data, dw.stride)) {
    if (db != nullptr)
      cuda::column_sums(
          device_, dz.rows, dz.cols,
          [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) { return cuda::Pair{double(dz.row(i)[j]), 0}; },
          [=] LAMINA_DEVICE(std::int64_t j, cuda::Pair sum) { db[j] = static_cast<T>(sum.a); });
  } else if (db == nullptr) {
    cuda::multiply<T>(device_, dzt, of_x, dw.rows, dw.cols, x.rows,
                      [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j, T sum) { dw.row(i)[j] = sum; });
  } else {
    const std::int64_t inputs = dw.cols;
    cuda::multiply<T>(device_, dzt, cuda::WithOnes<T>{of_x, inputs, of_x.row}, dw.rows, inputs + 1, x.rows,
                      [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j, T sum) {
                        (j < inputs ? dw.row(i)[j] : db[i]) = sum;
                      });
  }
  if (update == nullptr) return;
  this->update(lease, *update, dw.data, dw.rows * dw.stride);  // the zeros behind the rows stay zero
  if (db != nullptr) this->update(lease, *update, db, dz.cols);
}

#define LAMINA_INSTANTIATE(T)                                                                             \
  template void CudaBackend<T>::dense(Lease&, const Input<T>&, ConstMatrix<T>, const T*, Activation,      \
                                      Matrix<T>) const;                                                   \
  template void CudaBackend<T>::dense_input_gradient(Lease&, ConstMatrix<T>, ConstMatrix<T>, Activation,  \
                                                     const Input<T>&, Matrix<T>) const;                   \
  template void CudaBackend<T>::dense_weight_gradient(Lease&, const Input<T>&, ConstMatrix<T>, Matrix<T>, \
                                                      T*, const Update<T>*) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
