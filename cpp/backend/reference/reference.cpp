#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/reference/reference.h"

namespace lamina {
namespace {

double activated(Activation a, double z) {
  switch (a) {
    case Activation::kRelu:
      return z < 0 ? 0 : z;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kExp:
      return std::exp(z);
    default:
      return z;
  }
}

double derivative_from_output(Activation a, double y) {
  switch (a) {
    case Activation::kRelu:
      return y > 0 ? 1 : 0;
    case Activation::kSigmoid:
      return y * (1 - y);
    case Activation::kTanh:
      return 1 - y * y;
    case Activation::kExp:
      return y;
    default:
      return 1;
  }
}

template <class T>
void softmax_row(const T* z, T* y, std::int64_t n) {
  double largest = -HUGE_VAL, sum = 0;
  for (std::int64_t j = 0; j < n; ++j) largest = z[j] > largest ? static_cast<double>(z[j]) : largest;
  for (std::int64_t j = 0; j < n; ++j) sum += std::exp(static_cast<double>(z[j]) - largest);
  for (std::int64_t j = 0; j < n; ++j)
    y[j] = static_cast<T>(std::exp(static_cast<double>(z[j]) - largest) / sum);
}

template <class T>
void sgd(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* velocity) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double step = double{f.lr} * double{dw[i]};
    if (velocity == nullptr) {
      w[i] = static_cast<T>(double{w[i]} - step);
      continue;
    }
    const double v = double{f.momentum} * double{velocity[i]} - step;
    velocity[i] = static_cast<T>(v);
    w[i] = static_cast<T>(double{w[i]} + (f.nesterov ? double{f.momentum} * v - step : v));
  }
}

template <class T>
void rmsprop(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* mean_square, T* momentum,
             T* mean) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    double square = double{f.rho} * double{mean_square[i]} + double{f.one_minus_rho} * d * d;
    mean_square[i] = static_cast<T>(square);
    if (mean != nullptr) {
      const double average = double{f.rho} * double{mean[i]} + double{f.one_minus_rho} * d;
      mean[i] = static_cast<T>(average);
      square -= average * average;
    }
    double step = double{f.lr} * d / std::sqrt(square + double{f.epsilon});
    if (momentum != nullptr) {
      step += double{f.momentum} * double{momentum[i]};
      momentum[i] = static_cast<T>(step);
    }
    w[i] = static_cast<T>(double{w[i]} - step);
  }
}

template <class T>
void adagrad(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* accumulator) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]}, a = double{accumulator[i]} + d * d;
    accumulator[i] = static_cast<T>(a);
    w[i] = static_cast<T>(double{w[i]} - double{f.lr} * d / std::sqrt(a + double{f.epsilon}));
  }
}

template <class T>
void adam(const StepForm<T>& f, std::int64_t size, const T* dw, T* w, T* m, T* v, T* vhat) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double d = double{dw[i]};
    const double first = double{m[i]} + (d - double{m[i]}) * double{f.one_minus_beta1};
    double second = double{v[i]} + (d * d - double{v[i]}) * double{f.one_minus_beta2};
    m[i] = static_cast<T>(first);
    v[i] = static_cast<T>(second);
    if (vhat != nullptr) {
      second = std::max(double{vhat[i]}, second);
      vhat[i] = static_cast<T>(second);
    }
    w[i] = static_cast<T>(double{w[i]} - first * double{f.lr} / (std::sqrt(second) + double{f.epsilon}));
  }
}

}  // namespace

template <class T>
void ReferenceBackend<T>::gather(Lease&, const Rows& rows, const std::int64_t* order, std::int64_t first,
                                 Matrix<T> out) const {
  for (std::int64_t i = 0; i < out.rows; ++i)
    read_row(rows, order != nullptr ? order[i] : first + i, out.row(i));
}

template <class T>
void ReferenceBackend<T>::dense(Lease& lease, const Input<T>& input, ConstMatrix<T> w, const T* b,
                                Activation a, Matrix<T> y) const {
  const ConstMatrix<T> x = input.matrix;
  for (std::int64_t i = 0; i < y.rows; ++i)
    for (std::int64_t j = 0; j < y.cols; ++j) {
      double z = 0;
      for (std::int64_t k = 0; k < x.cols; ++k) z += double{x.row(i)[k]} * double{w.row(j)[k]};
      y.row(i)[j] = static_cast<T>(b != nullptr ? z + double{b[j]} : z);
    }
  activation(lease, a, y, y);
}

