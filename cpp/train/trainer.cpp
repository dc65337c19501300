#include "train/trainer.h"

#include <algorithm>

#include "base/error.h"
#include "base/sampling.h"

namespace lamina {
namespace {

// Rows that are evaluated at once where that is free: enough for a product to run at its full speed.
constexpr std::int64_t kRowsAtOnce = 256;

// A gradient that is used at once need not be stored, but then the way back can't be interrupted, as some
// weights have taken their step: only done where that way is short. The bits are the same.
constexpr std::chrono::milliseconds kLongStep(100);

}  // namespace

template <class T>
Trainer<T>::Batch::Batch(const Trainer& trainer, std::int64_t capacity, Mode mode)
    : forward(trainer.network_, capacity, mode) {
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
    : network_(network), optimizer_(optimizer), form_(form) {
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
  layout_ = network.layout();
}

template <class T>
DataForm Trainer<T>::data_form() const {
  return {network_.inputs(), form_.positions, features_,
          form_.loss == LossKind::kSparseCategoricalCrossentropy};
}

template <class T>
void Trainer<T>::clear(Sweep& sweep) const {
  sweep.loss_sum = 0;
  sweep.samples = sweep.batches_done = 0;
  sweep.metric_sums.assign(form_.metrics.size(), 0.0);
  sweep.batch_metrics.assign(form_.metrics.size(), 0.0);
}

template <class T>
std::int64_t Trainer<T>::begin(Sweep& sweep, const Dataset& data, std::int64_t batch_size, Mode mode,
                               bool goes_on) {
  require(batch_size > 0, "batch_size: expected a positive number, got ", batch_size);
  check_sizes(data, data_form());
  sweep.data = nullptr;  // until all is ready
  // A batch larger than the data is the data.
  const std::int64_t capacity = std::min(batch_size, std::max<std::int64_t>(data.size(), 1));
  if (!sweep.batch.has_value() || sweep.batch->forward.capacity() < capacity) {
    sweep.batch.reset();
    sweep.batch.emplace(*this, capacity, mode);
  }
  sweep.batch->intake.prepare(network_, sweep.batch->forward, data.x, capacity);
  sweep.batch_size = batch_size;
  sweep.shuffled = false;
  sweep.end = 0;
  if (!goes_on) clear(sweep);
  sweep.data = &data;
  return data.size() == 0 ? 0 : (data.size() - 1) / batch_size + 1;
}

template <class T>
std::int64_t Trainer<T>::begin_epoch(Lease& lease, const Dataset& data, std::int64_t batch_size,
                                     Shuffle shuffle, std::uint64_t seed, std::uint64_t epoch, bool goes_on) {
  const std::int64_t batches = begin(epoch_, data, batch_size, Mode::kTraining, goes_on);
  if (shuffle != Shuffle::kNone) {
    epoch_.data = nullptr;
    const std::int64_t size = data.size();
    if (epoch_.order.size() != size) epoch_.order = Buffer<std::int64_t>(size);
    std::int64_t* order = epoch_.order.data();
    const auto poll = [&lease] { lease.poll(); };
    if (shuffle == Shuffle::kRows)
      fill_permutation(order, size, {seed, Purpose::kShuffle, 0, epoch}, poll);
    else
      for (std::int64_t first = 0; first < size; first += batch_size, poll()) {
        const std::int64_t count = std::min(batch_size, size - first);
        const auto stream = static_cast<std::uint32_t>(first / batch_size + 1);  // 0 is that of all rows
        fill_permutation(order + first, count, {seed, Purpose::kShuffle, stream, epoch});
        for (std::int64_t i = first; i < first + count; ++i) order[i] += first;
      }
    epoch_.data = &data;
    epoch_.shuffled = true;
  }
  return batches;
}

template <class T>
Target<T> Trainer<T>::gather_y(Lease& lease, Sweep& sweep, std::int64_t first, std::int64_t count) const {
  const std::int64_t* order = sweep.order_from(first);
  if (!data_form().labels) {
    const Matrix<T> y(sweep.batch->values.data(), count, form_.positions * features_);
    network_.backend().gather(lease, *sweep.data->y, order, first, y);
    return {nullptr, y.reshaped(features_)};
  }
  std::int64_t* out = sweep.batch->labels.data();
  const double last = static_cast<double>(features_ - 1);
  for (std::int64_t i = 0; i < count; ++i) {
    read_row(*sweep.data->y, order != nullptr ? order[i] : first + i, sweep.batch->label_row.data());
    for (std::int64_t p = 0; p < form_.positions; ++p) {
      // Checked before, but the array is the user's: what was changed since may not reach outside a row.
      const double label = sweep.batch->label_row.data()[p];
      *out++ = label > 0 ? static_cast<std::int64_t>(std::min(label, last)) : 0;
    }
  }
  return {sweep.batch->labels.data(), {}};
}

template <class T>
const T* Trainer<T>::gather_weights(Lease& lease, Sweep& sweep, std::int64_t first,
                                    std::int64_t count) const {
  if (!sweep.data->weight.has_value()) return nullptr;
  const std::int64_t width = sweep.data->weight->width(), positions = form_.positions;
  T* weights = sweep.batch->weights.data();
  network_.backend().gather(lease, *sweep.data->weight, sweep.order_from(first), first,
                            {weights, count, width});
  // One weight per sample counts for each of its positions; from the last row on, so that none is
  // overwritten.
  if (width < positions)
    for (std::int64_t i = count; i-- > 0;) std::fill_n(weights + i * positions, positions, weights[i]);
  return weights;
}

template <class T>
void Trainer<T>::run(Pass<T> pass, Sweep& sweep, std::int64_t index) {
  const std::int64_t first = index * sweep.batch_size;
  const std::int64_t count = std::min(sweep.batch_size, sweep.data->size() - first);
  require(first >= 0 && count > 0, "batch: expected a number below the epoch's batches, got ", index);
  Batch& batch = *sweep.batch;
  const std::int64_t next = std::min(sweep.batch_size, sweep.data->size() - first - count);
  const ConstMatrix<T> x =
      batch.intake.take(pass.lease, sweep.data->x, sweep.order_from(0), first, count, next);
  pass.samples = batch.intake.samples();
  const Target<T> target = gather_y(pass.lease, sweep, first, count);
  const T* weights = gather_weights(pass.lease, sweep, first, count);

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
      sweep.batch_metrics[k] = pass.backend.metric(pass.lease, form_.metrics[k], output.reshaped(features_),
                                                   target, batch.rows.data()) /
                               static_cast<double>(form_.positions);
  }
  if (pass.training) step(pass, batch.forward, at_logits);
  sweep.loss_sum += loss * static_cast<double>(count);
  for (std::size_t k = 0; k < sweep.metric_sums.size(); ++k) sweep.metric_sums[k] += sweep.batch_metrics[k];
  sweep.samples += count;
  sweep.end = first + count;
  ++sweep.batches_done;
}

template <class T>
void Trainer<T>::step(Pass<T> pass, Forward<T>& forward, bool at_logits) {
  if (gradients_.size() == 0) {  // nothing learns: no step, as in Keras; statistics follow all the same
    const Lease::Whole whole(pass.lease);
    forward.commit(pass);
    ++idle_steps_;
    return;
  }
  const Update<T> update = optimizer_.update(gradients_.data(), network_.parameters());
  const bool at_once = step_time_ < kLongStep;
  if (!at_once) forward.backward(pass, at_logits);
  const Lease::Whole whole(pass.lease);
  if (at_once) {
    pass.update = &update;
    forward.backward(pass, at_logits);
  } else {
    pass.backend.update(pass.lease, update, gradients_.data(), network_.trainable_size());
  }
  forward.commit(pass);
  optimizer_.count_step();
}

template <class T>
void Trainer<T>::train(Lease& lease, std::int64_t first, std::int64_t last) {
  require(epoch_.data != nullptr, "train: begin_epoch comes first");
  require(
      layout_ == network_.layout(),
      "trainable: layers of this model were frozen or unfrozen, and it was trained, within this training");
  for (std::int64_t i = first; i < last; ++i) {
    const auto step = static_cast<std::uint64_t>(optimizer_.iterations()) + idle_steps_;
    const auto begin = Clock::now();
    run({network_.backend(), lease, network_.parameters(), gradients_.data(), true, step}, epoch_, i);
    const std::int64_t size = epoch_.data->size();
    if (size < epoch_.batch_size || (i + 1) * epoch_.batch_size <= size) step_time_ = Clock::now() - begin;
    lease.poll();
  }
}

template <class T>
bool Trainer<T>::epoch_over() const {
  return epoch_.data == nullptr || epoch_.end == epoch_.data->size();
}

template <class T>
void Trainer<T>::evaluate(Lease& lease, const Dataset& data, std::int64_t batch_size, bool goes_on) {
  require(batch_size > 0, "batch_size: expected a positive number, got ", batch_size);
  // A sum per batch, which is then meaned over the batches, depends on their size; a mean does not.
  const bool free = form_.reduction == Reduction::kMean;
  const std::int64_t together = free ? std::max<std::int64_t>(kRowsAtOnce / batch_size, 1) : 1;
  const std::int64_t batches = begin(evaluation_, data, batch_size * together, Mode::kInference, goes_on);
  evaluation_.batches_at_once = together;
  for (std::int64_t i = 0; i < batches; ++i) {
    run({network_.backend(), lease, network_.parameters()}, evaluation_, i);
    lease.poll();
  }
}

template <class T>
void Trainer<T>::write_means(const Sweep& sweep, double* out) const {
  const double n = static_cast<double>(std::max<std::int64_t>(sweep.samples, 1));
  *out++ = sweep.loss_sum / n;
  for (const double sum : sweep.metric_sums) *out++ = sum / n;
}

template <class T>
Standing Trainer<T>::standing(const Sweep& sweep) const {
  // Of the batches that the caller knows; the last one that is computed may hold fewer than the others.
  const std::int64_t done =
      sweep.batches_at_once == 1
          ? sweep.batches_done
          : (sweep.samples * sweep.batches_at_once + sweep.batch_size - 1) / sweep.batch_size;
  Standing now{done, std::vector<double>(static_cast<std::size_t>(values()))};
  write_means(sweep, now.means.data());
  return now;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace lamina
