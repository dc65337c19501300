// The verbs that are one kernel over tiles. (The products are in dense.cpp.)
#include "backend/cpu/cpu.h"

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "backend/cpu/scratch.h"
#include "backend/cpu/tiles.h"
#include "backend/formulas.h"
#include "kernels/select.h"

namespace lamina {

template <class T>
void CpuBackend<T>::gather(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                           Matrix<T> out) const {
  if (order != nullptr && out.cols == 1 && out.contiguous() && lie_in_runs<T>(rows) &&
      rows.dtype != DType::kUint8) {
    for (std::int64_t i = 0; i < out.rows; ++i)  // one number a row, such as a target: no call for each
      std::memcpy(out.data + i, rows.row(order[i]), sizeof(T));
    return;
  }
  by_rows(lease, out.rows, out.cols, [&](std::int64_t begin, std::int64_t end) {
    if (order == nullptr && out.contiguous())
      return read_rows(rows, first + begin, end - begin, out.row(begin));
    for (std::int64_t i = begin; i < end; ++i)
      read_row(rows, order != nullptr ? order[i] : first + i, out.row(i));
  });
}

template <class T>
void CpuBackend<T>::gather_labels(Lease&, const Rows& rows, const std::int64_t* order, std::int64_t first,
                                  const LabelRange& range, Matrix<std::int64_t> out) const {
  double* const values = Scratch<double>::of_this_thread().result(out.size());
  if (order == nullptr)
    read_rows(rows, first, out.rows, values);
  else
    for (std::int64_t i = 0; i < out.rows; ++i) read_row(rows, order[i], values + i * out.cols);
  for (std::int64_t i = 0; i < out.size(); ++i) out.data[i] = range.held(values[i]);
}

template <class T>
void CpuBackend<T>::activation(Lease& lease, Activation a, ConstMatrix<T> x, Matrix<T> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().bias_activation(a, x.rows_of(first, last), nullptr, y.rows_of(first, last));
  });
}

template <class T>
void CpuBackend<T>::activation_gradient(Lease& lease, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                                        Matrix<T> dx) const {
  by_rows(lease, y.rows, y.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().activation_gradient(a, y.rows_of(first, last), dy.rows_of(first, last),
                                     dx.rows_of(first, last));
  });
}

template <class T>
void CpuBackend<T>::nonlinearity(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                 Matrix<T> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    T* const row = f.by_rows() ? Scratch<T>::of_this_thread().result(x.cols) : nullptr;
    kernels<T>().nonlinearity(f, x.rows_of(first, last), y.rows_of(first, last), row);
  });
}

template <class T>
void CpuBackend<T>::nonlinearity_gradient(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                          ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx,
                                          T* dslopes) const {
  if (dslopes != nullptr)
    by_columns(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
      kernels<T>().slope_gradient(x.cols_of(first, last), dy.cols_of(first, last), dslopes + first);
    });
  if (!dx) return;
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    T* const row = f.by_rows() ? Scratch<T>::of_this_thread().result(x.cols) : nullptr;
    kernels<T>().nonlinearity_gradient(f, x.rows_of(first, last), y.rows_of(first, last),
                                       dy.rows_of(first, last), dx.rows_of(first, last), row);
  });
}

template <class T>
void CpuBackend<T>::batch_norm(Lease& lease, ConstMatrix<T> x, const BatchNormValues<T>& v, T epsilon,
                               bool training, Matrix<T> y) const {
  by_columns(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    if (training) kernels<T>().column_moments(x.cols_of(first, last), v.mean + first, v.variance + first);
    for (std::int64_t j = first; j < last; ++j) {
      v.inverse[j] = T(1) / std::sqrt(v.variance[j] + epsilon);
      v.scale[j] = v.gamma != nullptr ? v.gamma[j] * v.inverse[j] : v.inverse[j];
    }
    if (!y) return;
    kernels<T>().standardise(x.cols_of(first, last), v.mean + first, v.scale + first,
                             v.beta != nullptr ? v.beta + first : nullptr, y.cols_of(first, last));
  });
}

template <class T>
void CpuBackend<T>::batch_norm_gradient(Lease& lease, ConstMatrix<T> x, ConstMatrix<T> dy,
                                        const BatchNormValues<T>& v, T* dgamma, T* dbeta,
                                        Matrix<T> dx) const {
  by_columns(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().batch_norm_gradient(x.cols_of(first, last), dy.cols_of(first, last), v.mean + first,
                                     v.inverse + first, v.gamma != nullptr ? v.gamma + first : nullptr,
                                     dgamma + first, dbeta + first, dx.cols_of(first, last));
  });
}

template <class T>
void CpuBackend<T>::renorm(Lease&, const Renorm<T>& form, const RenormValues<T>& v,
                           std::int64_t channels) const {
  for (std::int64_t j = 0; j < channels; ++j) formulas::renormed(form, v, j);
}

template <class T>
void CpuBackend<T>::dropout_mask(Lease& lease, const RandomStream& stream, double rate,
                                 Matrix<T> mask) const {
  by_ranges(lease, mask.size(), kTileElements / 8, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().dropout_mask(stream, rate, first, mask.data + first, last - first);
  });
}

