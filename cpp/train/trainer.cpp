#include "train/trainer.h"

#include <algorithm>

#include "base/error.h"
#include "base/sampling.h"

namespace lamina {

template <class T>
Trainer<T>::Batch::Batch(const Trainer& trainer, std::int64_t capacity, Mode mode)
    : forward(trainer.network_, capacity, mode), x(capacity * trainer.network_.inputs()) {
  const DataForm form = trainer.data_form();
  const std::int64_t positions = capacity * form.positions;
  if (form.labels)
    labels = Buffer<std::int64_t>(positions);
  else
    values = Buffer<T>(positions * form.features);
  label_row = Buffer<double>(form.positions);
  weights = Buffer<T>(positions);
  rows = Buffer<T>(positions);
}

template <class T>
Trainer<T>::Trainer(Network<T>& network, Optimizer<T>& optimizer, const TrainingForm& form)
    : network_(network),
      optimizer_(optimizer),
      form_(form),
      metric_sums_(form.metrics.size()),
      batch_metrics_(form.metrics.size()) {
  network.require_built();
  require(form.positions > 0 && network.outputs() % form.positions == 0,
          "positions: expected a divisor of the network's ", network.outputs(), " outputs, got ",
          form.positions);
  features_ = network.outputs() / form.positions;
  for (const MetricKind metric : form.metrics) {
    const bool wants_labels = metric == MetricKind::kSparseCategoricalAccuracy;
    require(
        wants_labels == data_form().labels,
        wants_labels
            ? "metrics: sparse_categorical_accuracy needs class labels, but this loss takes one value per "
              "output"
            : "metrics: this loss takes class labels; of the metrics only sparse_categorical_accuracy does");
  }
  optimizer.bind(network);
  gradients_ = Buffer<T>(network.trainable_size());
}

template <class T>
DataForm Trainer<T>::data_form() const {
  return {network_.inputs(), form_.positions, features_,
          form_.loss == LossKind::kSparseCategoricalCrossentropy};
}

template <class T>
std::int64_t Trainer<T>::begin(const Dataset& data, std::int64_t batch_size, std::optional<Batch>& batch,
                               Mode mode) {
  require(batch_size > 0, "batch_size: expected a positive number, got ", batch_size);
  // A batch larger than the data is the data.
  const std::int64_t capacity = std::min(batch_size, std::max<std::int64_t>(data.size(), 1));
  if (!batch.has_value() || batch->forward.capacity() < capacity) {
    batch.reset();
    batch.emplace(*this, capacity, mode);
  }
  data_ = &data;
  batch_size_ = batch_size;
  shuffled_ = false;
  loss_sum_ = 0;
  samples_ = batches_done_ = 0;
  std::fill(metric_sums_.begin(), metric_sums_.end(), 0.0);
  return (data.size() + batch_size - 1) / batch_size;
}

template <class T>
std::int64_t Trainer<T>::begin_epoch(const Dataset& data, std::int64_t batch_size, bool shuffle,
                                     std::uint64_t seed, std::uint64_t epoch) {
  const std::int64_t batches = begin(data, batch_size, training_, Mode::kTraining);
  if (shuffle) {
    if (order_.size() != data.size()) order_ = Buffer<std::int64_t>(data.size());
    fill_permutation(order_.data(), data.size(), {seed, Purpose::kShuffle, 0, epoch});
    shuffled_ = true;
  }
  return batches;
}

template <class T>
std::int64_t Trainer<T>::begin_evaluation(const Dataset& data, std::int64_t batch_size) {
  return begin(data, batch_size, evaluation_, Mode::kInference);
}

template <class T>
const std::int64_t* Trainer<T>::order_from(std::int64_t first) const {
  return shuffled_ ? order_.data() + first : nullptr;
}

template <class T>
ConstMatrix<T> Trainer<T>::gather_x(Lease& lease, Batch& batch, std::int64_t first,
                                    std::int64_t count) const {
  const Matrix<T> x(batch.x.data(), count, network_.inputs());
  network_.backend().gather(lease, data_->x, order_from(first), first, x);
  return x;
}

template <class T>
Target<T> Trainer<T>::gather_y(Lease& lease, Batch& batch, std::int64_t first, std::int64_t count) const {
  const std::int64_t* order = order_from(first);
  if (!data_form().labels) {
    const Matrix<T> y(batch.values.data(), count, form_.positions * features_);
    network_.backend().gather(lease, *data_->y, order, first, y);
    return {nullptr, y.reshaped(features_)};
  }
  std::int64_t* label = batch.labels.data();
  for (std::int64_t i = 0; i < count; ++i) {
    read_row(*data_->y, order != nullptr ? order[i] : first + i, batch.label_row.data());
    // Checked before, but the array is the user's: a label that was changed since may not reach outside a
    // row.
    for (std::int64_t p = 0; p < form_.positions; ++p)
      *label++ = static_cast<std::int64_t>(
          std::clamp(batch.label_row.data()[p], 0.0, static_cast<double>(features_ - 1)));
  }
  return {batch.labels.data(), {}};
}

template <class T>
const T* Trainer<T>::gather_weights(Lease& lease, Batch& batch, std::int64_t first,
                                    std::int64_t count) const {
  if (!data_->weight.has_value()) return nullptr;
  const std::int64_t width = data_->weight->width(), positions = form_.positions;
  T* weights = batch.weights.data();
  network_.backend().gather(lease, *data_->weight, order_from(first), first, {weights, count, width});
  if (width <
      positions)  // one weight per sample: it counts for each position; from the last, so none is overwritten
    for (std::int64_t i = count; i-- > 0;) std::fill_n(weights + i * positions, positions, weights[i]);
  return weights;
}

template <class T>
void Trainer<T>::run(const Pass<T>& pass, Batch& batch, std::int64_t index) {
  const std::int64_t first = index * batch_size_, count = std::min(batch_size_, data_->size() - first);
  require(first >= 0 && count > 0, "batch: expected a number below the epoch's batches, got ", index);
  const ConstMatrix<T> x = gather_x(pass.lease, batch, first, count);
  const Target<T> target = gather_y(pass.lease, batch, first, count);
  const T* weights = gather_weights(pass.lease, batch, first, count);

  // Every cross-entropy does, whichever of the two activations it is: Keras does not compare the kinds.
  const bool at_logits =
      form_.loss != LossKind::kMeanSquaredError && form_.head_logits && batch.forward.has_head();
  const std::int64_t positions = count * form_.positions;
  const double scale = form_.reduction == Reduction::kMean ? 1.0 / static_cast<double>(positions) : 1.0;
  const double smoothing = form_.label_smoothing;
  const double share =
      form_.loss == LossKind::kBinaryCrossentropy ? 0.5 : 1.0 / static_cast<double>(features_);
  const LossForm<T> form{form_.loss, at_logits || form_.from_logits, static_cast<T>(1 - smoothing),
                         static_cast<T>(smoothing * share)};

  const ConstMatrix<T> seen = at_logits ? batch.forward.run_to_logits(pass, x) : batch.forward.run(pass, x);
  const Matrix<T> gradient =
      pass.training ? batch.forward.output_gradient(count).reshaped(features_) : Matrix<T>();
  const double loss = scale * pass.backend.loss(pass.lease, form, seen.reshaped(features_), target, weights,
                                                static_cast<T>(scale), batch.rows.data(), gradient);
  if (!form_.metrics.empty()) {
    const ConstMatrix<T> output = at_logits ? batch.forward.output_from_logits(pass, seen) : seen;
    for (std::size_t k = 0; k < form_.metrics.size(); ++k)
      batch_metrics_[k] = pass.backend.metric(pass.lease, form_.metrics[k], output.reshaped(features_),
                                              target, batch.rows.data()) /
                          static_cast<double>(form_.positions);
  }
  if (pass.training) {
    batch.forward.backward(pass, at_logits);
    const Lease::Whole whole(pass.lease);
    batch.forward.commit(pass);
    optimizer_.step(pass.backend, pass.lease, network_.trainable_size(), gradients_.data(),
                    network_.parameters());
  }
  add(count, loss);
}

template <class T>
void Trainer<T>::add(std::int64_t samples, double loss) {
  loss_sum_ += loss * static_cast<double>(samples);
  for (std::size_t k = 0; k < metric_sums_.size(); ++k) metric_sums_[k] += batch_metrics_[k];
  samples_ += samples;
  ++batches_done_;
}

template <class T>
void Trainer<T>::train(Lease& lease, std::int64_t first, std::int64_t last) {
  require(data_ != nullptr && training_.has_value(), "train: begin_epoch comes first");
  for (std::int64_t i = first; i < last; ++i) {
    const auto step = static_cast<std::uint64_t>(optimizer_.iterations());
    run({network_.backend(), lease, network_.parameters(), gradients_.data(), true, step}, *training_, i);
    lease.poll();
  }
}

template <class T>
void Trainer<T>::evaluate(Lease& lease, std::int64_t batch) {
  run({network_.backend(), lease, network_.parameters(), nullptr, false, 0}, *evaluation_, batch);
  lease.poll();
}

template <class T>
std::vector<double> Trainer<T>::means() const {
  const double n = static_cast<double>(std::max<std::int64_t>(samples_, 1));
  std::vector<double> means{loss_sum_ / n};
  for (const double sum : metric_sums_) means.push_back(sum / n);
  return means;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace lamina
