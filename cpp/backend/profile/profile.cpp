#include "backend/profile/profile.h"

#include <deque>
#include <mutex>
#include <string_view>

#include "backend/profile/verb_times.h"

namespace lamina {
namespace {

struct Book {
  std::mutex mutex;
  std::deque<VerbTimes> verbs;  // whose entries stay where they are
};

Book& book() {
  static Book* const kept = new Book;  // threads may outlast static destruction
  return *kept;
}

}  // namespace

VerbTimes& VerbTimes::of(const char* verb) {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  for (VerbTimes& times : all.verbs)
    if (std::string_view(times.verb_) == verb) return times;
  return all.verbs.emplace_back(verb);
}

std::vector<VerbTimes::Taken> VerbTimes::take() {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  std::vector<Taken> taken;
  for (VerbTimes& times : all.verbs) {
    const std::int64_t calls = times.calls_.exchange(0), nanoseconds = times.nanoseconds_.exchange(0);
    if (calls > 0) taken.push_back({times.verb_, calls, 1e-9 * static_cast<double>(nanoseconds)});
  }
  return taken;
}

// The body of a verb: the same verb of the inner backend, noted.
#define LAMINA_TIMED(verb, ...)                   \
  static VerbTimes& times = VerbTimes::of(#verb); \
  const VerbTimes::Call call(times);              \
  return inner_.verb(__VA_ARGS__)

template <class T>
void ProfiledBackend<T>::gather(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                                Matrix<T> out) const {
  LAMINA_TIMED(gather, lease, rows, order, first, out);
}

template <class T>
void ProfiledBackend<T>::gather_labels(Lease& lease, const Rows& rows, const std::int64_t* order,
                                       std::int64_t first, const LabelRange& range,
                                       Matrix<std::int64_t> out) const {
  LAMINA_TIMED(gather_labels, lease, rows, order, first, range, out);
}

template <class T>
void ProfiledBackend<T>::dense(Lease& lease, const Input<T>& x, ConstMatrix<T> w, const T* b, Activation a,
                               Matrix<T> y) const {
  LAMINA_TIMED(dense, lease, x, w, b, a, y);
}

template <class T>
void ProfiledBackend<T>::dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w, Activation a,
                                              const Input<T>& y, Matrix<T> dx) const {
  LAMINA_TIMED(dense_input_gradient, lease, dz, w, a, y, dx);
}

template <class T>
void ProfiledBackend<T>::dense_weight_gradient(Lease& lease, const Input<T>& x, ConstMatrix<T> dz,
                                               Matrix<T> dw, T* db, const Update<T>* update) const {
  LAMINA_TIMED(dense_weight_gradient, lease, x, dz, dw, db, update);
}

template <class T>
void ProfiledBackend<T>::activation(Lease& lease, Activation a, ConstMatrix<T> x, Matrix<T> y) const {
  LAMINA_TIMED(activation, lease, a, x, y);
}

template <class T>
void ProfiledBackend<T>::activation_gradient(Lease& lease, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                                             Matrix<T> dx) const {
  LAMINA_TIMED(activation_gradient, lease, a, y, dy, dx);
}

template <class T>
void ProfiledBackend<T>::nonlinearity(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                      Matrix<T> y) const {
  LAMINA_TIMED(nonlinearity, lease, f, x, y);
}

template <class T>
void ProfiledBackend<T>::nonlinearity_gradient(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                               ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx,
                                               T* dslopes) const {
  LAMINA_TIMED(nonlinearity_gradient, lease, f, x, y, dy, dx, dslopes);
}

template <class T>
void ProfiledBackend<T>::batch_norm(Lease& lease, ConstMatrix<T> x, const BatchNormValues<T>& values,
                                    T epsilon, bool training, Matrix<T> y) const {
  LAMINA_TIMED(batch_norm, lease, x, values, epsilon, training, y);
}

template <class T>
void ProfiledBackend<T>::batch_norm_gradient(Lease& lease, ConstMatrix<T> x, ConstMatrix<T> dy,
                                             const BatchNormValues<T>& values, T* dgamma, T* dbeta,
                                             Matrix<T> dx) const {
  LAMINA_TIMED(batch_norm_gradient, lease, x, dy, values, dgamma, dbeta, dx);
}

template <class T>
void ProfiledBackend<T>::renorm(Lease& lease, const Renorm<T>& form, const RenormValues<T>& values,
                                std::int64_t channels) const {
  LAMINA_TIMED(renorm, lease, form, values, channels);
}

template <class T>
void ProfiledBackend<T>::dropout_mask(Lease& lease, const RandomStream& stream, double rate,
                                      Matrix<T> mask) const {
  LAMINA_TIMED(dropout_mask, lease, stream, rate, mask);
}

template <class T>
void ProfiledBackend<T>::multiply(Lease& lease, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const {
  LAMINA_TIMED(multiply, lease, a, b, out);
}

template <class T>
void ProfiledBackend<T>::loss(Lease& lease, const LossForm<T>& form, ConstMatrix<T> prediction,
                              Target<T> target, const T* weight, T scale, T* rows, Matrix<T> gradient,
                              double* sum) const {
  LAMINA_TIMED(loss, lease, form, prediction, target, weight, scale, rows, gradient, sum);
}

template <class T>
void ProfiledBackend<T>::metric(Lease& lease, const MetricForm<T>& form, ConstMatrix<T> prediction,
                                Target<T> target, const T* weight, T* rows, double* sum) const {
  LAMINA_TIMED(metric, lease, form, prediction, target, weight, rows, sum);
}

template <class T>
void ProfiledBackend<T>::tally(Lease& lease, const TallyForm& form, ConstMatrix<T> prediction,
                               ConstMatrix<T> target, const T* weight, double* state) const {
  LAMINA_TIMED(tally, lease, form, prediction, target, weight, state);
}

template <class T>
void ProfiledBackend<T>::rescale(Lease& lease, const Rescale<T>& rescale, ConstMatrix<T> x,
                                 Matrix<T> y) const {
  LAMINA_TIMED(rescale, lease, rescale, x, y);
}

template <class T>
void ProfiledBackend<T>::update(Lease& lease, const Update<T>& update, const T* dw, std::int64_t size) const {
  LAMINA_TIMED(update, lease, update, dw, size);
}

template <class T>
void ProfiledBackend<T>::normal(Lease& lease, const RandomStream& stream, double mean, double stddev,
                                ConstMatrix<T> base, Matrix<T> out) const {
  LAMINA_TIMED(normal, lease, stream, mean, stddev, base, out);
}

template <class T>
void ProfiledBackend<T>::gather_columns(Lease& lease, ConstMatrix<T> x, const std::int64_t* from,
                                        Matrix<T> y) const {
  LAMINA_TIMED(gather_columns, lease, x, from, y);
}

template <class T>
void ProfiledBackend<T>::normalise(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                                   const NormalisationValues<T>& values, Matrix<T> y) const {
  LAMINA_TIMED(normalise, lease, form, x, values, y);
}

template <class T>
void ProfiledBackend<T>::normalise_gradient(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                                            ConstMatrix<T> dy, const NormalisationValues<T>& values,
                                            T* dgamma, T* dbeta, Matrix<T> dx) const {
  LAMINA_TIMED(normalise_gradient, lease, form, x, dy, values, dgamma, dbeta, dx);
}

template <class T>
void ProfiledBackend<T>::scaled_update(Lease& lease, const Update<T>& update, T a, T b, T* dw,
                                       std::int64_t size) const {
  LAMINA_TIMED(scaled_update, lease, update, a, b, dw, size);
}

template <class T>
void ProfiledBackend<T>::blend(Lease& lease, Blend kind, T a, T b, const T* x, T* y,
                               std::int64_t size) const {
  LAMINA_TIMED(blend, lease, kind, a, b, x, y, size);
}

template <class T>
void ProfiledBackend<T>::sum(Lease& lease, const T* x, std::int64_t size, double* out) const {
  LAMINA_TIMED(sum, lease, x, size, out);
}

template <class T>
T ProfiledBackend<T>::sum_of_squares(Lease& lease, const T* x, std::int64_t size) const {
  LAMINA_TIMED(sum_of_squares, lease, x, size);
}

template <class T>
void ProfiledBackend<T>::penalty(Lease& lease, const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows,
                                 Matrix<T> gradient, double* sum) const {
  LAMINA_TIMED(penalty, lease, form, x, scale, rows, gradient, sum);
}

template <class T>
void ProfiledBackend<T>::constrain(Lease& lease, const Constraint<T>& form, Matrix<T> w) const {
  LAMINA_TIMED(constrain, lease, form, w);
}

#undef LAMINA_TIMED

template class ProfiledBackend<float>;
template class ProfiledBackend<double>;

}  // namespace lamina
