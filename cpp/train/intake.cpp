#include "train/intake.h"

#include <algorithm>

namespace lamina {

template <class T>
void Intake<T>::prepare(const Network<T>& network, const Forward<T>& forward, const Rows& rows,
                        std::int64_t capacity) {
  backend_ = &network.backend();
  direct_ = forward.reads_samples() && lie_in_runs<T>(rows);
  fewest_ = direct_ ? backend_->fewest_samples() : capacity + 1;
  samples_ = {};
  samples_.cols = network.inputs();
  samples_.bytes = rows.dtype == DType::kUint8;
  samples_.rescale = forward.input_rescale();
  rescales_ = !samples_.rescale.identity();
  const std::int64_t places = direct_ ? 2 * capacity : 0;
  const std::int64_t gathered = std::min(capacity, fewest_ - 1) * network.inputs();
  if (places_.size() < places) places_ = Buffer<const void*>(places);
  if (gathered_.size() < gathered) gathered_ = Buffer<T>(gathered, backend_->memory());
}

template <class T>
ConstMatrix<T> Intake<T>::take(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                               std::int64_t count, std::int64_t next) {
  if (count < fewest_) {
    const Matrix<T> x(gathered_.data(), count, samples_.cols);
    backend_->gather(lease, rows, order != nullptr ? order + first : nullptr, first, x);
    if (rescales_) backend_->rescale(lease, samples_.rescale, x, x);
    return x;
  }
  next = std::min(next, places_.size() - count);
  for (std::int64_t i = 0; i < count + next; ++i)
    places_.data()[i] = rows.row(order != nullptr ? order[first + i] : first + i);
  samples_.rows = places_.data();
  samples_.count = count;
  samples_.next = next > 0 ? places_.data() + count : nullptr;
  samples_.next_count = next;
  return {nullptr, count, samples_.cols};
}

template class Intake<float>;
template class Intake<double>;

}  // namespace lamina
