#include "train/predictor.h"

#include <algorithm>

namespace lamina {

namespace {
constexpr std::size_t kMostIdle = 4;
constexpr std::int64_t kMostIdleValues =
    1 << 22;  // of a predictor's input; a larger one is made anew each time
}  // namespace

template <class T>
Predictor<T>::Predictor(const Network<T>& network, std::int64_t capacity)
    : network_(network), forward_(network, capacity, Mode::kInference) {}

template <class T>
void Predictor<T>::run(Lease& lease, const Rows& rows, std::int64_t first, Matrix<T> out) {
  const Backend<T>& backend = network_.backend();
  const Finishing<T> finishing(backend);
  if (backend.on_device()) packed_.hold(rows, first, out.rows, backend.memory());
  const Rows& read = backend.on_device() ? packed_.rows() : rows;
  const std::int64_t begin = backend.on_device() ? 0 : first, end = begin + out.rows;
  intake_.prepare(network_, forward_, read, capacity());
  const ConstMatrix<T> x =
      intake_.take(lease, read, nullptr, begin, out.rows, std::min(read.count - end, out.rows));
  Pass<T> pass{backend, lease, network_.parameters()};
  pass.samples = intake_.samples();
  const ConstMatrix<T> y = forward_.run(pass, x);
  backend.finish();
  std::copy_n(y.data, y.size(), out.data);
}

template <class T>
std::unique_ptr<Predictor<T>> PredictorPool<T>::take(std::int64_t capacity) {
  {
    const std::lock_guard lock(mutex_);
    const auto fits = std::find_if(idle_.begin(), idle_.end(), [&](const auto& p) {
      return p->capacity() >= capacity && p->capacity() <= std::max<std::int64_t>(4 * capacity, 64);
    });
    if (fits != idle_.end()) {
      std::unique_ptr<Predictor<T>> predictor = std::move(*fits);
      idle_.erase(fits);
      return predictor;
    }
  }
  return std::make_unique<Predictor<T>>(network_, capacity);
}

template <class T>
void PredictorPool<T>::give_back(std::unique_ptr<Predictor<T>> predictor) {
  if (predictor->capacity() * network_.inputs() > kMostIdleValues) return;
  const std::lock_guard lock(mutex_);
  if (idle_.size() == kMostIdle) idle_.erase(idle_.begin());
  idle_.push_back(std::move(predictor));
}

template class Predictor<float>;
template class Predictor<double>;
template class PredictorPool<float>;
template class PredictorPool<double>;

}  // namespace lamina
