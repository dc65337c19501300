// What comes in: rows of any number type, columns, random numbers.
#include <cmath>

#include "backend/cuda/cuda.h"
#include "backend/cuda/packed.h"

namespace lamina {

using cuda::Packed;

template <class T>
void CudaBackend<T>::gather(Lease&, const Rows& rows, const std::int64_t* order, std::int64_t first,
                            Matrix<T> out) const {
  device_.check(rows.data, order, out.data);
  const Packed packed(rows);
  device_.each<true>(out.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / out.cols, j = k % out.cols;
    out.row(i)[j] = packed.template at<T>(order != nullptr ? order[i] : first + i, j);
  });
}

template <class T>
void CudaBackend<T>::gather_labels(Lease&, const Rows& rows, const std::int64_t* order, std::int64_t first,
                                   const LabelRange& range, Matrix<std::int64_t> out) const {
  device_.check(rows.data, order, out.data);
  const Packed packed(rows);
  const LabelRange held = range;
  device_.each<true>(out.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / out.cols, j = k % out.cols;
    out.row(i)[j] = held.held(packed.template at<double>(order != nullptr ? order[i] : first + i, j));
  });
}

template <class T>
void CudaBackend<T>::gather_columns(Lease&, ConstMatrix<T> x, const std::int64_t* from, Matrix<T> y) const {
  device_.check(x.data, from, y.data);
  device_.each(y.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / y.cols, j = k % y.cols;
    y.row(i)[j] = x.row(i)[from[j]];
  });
}

// The CPU's numbers: a thread makes the four of a Philox block.
template <class T>
void CudaBackend<T>::dropout_mask(Lease&, const RandomStream& stream, double rate, Matrix<T> mask) const {
  device_.check(mask.data);
  const RandomStream words = stream;
  const auto threshold = static_cast<std::uint64_t>(rate * 0x1p32);  // a word below it drops
  const T kept = rate < 1.0 ? static_cast<T>(1.0 / (1.0 - rate)) : T(0);
  const std::int64_t size = mask.size();
  device_.each<true>((size + 3) / 4, [=] LAMINA_DEVICE(std::int64_t b) {
    const PhiloxBlock block = words.block(static_cast<std::uint64_t>(b));
    for (std::int64_t k = 0; k < 4 && 4 * b + k < size; ++k)
      mask.data[4 * b + k] = block[static_cast<std::size_t>(k)] < threshold ? T(0) : kept;
  });
}

// Box and Muller in double, as in kernels/normal_noise.h.
template <class T>
void CudaBackend<T>::normal(Lease&, const RandomStream& stream, double mean, double stddev,
                            ConstMatrix<T> base, Matrix<T> out) const {
  device_.check(base.data, out.data);
  const RandomStream words = stream;
  const std::int64_t size = out.size();
  device_.each<true>((size + 1) / 2, [=] LAMINA_DEVICE(std::int64_t p) {
    const PhiloxBlock block = words.block(static_cast<std::uint64_t>(p / 2));
    const std::size_t pair = p % 2 == 0 ? 0 : 2;
    const double u = (static_cast<double>(block[pair]) + 0.5) * 0x1p-32,
                 turn = 6.2831853071795865 * ((static_cast<double>(block[pair + 1]) + 0.5) * 0x1p-32);
    const double radius = std::sqrt(-2 * std::log(u));
    const double z[] = {radius * std::cos(turn), radius * std::sin(turn)};
    for (std::int64_t k = 0; k < 2 && 2 * p + k < size; ++k)
      out.data[2 * p + k] = (base ? base.data[2 * p + k] : T(0)) + static_cast<T>(mean + stddev * z[k]);
  });
}

#define LAMINA_INSTANTIATE(T)                                                                             \
  template void CudaBackend<T>::gather(Lease&, const Rows&, const std::int64_t*, std::int64_t, Matrix<T>) \
      const;                                                                                              \
  template void CudaBackend<T>::gather_labels(Lease&, const Rows&, const std::int64_t*, std::int64_t,     \
                                              const LabelRange&, Matrix<std::int64_t>) const;             \
  template void CudaBackend<T>::gather_columns(Lease&, ConstMatrix<T>, const std::int64_t*, Matrix<T>)    \
      const;                                                                                              \
  template void CudaBackend<T>::dropout_mask(Lease&, const RandomStream&, double, Matrix<T>) const;       \
  template void CudaBackend<T>::normal(Lease&, const RandomStream&, double, double, ConstMatrix<T>,       \
                                       Matrix<T>) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
