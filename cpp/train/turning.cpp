#include "train/turning.h"

#include <algorithm>

#include "base/error.h"

namespace lamina {

template <class T>
Turning<T>::Turning(const RowAxes& axes, std::int64_t outputs, const char* whose, Memory& memory)
    : from_(copy_of(axes.from, memory)),
      back_(size(), memory),
      width_(axes.width),
      rows_(axes.rows()),
      batch_(axes.batch) {
  require(size() == outputs && size() % width_ == 0, whose, ": axes: expected ", outputs,
          " places in whole rows, got ", size(), " in rows of ", width_);
  std::fill_n(back_.data(), size(), -1);
  for (std::int64_t j = 0; j < size(); ++j) {
    const std::int64_t at = from_.data()[j];
    require(at >= 0 && at < size() && back_.data()[at] < 0, whose, ": axes: expected each place once, got ",
            at);
    back_.data()[at] = j;
  }
}

template <class T>
Matrix<T> Turning<T>::turned(Pass<T>& pass, ConstMatrix<T> given, T* to) const {
  const ConstMatrix<T> x = given.reshaped(size());
  if (!batch_) {
    const Matrix<T> rows(to, x.rows, size());
    pass.backend.gather_columns(pass.lease, x, from_.data(), rows);
    return rows.reshaped(width_);
  }
  pass.backend.finish();
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < size(); ++j) to[place(i, x.rows, j)] = x.row(i)[from_.data()[j]];
  return {to, rows_, x.rows * width_};
}

template <class T>
void Turning<T>::turn_back(Pass<T>& pass, ConstMatrix<T> dx, Matrix<T> gradient) const {
  const Matrix<T> back = gradient.reshaped(size());
  if (!batch_) return pass.backend.gather_columns(pass.lease, dx.reshaped(size()), back_.data(), back);
  pass.backend.finish();
  for (std::int64_t i = 0; i < back.rows; ++i)
    for (std::int64_t j = 0; j < size(); ++j) back.row(i)[from_.data()[j]] = dx.data[place(i, back.rows, j)];
}

template <class T>
const T* Turning<T>::weights(Pass<T>& pass, const T* given, std::int64_t samples, std::int64_t positions,
                             T* to) const {
  if (given == nullptr || rows_ == positions) return given;
  pass.backend.finish();
  for (std::int64_t i = 0; i < samples; ++i) std::fill_n(to + i * rows_, rows_, given[i * positions]);
  return to;
}

template class Turning<float>;
template class Turning<double>;

}  // namespace lamina
