// What happens to weights: the optimizers' steps, blends, sums, penalties and constraints.
#include <cmath>

#include "backend/cuda/cuda.h"
#include "backend/cuda/sums.h"
#include "backend/formulas.h"

#define LAMINA_ISA device_kernels
#include "kernels/optimizers.h"

namespace lamina {

using cuda::Pair;

// One pass: the rules of kernels/optimizers.h for a range of one number, in each thread.
template <class T>
void CudaBackend<T>::update(Lease&, const Update<T>& given, const T* dw, std::int64_t size) const {
  const Update<T> update = given;
  device_.check(dw, update.weight_of(dw), update.slots[0], update.slots[1], update.slots[2]);
  device_.each<true>(size,
                     [=] LAMINA_DEVICE(std::int64_t i) { LAMINA_ISA::update_range(update, dw + i, 1); });
}

template <class T>
void CudaBackend<T>::blend(Lease&, Blend kind, T a, T b, const T* x, T* y, std::int64_t size) const {
  device_.check(x, y);
  device_.each(size, [=] LAMINA_DEVICE(std::int64_t i) {
    y[i] = formulas::blended(kind, a, b, x != nullptr ? x[i] : T(0), y[i]);
  });
}

template <class T>
void CudaBackend<T>::sum(Lease&, const T* x, std::int64_t size, double* out) const {
  device_.check(x, out);
  cuda::sum_of_all(
      device_, size, [=] LAMINA_DEVICE(std::int64_t i) { return double(x[i]); },
      [=] LAMINA_DEVICE(double sum) { *out = sum; });
}

template <class T>
T CudaBackend<T>::sum_of_squares(Lease&, const T* x, std::int64_t size) const {
  device_.check(x);
  // Behind the parts of the sum.
  const std::int64_t parts = size / (1 << 14) + 1;
  double* const out =
      static_cast<double*>(device_.scratch((parts + 1) * std::int64_t{sizeof(double)})) + parts;
  cuda::sum_of_all(
      device_, size, [=] LAMINA_DEVICE(std::int64_t i) { return double(x[i]) * double(x[i]); },
      [=] LAMINA_DEVICE(double sum) { *out = sum; });
  device_.finish();
  return static_cast<T>(*out);
}

template <class T>
void CudaBackend<T>::penalty(Lease& lease, const Penalty<T>& given, ConstMatrix<T> x, T scale, T* rows,
                             Matrix<T> gradient, double* sum) const {
  const Penalty<T> form = given;
  device_.check(x.data, rows, gradient.data, sum);
  cuda::each_sum<Pair>(
      device_, x.cols, x.rows,
      [=] LAMINA_DEVICE(std::int64_t j, std::int64_t i) {
        const double v = double(x.row(i)[j]);
        return Pair{std::abs(v), v * v};
      },
      [=] LAMINA_DEVICE(std::int64_t i, Pair of) {
        // What has no factor does not count: 0 times infinity is NaN.
        double total = 0;
        if (form.l1 != T(0)) total += double(form.l1) * of.a;
        if (form.l2 != T(0)) total += double(form.l2) * of.b;
        rows[i] = static_cast<T>(total);
      });
  this->sum(lease, rows, x.rows, sum);
  if (!gradient) return;
  device_.each(x.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / x.cols, j = k % x.cols;
    const T v = x.row(i)[j];
    T g = gradient.row(i)[j];
    if (form.l1 != T(0)) g += scale * form.l1 * formulas::sign(v);
    if (form.l2 != T(0)) g += v * (scale * T(2) * form.l2);
    gradient.row(i)[j] = g;
  });
}

template <class T>
void CudaBackend<T>::constrain(Lease&, const Constraint<T>& given, Matrix<T> w) const {
  const Constraint<T> form = given;
  device_.check(w.data);
  if (form.kind == ConstraintKind::kNonNegative)
    return device_.each(w.size(), [=] LAMINA_DEVICE(std::int64_t k) {
      T& v = w.row(k / w.cols)[k % w.cols];
      v = v < T(0) ? T(0) : v;
    });
  // A factor for each group of numbers that share a norm, then the numbers.
  const bool by_rows = form.over == NormOver::kRows, by_columns = form.over == NormOver::kColumns;
  const std::int64_t groups = by_rows ? w.rows : by_columns ? w.cols : 1;
  const std::int64_t each = by_rows ? w.cols : by_columns ? w.rows : w.size();
  T* const factors = static_cast<T*>(device_.scratch(groups * std::int64_t{sizeof(T)}));
  const auto squared = [=] LAMINA_DEVICE(std::int64_t k, std::int64_t group) {
    const std::int64_t i = by_rows ? group : by_columns ? k : k / w.cols;
    const std::int64_t j = by_rows ? k : by_columns ? group : k % w.cols;
    return double(w.row(i)[j]) * double(w.row(i)[j]);
  };
  cuda::each_sum<double>(device_, each, groups, squared,
                         [=] LAMINA_DEVICE(std::int64_t group, double squares) {
                           factors[group] = formulas::factor_of(form, static_cast<T>(squares));
                         });
  device_.each(w.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / w.cols, j = k % w.cols;
    w.row(i)[j] *= factors[by_rows ? i : by_columns ? j : 0];
  });
}

#define LAMINA_INSTANTIATE(T)                                                                        \
  template void CudaBackend<T>::update(Lease&, const Update<T>&, const T*, std::int64_t) const;      \
  template void CudaBackend<T>::blend(Lease&, Blend, T, T, const T*, T*, std::int64_t) const;        \
  template void CudaBackend<T>::sum(Lease&, const T*, std::int64_t, double*) const;                  \
  template T CudaBackend<T>::sum_of_squares(Lease&, const T*, std::int64_t) const;                   \
  template void CudaBackend<T>::penalty(Lease&, const Penalty<T>&, ConstMatrix<T>, T, T*, Matrix<T>, \
                                        double*) const;                                              \
  template void CudaBackend<T>::constrain(Lease&, const Constraint<T>&, Matrix<T>) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
