#include "train/trainer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/sampling.h"

namespace lamina {
namespace {

// Rows that are evaluated at once where that is free: enough for a product to run at its full speed.
constexpr std::int64_t kRowsAtOnce = 256;

// A gradient that is used at once need not be stored, but then the way back can't be interrupted, as some
// weights have taken their step: only done where that way is short. The bits are the same.
constexpr std::chrono::milliseconds kLongStep(100);

// The same on a device, which computes them in parallel.
constexpr std::int64_t kRowsAtOnceOnDevice = 8192;

}  // namespace

template <class T>
Trainer<T>::Batch::Batch(const Trainer& trainer, std::int64_t capacity, Mode mode)
    : forward(trainer.network_, capacity, mode) {
  const DataForm form = trainer.data_form();
  Memory& memory = trainer.network_.backend().memory();
  const std::int64_t positions = capacity * form.positions;
  if (form.labels || trainer.wants_labels()) labels = Buffer<std::int64_t>(positions, memory);
  if (!form.labels)
    values =
        Buffer<T>(form.target_width > 0 ? capacity * form.target_width : positions * form.features, memory);
  weights = Buffer<T>(positions, memory);
  if (form.positions > 1) each_weight = Buffer<T>(capacity, memory);
  rows = Buffer<T>(positions, memory);
  if (!trainer.form_.loss.alphas.empty()) weighed = Buffer<T>(positions * form.features, memory);
  std::int64_t turned_rows = 0;
  trainer.each_turning(
      [&](const Turning<T>& each) { turned_rows = std::max(turned_rows, each.rows(capacity)); });
  if (turned_rows == 0) return;
  rows = Buffer<T>(std::max(positions, turned_rows), memory);
  row_weights = Buffer<T>(turned_rows, memory);
  for (Buffer<T>& each : turned) each = Buffer<T>(positions * form.features, memory);
}

template <class T>
Trainer<T>::Trainer(Network<T>& network, Optimizer<T>& optimizer, const TrainingForm& form, Own<T> own)
    : network_(network), optimizer_(optimizer), form_(form), own_(std::move(own)), restraints_(network) {
  network.require_built();
  require(form.positions > 0 && network.outputs() % form.positions == 0,
          "positions: expected a divisor of the network's ", network.outputs(), " outputs, got ",
          form.positions);
  features_ = network.outputs() / form.positions;
  const bool labels = data_form().labels;
  if (const auto classes = static_cast<std::int64_t>(form.loss.alphas.size()); classes > 0)
    require(classes == features_, "loss: alpha: expected one number or ", features_, ", got ", classes);
  Memory& memory = network.backend().memory();
  if (form.loss.axes) turning_ = Turning<T>(form.loss.axes, network.outputs(), "loss", memory);
  const bool free_form = form.own_loss && form.target_width != form.positions * features_;
  for (const MetricSpec& metric : form.metrics) {
    require(
        !labels || !metric.wants_values(),
        "metrics: this loss takes class labels; of the metrics only sparse_categorical_accuracy and others "
        "of class labels do");
    require(
        labels || !metric.wants_labels() || (free_form && form.target_width == form.positions),
        "metrics: sparse_categorical_accuracy and its like need class labels, but this loss takes one value "
        "per output");
    require(!free_form || !metric.wants_values(), "metrics: they need targets in the output's shape");
    const LossForm<double>&trained = form.loss.form, &measured = metric.loss.form;
    require(!labels || !trained.ignores || metric.way != MetricSpec::Way::kLoss ||
                !takes_labels(measured.kind) || (measured.ignores && measured.ignored == trained.ignored),
            "metrics: expected the loss's ignore_class, ", trained.ignored,
            ", of a cross-entropy among them, got ", measured.ignores ? text(measured.ignored) : "none");
    measures_logits_ |= metric.way == MetricSpec::Way::kLoss && metric.loss.takes_logits();
    const RowAxes& axes = metric.row_axes();
    metric_turnings_.push_back(
        axes && metric.by_rows() ? Turning<T>(axes, network.outputs(), "metrics", memory) : Turning<T>());
  }
  optimizer.bind(network);
  gradients_ = Buffer<T>(network.trainable_size(), memory);
  if (form.positions > 1) first_of_each_ = Buffer<std::int64_t>(form.positions, memory);
  layout_ = network.layout();
}

template <class T>
std::int64_t Trainer<T>::values() const {
  std::int64_t values = 1;
  for (const MetricSpec& metric : form_.metrics) values += metric.width(features_);
  return values;
}

template <class T>
void Trainer<T>::clear(Sweep& sweep) const {
  sweep.loss_sum = 0;
  sweep.samples = sweep.batches_done = 0;
  sweep.noted = 0;
  sweep.metrics.resize(form_.metrics.size());
  network_.backend().finish();
  for (std::size_t k = 0; k < form_.metrics.size(); ++k) {
    const MetricSpec& metric = form_.metrics[k];
    const std::int64_t size = metric.way == MetricSpec::Way::kTally ? metric.tally.size(features_) : 2;
    Buffer<double>& state = sweep.metrics[k];
    if (state.size() != size) state = Buffer<double>(size, network_.backend().memory());
    std::fill_n(state.data(), size, 0.0);
  }
}

template <class T>
std::int64_t Trainer<T>::begin(Lease& lease, Sweep& sweep, const Dataset& data, std::int64_t batch_size,
                               Mode mode, bool goes_on) {
  require(batch_size > 0, "batch_size: expected a positive number, got ", batch_size);
  check_sizes(data, data_form());
  sweep.data = nullptr;  // until all is ready
  if (!keeps_data_) sweep.resident.release();
  // A batch larger than the data is the data.
  const std::int64_t capacity = std::min(batch_size, std::max<std::int64_t>(data.size(), 1));
  if (!sweep.batch.has_value() || sweep.batch->forward.capacity() < capacity) {
    sweep.batch.reset();
    sweep.batch.emplace(*this, capacity, mode);
  }
  sweep.resident.hold(lease, network_.backend(), data, looks_);
  sweep.batch->intake.prepare(network_, sweep.batch->forward, sweep.resident.data().x, capacity);
  if (sweep.batch_size != batch_size) sweep.pace = {};
  sweep.batch_size = batch_size;
  sweep.shuffled = false;
  sweep.end = 0;
  make_room(sweep);
  if (!goes_on) clear(sweep);
  sweep.data = &data;
  return data.size() == 0 ? 0 : (data.size() - 1) / batch_size + 1;
}

template <class T>
std::int64_t Trainer<T>::begin_epoch(Lease& lease, const Dataset& data, std::int64_t batch_size,
                                     Shuffle shuffle, std::uint64_t seed, std::uint64_t epoch, bool goes_on) {
  const std::int64_t batches = begin(lease, epoch_, data, batch_size, Mode::kTraining, goes_on);
  // Of one batch the order is that of a sum's terms: nothing to draw for.
  if (shuffle != Shuffle::kNone && batches > 1) {
    epoch_.data = nullptr;
    const std::int64_t size = data.size();
    if (epoch_.order.size() != size) epoch_.order = Buffer<std::int64_t>(size, network_.backend().memory());
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
void Trainer<T>::run(Pass<T> pass, Sweep& sweep, std::int64_t index) {
  const std::int64_t first = index * sweep.batch_size;
  const std::int64_t count = std::min(sweep.batch_size, sweep.data->size() - first);
  require(first >= 0 && count > 0, "batch: expected a number below the epoch's batches, got ", index);
  Batch& batch = *sweep.batch;
  double* const numbers = sweep.row(sweep.noted);
  direct_penalties(pass, sweep);
  const std::int64_t next = std::min(sweep.batch_size, sweep.data->size() - first - count);
  const Window rows =
      sweep.resident.window(pass.backend, sweep.shuffled ? sweep.order.data() : nullptr, first, count);
  const ConstMatrix<T> x = batch.intake.take(pass.lease, rows.data->x, rows.order, rows.first, count, next);
  pass.samples = batch.intake.samples();
  const Target<T> target = gather_y(pass.lease, sweep, rows, count);
  const T* weights = gather_weights(pass.lease, sweep, rows, count);

  const bool at_head = form_.head_logits && batch.forward.has_head();
  const bool at_logits = at_head && !form_.own_loss && form_.loss.takes_logits();
  ConstMatrix<T> logits, output;
  if (at_logits || (at_head && measures_logits_)) {
    logits = batch.forward.run_to_logits(pass, x);
    if (!at_logits || !form_.metrics.empty()) output = batch.forward.output_from_logits(pass, logits);
  } else {
    output = batch.forward.run(pass, x);
  }
  const Matrix<T> gradient = pass.training ? batch.forward.output_gradient(count) : Matrix<T>();
  Noted& note = sweep.notes[sweep.noted];
  note = {1, 1, count, count, weights != nullptr, pass.training, static_cast<bool>(logits)};
  if (form_.own_loss) {
    *numbers = own_.loss(seen(pass, sweep, output, target, weights), gradient);
  } else {
    loss(pass, sweep, (at_logits ? logits : output).reshaped(features_), at_logits, target, weights,
         gradient ? gradient.reshaped(features_) : gradient, note, numbers);
  }
  if (!form_.metrics.empty()) measure(pass, sweep, logits, output, target, weights, numbers + 1);
  if (pass.training) step(pass, batch.forward, at_logits);
  sweep.samples += count;
  sweep.end = first + count;
  ++sweep.batches_done;
  ++sweep.noted;
}

template <class T>
std::optional<ThreadChoice::Duration> Trainer<T>::run_timed(Pass<T> pass, Sweep& sweep, std::int64_t index) {
  const bool chooses = pass.lease.has_team() && !pass.backend.on_device();
  if (chooses) pass.lease.work_alone(sweep.threads.alone());
  const auto begin = Clock::now();
  run(pass, sweep, index);
  const std::int64_t size = sweep.data->size();
  if (size >= sweep.batch_size && (index + 1) * sweep.batch_size > size) return {};
  const ThreadChoice::Duration time = Clock::now() - begin;
  if (chooses) sweep.threads.took(time, std::min(size, sweep.batch_size));
  return time;
}

template <class T>
void Trainer<T>::follow(Lease& lease, Sweep& sweep) {
  sweep.resident.taken(network_.backend());
  if (network_.backend().on_device()) sweep.pace.batch(network_.backend());
  if (sweep.noted == sweep.notes.size()) settle(sweep);
  lease.poll();
}

template <class T>
void Trainer<T>::step(Pass<T> pass, Forward<T>& forward, bool at_logits) {
  if (gradients_.size() == 0) {  // nothing learns: no step, as in Keras; statistics follow all the same
    const Lease::Whole whole(pass.lease);
    forward.commit(pass);
    ++idle_steps_;
    forward.backward(pass, at_logits);
    return;
  }
  const Update<T> update = optimizer_.update(gradients_.data(), network_.parameters());
  const bool at_once =
      optimizer_.at_once() && step_time_ < kLongStep && !restraints_.may_throw() && !pass.backend.on_device();
  if (!at_once) {
    forward.backward(pass, at_logits);
    restraints_.add_gradients(pass);
  }
  const Lease::Whole whole(pass.lease);
  bool taken = true;
  if (at_once) {
    pass.update = &update;
    if (restraints_.any()) pass.restraints = &restraints_;
    forward.backward(pass, at_logits);
  } else if (optimizer_.at_once()) {
    pass.backend.update(pass.lease, update, gradients_.data(), network_.trainable_size());
  } else {
    taken = optimizer_.step(pass.lease, pass.backend, update, gradients_.data(), network_.parameters(),
                            optimizer_.absent());
  }
  forward.commit(pass);
  if (taken)
    optimizer_.count_step();
  else
    ++idle_steps_;
  if (!at_once) restraints_.constrain(pass);  // last: the caller's own may throw, and the step is whole
}

template <class T>
void Trainer<T>::train(Lease& lease, std::int64_t first, std::int64_t last) {
  require(epoch_.data != nullptr, "train: begin_epoch comes first");
  require(
      layout_ == network_.layout(),
      "trainable: layers of this model were frozen or unfrozen, and it was trained, within this training");
  const Finishing<T> finishing(network_.backend());
  ask_for_stack(lease);
  while (const std::int64_t done = train_stack(lease, first, last)) {
    first += done;
    lease.poll();
  }
  for (std::int64_t i = first; i < last; ++i) {
    const auto step = static_cast<std::uint64_t>(optimizer_.iterations()) + idle_steps_;
    {
      WholeStep<T> whole(network_.backend());
      const auto time = run_timed(
          {network_.backend(), lease, network_.parameters(), gradients_.data(), true, step}, epoch_, i);
      if (time) step_time_ = *time;
      whole.end();
    }
    follow(lease, epoch_);
  }
  settle(epoch_);
  network_.backend().finish();
}

template <class T>
void Trainer<T>::end_epoch() {
  epoch_.data = nullptr;
  if (!keeps_data_) epoch_.resident.release();
}

template <class T>
void Trainer<T>::let_data_go() {
  keeps_data_ = looks_ = false;
  if (epoch_.data == nullptr) epoch_.resident.release();
  evaluation_.resident.release();
}

template <class T>
bool Trainer<T>::epoch_over() const {
  return epoch_.data == nullptr || epoch_.end == epoch_.data->size();
}

template <class T>
void Trainer<T>::evaluate(Lease& lease, const Dataset& data, std::int64_t batch_size, bool goes_on) {
  require(batch_size > 0, "batch_size: expected a positive number, got ", batch_size);
  const Finishing<T> finishing(network_.backend());
  const bool free = form_.means_only();
  const std::int64_t rows = network_.backend().on_device() ? kRowsAtOnceOnDevice : kRowsAtOnce;
  const std::int64_t together = free ? std::max<std::int64_t>(rows / batch_size, 1) : 1;
  const std::int64_t batches =
      begin(lease, evaluation_, data, batch_size * together, Mode::kEvaluation, goes_on);
  evaluation_.batches_at_once = together;
  if (restraints_.any()) {
    Pass<T> pass{network_.backend(), lease, network_.parameters()};
    direct_penalties(pass, evaluation_);
    restraints_.evaluate(pass);
    network_.backend().finish();
    evaluation_.penalties = restraints_.sum(pass.weight_penalties);
  }
  for (std::int64_t i = 0; i < batches; ++i) {
    run_timed({network_.backend(), lease, network_.parameters()}, evaluation_, i);
    follow(lease, evaluation_);
  }
  settle(evaluation_);
  if (!keeps_data_) evaluation_.resident.release();
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace lamina
