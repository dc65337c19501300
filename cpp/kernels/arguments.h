// The arguments that kernels and verbs share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/view.h"
#include "kernels/names.h"

namespace lamina {

// Keras's fuzz factor: probabilities are clipped to [1e-7, 1 - 1e-7].
inline constexpr double kClip = 1e-7;

// x scale + shift
template <class T>
struct Rescale {
  T scale = 1;
  T shift = 0;

  bool identity() const { return scale == T(1) && shift == T(0); }
  // Of a number or a vector of them.
  template <class V>
  LAMINA_HOST_DEVICE V operator()(V x) const {
    return x * scale + shift;
  }
};

// A matrix, and whether it is meant transposed.
template <class T>
struct Factor {
  ConstMatrix<T> matrix;
  bool transposed = false;

  std::int64_t rows() const { return transposed ? matrix.cols : matrix.rows; }
  std::int64_t cols() const { return transposed ? matrix.rows : matrix.cols; }
  // Where element (i, j) of what is meant lies.
  const T* at(std::int64_t i, std::int64_t j) const {
    return transposed ? matrix.row(j) + i : matrix.row(i) + j;
  }
  // Its rows, or columns, first..last-1.
  Factor rows_of(std::int64_t first, std::int64_t last) const {
    return {transposed ? matrix.cols_of(first, last) : matrix.rows_of(first, last), transposed};
  }
  Factor cols_of(std::int64_t first, std::int64_t last) const {
    return {transposed ? matrix.rows_of(first, last) : matrix.cols_of(first, last), transposed};
  }
};

// Rows of a batch where they lie in the user's array: contiguous rows of T, or of bytes, to be rescaled as
// they are read.
template <class T>
struct Samples {
  const void* const* rows = nullptr;
  std::int64_t count = 0;
  std::int64_t cols = 0;
  bool bytes = false;
  // The rows that come next, to be fetched in time; or null.
  const void* const* next = nullptr;
  std::int64_t next_count = 0;
  Rescale<T> rescale;

  // Whether a row holds the numbers themselves.
  bool unscaled() const { return !bytes && rescale.identity(); }
  std::int64_t row_bytes() const { return cols * static_cast<std::int64_t>(bytes ? 1 : sizeof(T)); }
};

// What goes into a dense layer: a matrix, or samples where they lie; then the matrix has a shape but no
// values.
template <class T>
struct Input {
  ConstMatrix<T> matrix;
  const Samples<T>* samples = nullptr;
  // The depth of the product that the matrix came out of, 0: of none. It says which thread has which part of
  // it in its cache.
  std::int64_t depth_below = 0;
};

// A matrix of that shape for a product that goes down its columns: as `laid_out_columns` of kernels/table.h
// lays it out, or, if it has no more columns than a block has rows, where it lies, its rows `step` apart.
template <class T>
struct Columns {
  const T* data;
  std::int64_t rows, cols, step = 0;
};

// What is predicted: a class number per row, or a value per output.
template <class T>
struct Target {
  const std::int64_t* labels = nullptr;
  ConstMatrix<T> values;

  Target rows_of(std::int64_t first, std::int64_t last) const {
    return {labels != nullptr ? labels + first : nullptr, values ? values.rows_of(first, last) : values};
  }
};

// Class numbers that may be met: all of them, or those below `classes` and `ignored`. Labels are checked
// before they are used, but the array is the user's: what was changed since may not reach outside a row.
struct LabelRange {
  bool any = false;
  std::int64_t classes = 0;
  bool ignores = false;
  std::int64_t ignored = 0;