template <class T>
void ReferenceBackend<T>::dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w,
                                               Activation a, ConstMatrix<T> y, Matrix<T> dx) const {
  for (std::int64_t i = 0; i < dx.rows; ++i)
    for (std::int64_t k = 0; k < dx.cols; ++k) {
      double sum = 0;
      for (std::int64_t j = 0; j < dz.cols; ++j) sum += double{dz.row(i)[j]} * double{w.row(j)[k]};
      dx.row(i)[k] = static_cast<T>(sum);
    }
  if (a != Activation::kLinear) activation_gradient(lease, a, y, dx, dx);
}

template <class T>
void ReferenceBackend<T>::dense_weight_gradient(Lease& lease, const Input<T>& input, ConstMatrix<T> dz,
                                                Matrix<T> dw, T* db, const Update<T>* update) const {
  const ConstMatrix<T> x = input.matrix;
  for (std::int64_t j = 0; j < dz.cols; ++j) {
    for (std::int64_t k = 0; k < x.cols; ++k) {
      double sum = 0;
      for (std::int64_t i = 0; i < x.rows; ++i) sum += double{dz.row(i)[j]} * double{x.row(i)[k]};
      dw.row(j)[k] = static_cast<T>(sum);
    }
    double sum = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) sum += double{dz.row(i)[j]};
    if (db != nullptr) db[j] = static_cast<T>(sum);
  }
  if (update == nullptr) return;
  for (std::int64_t j = 0; j < dw.rows; ++j) this->update(lease, *update, dw.row(j), dw.cols);
  if (db != nullptr) this->update(lease, *update, db, dz.cols);
}

template <class T>
void ReferenceBackend<T>::activation(Lease&, Activation a, ConstMatrix<T> x, Matrix<T> y) const {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (a == Activation::kSoftmax)
      softmax_row(x.row(i), y.row(i), x.cols);
    else
      for (std::int64_t j = 0; j < x.cols; ++j)
        y.row(i)[j] = static_cast<T>(activated(a, double{x.row(i)[j]}));
  }
}

template <class T>
void ReferenceBackend<T>::activation_gradient(Lease&, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                                              Matrix<T> dx) const {
  for (std::int64_t i = 0; i < y.rows; ++i) {
    double dot = 0;
    for (std::int64_t j = 0; j < y.cols; ++j) dot += double{y.row(i)[j]} * double{dy.row(i)[j]};
    for (std::int64_t j = 0; j < y.cols; ++j) {
      const double v = double{y.row(i)[j]}, d = double{dy.row(i)[j]};
      dx.row(i)[j] =
          static_cast<T>(a == Activation::kSoftmax ? v * (d - dot) : d * derivative_from_output(a, v));
    }
  }
}

template <class T>
void ReferenceBackend<T>::batch_norm(Lease&, ConstMatrix<T> x, const BatchNormValues<T>& v, T epsilon,
                                     bool training, Matrix<T> y) const {
  for (std::int64_t j = 0; j < x.cols; ++j) {
    if (training) {
      double sum = 0, squares = 0;
      for (std::int64_t i = 0; i < x.rows; ++i) sum += double{x.row(i)[j]};
      const double mean = sum / static_cast<double>(x.rows);
      for (std::int64_t i = 0; i < x.rows; ++i)
        squares += (double{x.row(i)[j]} - mean) * (double{x.row(i)[j]} - mean);
      v.mean[j] = static_cast<T>(mean);
      v.variance[j] = static_cast<T>(squares / static_cast<double>(x.rows));
    }
    const double inverse = 1 / std::sqrt(double{v.variance[j]} + double{epsilon});
    v.inverse[j] = static_cast<T>(inverse);
    for (std::int64_t i = 0; i < x.rows; ++i) {
      const double xhat = (double{x.row(i)[j]} - double{v.mean[j]}) * inverse;
      y.row(i)[j] = static_cast<T>((v.gamma != nullptr ? double{v.gamma[j]} : 1) * xhat +
                                   (v.beta != nullptr ? double{v.beta[j]} : 0));
    }
  }
}

