// Penalties and constraints, in double.
#include <algorithm>
#include <cmath>

#include "backend/formulas.h"
#include "backend/reference/reference.h"

namespace lamina {
template <class T>
void ReferenceBackend<T>::penalty(Lease&, const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows,
                                  Matrix<T> gradient, double* out) const {
  const double l1 = double{form.l1}, l2 = double{form.l2};
  double total = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const double v = double{x.row(i)[j]};
      if (l1 != 0) sum += l1 * std::abs(v);
      if (l2 != 0) sum += l2 * v * v;
      if (!gradient) continue;
      double slope = 0;
      if (l1 != 0) slope += l1 * formulas::sign(v);
      if (l2 != 0) slope += 2 * l2 * v;
      gradient.row(i)[j] = static_cast<T>(double{gradient.row(i)[j]} + double{scale} * slope);
    }
    rows[i] = static_cast<T>(sum);
    total += sum;
  }
  *out = total;
}

template <class T>
void ReferenceBackend<T>::constrain(Lease&, const Constraint<T>& form, Matrix<T> w) const {
  // The numbers that share w[i, j]'s norm: rows i..i, or all; columns likewise.
  const bool whole_columns = form.over != NormOver::kRows, whole_rows = form.over != NormOver::kColumns;
  for (std::int64_t i = 0; i < (whole_columns ? 1 : w.rows); ++i)
    for (std::int64_t j = 0; j < (whole_rows ? 1 : w.cols); ++j) {
      const Matrix<T> group =
          w.rows_of(i, whole_columns ? w.rows : i + 1).cols_of(j, whole_rows ? w.cols : j + 1);
      double squares = 0;
      for (std::int64_t r = 0; r < group.rows; ++r)
        for (std::int64_t c = 0; c < group.cols; ++c)
          squares += double{group.row(r)[c]} * double{group.row(r)[c]};
      const double factor = formulas::factor_of(form.template in<double>(), squares);
      for (std::int64_t r = 0; r < group.rows; ++r)
        for (std::int64_t c = 0; c < group.cols; ++c) {
          T& v = group.row(r)[c];
          if (form.kind == ConstraintKind::kNonNegative)
            v = v < T(0) ? T(0) : v;
          else
            v = static_cast<T>(double{v} * factor);
        }
    }
}

// The rest of the class is instantiated in reference.cpp.
#define LAMINA_INSTANTIATE(T)                                                                             \
  template void ReferenceBackend<T>::penalty(Lease&, const Penalty<T>&, ConstMatrix<T>, T, T*, Matrix<T>, \
                                             double*) const;                                              \
  template void ReferenceBackend<T>::constrain(Lease&, const Constraint<T>&, Matrix<T>) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