template <class T>
void CpuBackend<T>::multiply(Lease& lease, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const {
  by_rows(lease, a.rows, a.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().multiply(a.row(first), b.row(first), out.row(first), (last - first) * a.cols);
  });
}

template <class T>
void CpuBackend<T>::rescale(Lease& lease, const Rescale<T>& rescale, ConstMatrix<T> x, Matrix<T> y) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().rescale(rescale, x.row(first), y.row(first), (last - first) * x.cols);
  });
}

template <class T>
void CpuBackend<T>::loss(Lease& lease, const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
                         const T* weight, T scale, T* rows, Matrix<T> gradient, double* sum) const {
  if (form.kind == LossKind::kCircle)  // its rows are pairs
    kernels<T>().loss(form, prediction, target, weight, scale, rows, gradient);
  else
    by_rows(lease, prediction.rows, prediction.cols, [&](std::int64_t first, std::int64_t last) {
      kernels<T>().loss(form, prediction.rows_of(first, last), target.rows_of(first, last),
                        weight != nullptr ? weight + first : nullptr, scale, rows + first,
                        gradient ? gradient.rows_of(first, last) : gradient);
    });
  *sum = sum_of(prediction.rows, [&](std::int64_t i) { return rows[i]; });
}

template <class T>
void CpuBackend<T>::metric(Lease& lease, const MetricForm<T>& form, ConstMatrix<T> prediction,
                           Target<T> target, const T* weight, T* rows, double* sum) const {
  by_rows(lease, prediction.rows, prediction.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().metric(form, prediction.rows_of(first, last), target.rows_of(first, last), rows + first);
  });
  *sum = weight != nullptr ? sum_of(prediction.rows, [&](std::int64_t i) { return rows[i] * weight[i]; })
                           : sum_of(prediction.rows, [&](std::int64_t i) { return rows[i]; });
}

template <class T>
void CpuBackend<T>::tally(Lease&, const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target,
                          const T* weight, double* state) const {
  add_to_tally(form, prediction, target, weight, state);  // in the order of the rows, as sums of doubles
}

template <class T>
void CpuBackend<T>::update(Lease& lease, const Update<T>& update, const T* dw, std::int64_t size) const {
  by_ranges(lease, size, kTileElements,
            [&](std::int64_t i, std::int64_t end) { kernels<T>().update(update, dw + i, end - i); });
}

template <class T>
void CpuBackend<T>::scaled_update(Lease& lease, const Update<T>& update, T a, T b, T* dw,
                                  std::int64_t size) const {
  by_ranges(lease, size, kTileElements, [&](std::int64_t i, std::int64_t end) {
    kernels<T>().blend(Blend::kScale, a, b, nullptr, dw + i, end - i);
    kernels<T>().update(update, dw + i, end - i);
  });
}

template <class T>
void CpuBackend<T>::blend(Lease& lease, Blend kind, T a, T b, const T* x, T* y, std::int64_t size) const {
  by_ranges(lease, size, kTileElements, [&](std::int64_t i, std::int64_t end) {
    kernels<T>().blend(kind, a, b, x != nullptr ? x + i : nullptr, y + i, end - i);
  });
}

template <class T>
void CpuBackend<T>::sum(Lease&, const T* x, std::int64_t size, double* out) const {
  *out = sum_of(size, [&](std::int64_t i) { return x[i]; });
}

template <class T>
T CpuBackend<T>::sum_of_squares(Lease& lease, const T* x, std::int64_t size) const {
  std::array<double, 256> parts;  // a part a tile, so that they are summed in one order
  constexpr std::int64_t count = std::tuple_size_v<decltype(parts)>;
  const std::int64_t grain = std::max(kTileElements, (size + count - 1) / count);
  by_ranges(lease, size, grain, [&](std::int64_t i, std::int64_t end) {
    parts[static_cast<std::size_t>(i / grain)] = kernels<T>().sum_of_squares(x + i, end - i);
  });
  return static_cast<T>(std::accumulate(parts.data(), parts.data() + (size + grain - 1) / grain, 0.0));
}

template <class T>
void CpuBackend<T>::penalty(Lease& lease, const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows,
                            Matrix<T> gradient, double* sum) const {
  by_rows(lease, x.rows, x.cols, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().penalty(form, x.rows_of(first, last), scale, rows + first,
                         gradient ? gradient.rows_of(first, last) : gradient);
  });
  *sum = sum_of(x.rows, [&](std::int64_t i) { return rows[i]; });
}

template <class T>
void CpuBackend<T>::constrain(Lease& lease, const Constraint<T>& form, Matrix<T> w) const {
  if (form.over == NormOver::kRows || form.kind == ConstraintKind::kNonNegative)
    by_rows(lease, w.rows, w.cols, [&](std::int64_t first, std::int64_t last) {
      kernels<T>().constrain(form, w.rows_of(first, last));
    });
  else if (form.over == NormOver::kColumns)
    by_columns(lease, w.rows, w.cols, [&](std::int64_t first, std::int64_t last) {
      kernels<T>().constrain(form, w.cols_of(first, last));
    });
  else
    kernels<T>().constrain(form, w);
}

template class CpuBackend<float>;
template class CpuBackend<double>;

}  // namespace lamina