template <class T>
void ReferenceBackend<T>::batch_norm_gradient(Lease&, ConstMatrix<T> x, ConstMatrix<T> dy,
                                              const BatchNormValues<T>& v, T* dgamma, T* dbeta,
                                              Matrix<T> dx) const {
  const double n = static_cast<double>(x.rows);
  for (std::int64_t j = 0; j < x.cols; ++j) {
    const auto xhat = [&](std::int64_t i) {
      return (double{x.row(i)[j]} - double{v.mean[j]}) * double{v.inverse[j]};
    };
    double sum = 0, sum_xhat = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) {
      sum += double{dy.row(i)[j]};
      sum_xhat += double{dy.row(i)[j]} * xhat(i);
    }
    dbeta[j] = static_cast<T>(sum);
    dgamma[j] = static_cast<T>(sum_xhat);
    const double scale = (v.gamma != nullptr ? double{v.gamma[j]} : 1) * double{v.inverse[j]};
    for (std::int64_t i = 0; i < x.rows; ++i)
      dx.row(i)[j] = static_cast<T>(scale * (double{dy.row(i)[j]} - sum / n - xhat(i) * sum_xhat / n));
  }
}

template <class T>
void ReferenceBackend<T>::moving_average(Lease&, double momentum, const T* batch, T* moving,
                                         std::int64_t size) const {
  for (std::int64_t j = 0; j < size; ++j)
    moving[j] = static_cast<T>(momentum * double{moving[j]} + (1 - momentum) * double{batch[j]});
}

template <class T>
void ReferenceBackend<T>::dropout_mask(Lease&, const RandomStream& stream, double rate,
                                       Matrix<T> mask) const {
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    const std::uint32_t word =
        stream.block(static_cast<std::uint64_t>(i / 4))[static_cast<std::size_t>(i % 4)];
    mask.data[i] =
        static_cast<double>(word) < std::floor(rate * 0x1p32) ? T(0) : static_cast<T>(1 / (1 - rate));
  }
}

template <class T>
void ReferenceBackend<T>::multiply(Lease&, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const {
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.cols; ++j) out.row(i)[j] = a.row(i)[j] * b.row(i)[j];
}

namespace {

// The formulas' reasons stand in kernels/losses.h.

template <class T>
double target_of(const LossForm<T>& form, const Target<T>& target, std::int64_t i, std::int64_t j) {
  if (target.labels != nullptr) return target.labels[i] == j ? 1 : 0;
  return double{form.label_scale} * double{target.values.row(i)[j]} + double{form.label_shift};
}

// As T: a float's clip bounds are floats.
template <class T>
double clipped(double p) {
  const double low = double{static_cast<T>(kClip)}, high = double{static_cast<T>(1 - kClip)};
  return p < low ? low : p > high ? high : p;
}

// Cross-entropy of a softmax over z(j), with t(j) the targets: value, and gradient softmax(z) - t into g(j,
// value).
template <class Z, class Y, class G>
double softmax_crossentropy(std::int64_t n, Z&& z, Y&& t, G&& g) {
  double largest = -HUGE_VAL, sum = 0, value = 0;
  for (std::int64_t j = 0; j < n; ++j) largest = z(j) > largest ? z(j) : largest;
  for (std::int64_t j = 0; j < n; ++j) sum += std::exp(z(j) - largest);
  for (std::int64_t j = 0; j < n; ++j) {
    if (t(j) != 0) value += t(j) * (std::log(sum) - (z(j) - largest));
    g(j, std::exp(z(j) - largest) / sum - t(j));
  }
  return value;
}

template <class T>
double loss_row(const LossForm<T>& form, const T* p, std::int64_t n, std::int64_t i, const Target<T>& target,
                double* gradient) {
  const auto value_at = [&](std::int64_t j) { return double{p[j]}; };
  const auto target_at = [&](std::int64_t j) { return target_of(form, target, i, j); };
  const auto keep = [&](std::int64_t j, double g) { gradient[j] = g; };
  const double count = static_cast<double>(n);
  double value = 0, sum = 0, dot = 0;
  switch (form.kind) {
    case LossKind::kMeanSquaredError:
      for (std::int64_t j = 0; j < n; ++j) {
        const double d = value_at(j) - double{target.values.row(i)[j]};
        value += d * d / count;
        gradient[j] = 2 * d / count;
      }
      return value;
    case LossKind::kBinaryCrossentropy:
      for (std::int64_t j = 0; j < n; ++j) {
        const double v = value_at(j), t = target_at(j), c = clipped<T>(v);
        if (form.logits) {
          value += ((v < 0 ? 0 : v) - v * t + std::log1p(std::exp(-std::abs(v)))) / count;
          gradient[j] = (1 / (1 + std::exp(-v)) - t) / count;
        } else {
          value -= (t * std::log(c) + (1 - t) * std::log(1 - c)) / count;
          gradient[j] = c == v ? ((1 - t) / (1 - c) - t / c) / count : 0;
        }
      }
      return value;
    case LossKind::kCategoricalCrossentropy:
      if (form.logits) return softmax_crossentropy(n, value_at, target_at, keep);
      for (std::int64_t j = 0; j < n; ++j) sum += value_at(j);
      for (std::int64_t j = 0; j < n; ++j) {
        const double q = value_at(j) / sum, c = clipped<T>(q);
        value -= target_at(j) * std::log(c);
        gradient[j] = c == q ? -target_at(j) / c : 0;
        dot += gradient[j] * q;
      }
      for (std::int64_t j = 0; j < n; ++j) gradient[j] = (gradient[j] - dot) / sum;
      return value;
    case LossKind::kSparseCategoricalCrossentropy:
      if (form.logits) return softmax_crossentropy(n, value_at, target_at, keep);
      return softmax_crossentropy(
          n, [&](std::int64_t j) { return std::log(clipped<T>(value_at(j))); }, target_at,
          [&](std::int64_t j, double g) {
            const double c = clipped<T>(value_at(j));
            gradient[j] = c == value_at(j) ? g / c : 0;
          });
  }
  __builtin_unreachable();
}

template <class T>
double metric_row(MetricKind kind, const T* p, std::int64_t n, std::int64_t i, const Target<T>& target) {
  const auto first_largest = [n](const T* v) {
    std::int64_t best = 0;
    for (std::int64_t j = 1; j < n; ++j)
      if (v[j] > v[best] || (std::isnan(v[best]) && !std::isnan(v[j]))) best = j;
    return best;
  };
  if (kind == MetricKind::kSparseCategoricalAccuracy) return first_largest(p) == target.labels[i];
  const T* t = target.values.row(i);
  if (kind == MetricKind::kCategoricalAccuracy) return first_largest(p) == first_largest(t);
  double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const double d = double{p[j]} - double{t[j]};
    if (kind == MetricKind::kBinaryAccuracy)
      sum += (p[j] > T(0.5) ? T(1) : T(0)) == t[j] ? 1 : 0;
    else
      sum += kind == MetricKind::kMeanSquaredError ? d * d : std::abs(d);
  }
  return sum / static_cast<double>(n);
}

}  // namespace

