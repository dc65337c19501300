// Samples normalised by themselves, normal noise, and columns in another order.
#include "backend/cpu/cpu.h"
#include "backend/cpu/tiles.h"
#include "kernels/select.h"

namespace lamina {

template <class T>
void CpuBackend<T>::normal(Lease& lease, const RandomStream& stream, double mean, double stddev,
                           ConstMatrix<T> base, Matrix<T> out) const {
  by_ranges(lease, out.size(), kTileElements / 8, [&](std::int64_t first, std::int64_t last) {
    normalisation_kernels<T>().normal(stream, mean, stddev, first, base ? base.data + first : nullptr,
                                      out.data + first, last - first);
  });
}

template <class T>
void CpuBackend<T>::gather_columns(Lease& lease, ConstMatrix<T> x, const std::int64_t* from,
                                   Matrix<T> y) const {
  by_rows(lease, y.rows, y.cols, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const T* const row = x.row(i);
      T* const out = y.row(i);
      for (std::int64_t j = 0; j < y.cols; ++j) out[j] = row[from[j]];
    }
  });
}

template <class T>
void CpuBackend<T>::normalise(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                              const NormalisationValues<T>& values, Matrix<T> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    normalisation_kernels<T>().normalise(form, first, x.rows_of(first, last), values, y.rows_of(first, last));
  });
}

template <class T>
void CpuBackend<T>::normalise_gradient(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                                       ConstMatrix<T> dy, const NormalisationValues<T>& values, T* dgamma,
                                       T* dbeta, Matrix<T> dx) const {
  if (dgamma != nullptr || dbeta != nullptr)  // before dx, which may lie where dy does
    by_columns(lease, x.rows / form.period * form.repeat, form.period * x.cols / form.repeat,
               [&](std::int64_t first, std::int64_t last) {
                 normalisation_kernels<T>().normalise_parameters(form, x, dy, values, first, last, dgamma,
                                                                 dbeta);
               });
  if (!dx) return;
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    normalisation_kernels<T>().normalise_gradient(form, first, x.rows_of(first, last),
                                                  dy.rows_of(first, last), values, dx.rows_of(first, last));
  });
}

// The rest of the class is instantiated in cpu.cpp.
#define LAMINA_INSTANTIATE(T)                                                                                \
  template void CpuBackend<T>::normal(Lease&, const RandomStream&, double, double, ConstMatrix<T>,           \
                                      Matrix<T>) const;                                                      \
  template void CpuBackend<T>::gather_columns(Lease&, ConstMatrix<T>, const std::int64_t*, Matrix<T>) const; \
  template void CpuBackend<T>::normalise(Lease&, const NormalisationForm<T>&, ConstMatrix<T>,                \
                                         const NormalisationValues<T>&, Matrix<T>) const;                    \
  template void CpuBackend<T>::normalise_gradient(Lease&, const NormalisationForm<T>&, ConstMatrix<T>,       \
                                                  ConstMatrix<T>, const NormalisationValues<T>&, T*, T*,     \
                                                  Matrix<T>) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