  // 0 for what is no number.
  LAMINA_HOST_DEVICE std::int64_t held(double label) const {
    const bool number = label > -0x1p62 && label < 0x1p62;
    const std::int64_t held = number ? static_cast<std::int64_t>(label) : 0;
    if (any || (ignores && held == ignored)) return held;
    return held > 0 ? std::min(held, classes - 1) : 0;
  }
};

// How rows that do not count change the mean over the others: see kernels/circle.h.
enum class Counted { kAll, kPositive, kWeighted };

// A loss, and how the targets of a dense one are smoothed: target <- label_scale * target + label_shift.
template <class T>
struct LossForm {
  LossKind kind = LossKind::kMeanSquaredError;
  bool logits = false;
  T label_scale = 1;
  T label_shift = 0;
  // What single losses have of their own: Huber's and Circle's delta (Circle's margin), the focal losses'
  // alpha and gamma, Tversky's alpha and beta, the generalized cross-entropy's exponent as alpha.
  T delta = 1;
  T alpha = 0;
  T beta = 0;
  T gamma = 0;
  bool flag = false;  // binary focal: weigh the classes by alpha; Circle: a row is no pair with itself
  bool softmax_head = false;  // binary focal at logits: probabilities are their softmax, not their sigmoid
  bool ignores = false;       // rows of class number `ignored` have neither loss nor gradient
  std::int64_t ignored = 0;
  Counted counted = Counted::kAll;
};

// A metric of single rows.
template <class T>
struct MetricForm {
  MetricKind kind = MetricKind::kBinaryAccuracy;
  T threshold = T(0.5);  // of binary accuracy
  std::int64_t k = 5;    // of the best so many
};

// Numbers of an optimizer's step. Adam's learning rate already holds the bias corrections; 1 - rho and its
// like come rounded from double, as in Keras: in float 1 - 0.9f is off by 2.4e-7.
template <class T>
struct StepForm {
  T lr = 0;
  T momentum = 0;
  T rho = 0;
  T one_minus_rho = 0;
  T one_minus_beta1 = 0;
  T one_minus_beta2 = 0;
  T epsilon = 0;
  bool nesterov = false;
  T beta1 = 0;
  T beta2 = 0;
  T correction1 = 1;   // 1 - beta1^t
  T correction2 = 1;   // 1 - beta2^t
  T weight_decay = 0;  // taken off first: w -= w weight_decay base_lr
  T base_lr = 0;       // the learning rate, uncorrected
  T of_kind[4] = {};   // further numbers of one kind of optimizer, see its loop
};

// l1 sum |x| + l2 sum x^2, to be added to the loss.
template <class T>
struct Penalty {
  T l1 = 0;
  T l2 = 0;

  LAMINA_HOST_DEVICE explicit operator bool() const { return l1 != T(0) || l2 != T(0); }
  template <class U>
  Penalty<U> in() const {
    return {static_cast<U>(l1), static_cast<U>(l2)};
  }
};

// Where weights are brought back to after a step: to 0 and above, or to norms within bounds.
template <class T>
struct Constraint {
  ConstraintKind kind = ConstraintKind::kNone;
  NormOver over = NormOver::kRows;
  T min_value = 0;
  T max_value = 0;
  T rate = 1;  // of the way there; rest: 1 - rate
  T rest = 0;
  T epsilon = 0;

  explicit operator bool() const { return kind != ConstraintKind::kNone; }
  template <class U>
  Constraint<U> in() const {
    return {kind,
            over,
            static_cast<U>(min_value),
            static_cast<U>(max_value),
            static_cast<U>(rate),
            static_cast<U>(rest),
            static_cast<U>(epsilon)};
  }
};

// One optimizer step over flat ranges that are laid out alike: gradients, parameters and slots.
template <class T>
struct Update {
  OptimizerKind kind = OptimizerKind::kSgd;
  StepForm<T> form;
  const T* dw = nullptr;
  T* w = nullptr;
  // SGD: velocity. RMSprop: mean square, momentum, mean. Adagrad: accumulator. Adam: m, v, vhat. Adadelta:
  // mean squares of gradient and step. Adamax: m, norm. Nadam, ScheduleFreeAdamW: m, v. Ftrl: accumulator,
  // linear. Lion: m. Lamb: m, v, and the step, which is left to be taken. Null: a variant without it.
  T* slots[3] = {};

  bool is_plain_sgd() const {
    return kind == OptimizerKind::kSgd && slots[0] == nullptr && form.weight_decay == 0;
  }
  // The weight that belongs to a gradient.
  T* weight_of(const T* gradient) const { return w + (gradient - dw); }
};

}  // namespace lamina