template <class T>
double ReferenceBackend<T>::loss(Lease&, const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
                                 const T* weight, T scale, T* rows, Matrix<T> gradient) const {
  std::vector<double> row(static_cast<std::size_t>(prediction.cols));
  double sum = 0;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const double w = weight != nullptr ? double{weight[i]} : 1;
    const double value = w * loss_row(form, prediction.row(i), prediction.cols, i, target, row.data());
    rows[i] = static_cast<T>(value);
    sum += value;
    if (gradient)
      for (std::int64_t j = 0; j < prediction.cols; ++j)
        gradient.row(i)[j] = static_cast<T>(double{scale} * w * row[static_cast<std::size_t>(j)]);
  }
  return sum;
}

template <class T>
double ReferenceBackend<T>::metric(Lease&, MetricKind kind, ConstMatrix<T> prediction, Target<T> target,
                                   T* rows) const {
  double sum = 0;
  for (std::int64_t i = 0; i < prediction.rows; ++i) {
    const double value = metric_row(kind, prediction.row(i), prediction.cols, i, target);
    rows[i] = static_cast<T>(value);
    sum += value;
  }
  return sum;
}

template <class T>
void ReferenceBackend<T>::update(Lease&, const Update<T>& update, const T* dw, std::int64_t size) const {
  const StepForm<T>& form = update.form;
  T* const w = update.weight_of(dw);
  T* slots[3];
  for (int k = 0; k < 3; ++k)
    slots[k] = update.slots[k] != nullptr ? update.slots[k] + (dw - update.dw) : nullptr;
  switch (update.kind) {
    case OptimizerKind::kSgd:
      return sgd(form, size, dw, w, slots[0]);
    case OptimizerKind::kRmsprop:
      return rmsprop(form, size, dw, w, slots[0], slots[1], slots[2]);
    case OptimizerKind::kAdagrad:
      return adagrad(form, size, dw, w, slots[0]);
    case OptimizerKind::kAdam:
      return adam(form, size, dw, w, slots[0], slots[1], slots[2]);
  }
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace lamina
