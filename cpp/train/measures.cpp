// What is computed of a batch besides the network: its loss, and what is measured.
#include <algorithm>
#include <numeric>
#include <utility>

#include "train/trainer.h"

namespace lamina {
namespace {

// So many batches of a device are read together.
constexpr std::size_t kNotes = 1024;

}  // namespace

template <class T>
void Trainer<T>::make_room(Sweep& sweep) const {
  const Backend<T>& backend = network_.backend();
  const std::int64_t width = 1 + 2 * static_cast<std::int64_t>(form_.metrics.size()) +
                             sweep.batch->forward.penalties() + restraints_.penalties();
  const std::size_t notes = backend.on_device() ? kNotes : 1;
  const std::int64_t size = width * static_cast<std::int64_t>(notes);
  if (sweep.numbers.size() == size) return;
  sweep.numbers = Buffer<double>(size, backend.memory());
  sweep.notes.resize(notes);
}

template <class T>
void Trainer<T>::direct_penalties(Pass<T>& pass, const Sweep& sweep) const {
  pass.output_penalties = sweep.row(sweep.noted) + 1 + 2 * form_.metrics.size();
  pass.weight_penalties = pass.output_penalties + sweep.batch->forward.penalties();
}

template <class T>
void Trainer<T>::settle(Sweep& sweep) const {
  if (sweep.noted == 0) return;
  const std::size_t noted = std::exchange(sweep.noted, 0);  // lost, should the device have failed
  network_.backend().finish();
  const Forward<T>& forward = sweep.batch->forward;
  for (std::size_t k = 0; k < noted; ++k) {
    const Noted& note = sweep.notes[k];
    const double* number = sweep.row(k);
    // Without a reduction the gradient is that of the sum, and what is reported the mean.
    const double sum = note.weight * *number++;
    double value =
        note.scale *
        (form_.reduction == Reduction::kNone && !form_.own_loss ? sum / static_cast<double>(note.rows) : sum);
    for (std::size_t m = 0; m < form_.metrics.size(); ++m, number += 2) {
      const MetricSpec& metric = form_.metrics[m];
      if (!metric.is_mean()) continue;
      double* const state = sweep.metrics[m].data();
      // How many values there are, and what is counted, each the mean of its share of them: samples as a
      // rule.
      const Turning<T>& turning = metric_turnings_[m];
      const RowAxes& axes = metric.row_axes();
      const bool all = metric.takes_all(note.logits);
      const std::int64_t counted = all ? 1 : axes.batch ? axes.counts : note.count;
      const std::int64_t rows = turning                   ? turning.rows(note.count)
                                : all && metric.by_rows() ? 1
                                                          : note.count * form_.positions;
      state[0] += number[0] / (static_cast<double>(rows) / static_cast<double>(counted));
      state[1] += metric.weighted && note.weighted ? number[1] / static_cast<double>(form_.positions)
                                                   : static_cast<double>(counted);
    }
    const double of_outputs = forward.penalty_sum(number, note.count);
    value += note.trains ? of_outputs + restraints_.sum(number + forward.penalties())
                         : sweep.penalties + of_outputs;
    sweep.loss_sum += value * static_cast<double>(note.count);
  }
}

template <class T>
void Trainer<T>::loss(Pass<T> pass, Sweep& sweep, ConstMatrix<T> prediction, bool at_logits,
                      const Target<T>& target, const T* weights, Matrix<T> gradient, Noted& note,
                      double* sum) const {
  const LossSpec& spec = form_.loss;
  Batch& batch = *sweep.batch;
  const bool by_weights = form_.reduction == Reduction::kWeightedMean && weights != nullptr &&
                          spec.form.kind != LossKind::kCircle;
  // What depends on the batch's targets or weights is found here; all else may wait on a device.
  if (by_weights || spec.maps_bits() || spec.form.ignores || !spec.alphas.empty() ||
      (spec.axes.whole && weights != nullptr))
    pass.backend.finish();
  LossForm<T> form = loss_form(spec, at_logits, at_logits ? batch.forward.head() : Activation::kLinear,
                               target.values, features_);
  const RowAxes& axes = spec.axes;
  const std::int64_t samples = prediction.rows / form_.positions;
  // How many values the loss has. What each output has on its own is summed by rows all the same.
  const std::int64_t rows = !axes || spec.by_output() ? prediction.rows : turning_.rows(samples);
  const auto ignored = [&](std::int64_t i) { return form.ignores && target.labels[i] == form.ignored; };
  // What the values are divided by: for the report, and for the gradient.
  double divisor = 1;
  if (by_weights) {
    divisor = 0;
    for (std::int64_t i = 0; i < prediction.rows; ++i)
      divisor += ignored(i) ? 0 : static_cast<double>(weights[i]);
    // A weight that stands for all positions of a sample counts once.
    if (sweep.data->weight->width() == 1) divisor /= static_cast<double>(form_.positions);
  } else if (form_.reduction == Reduction::kMean || form_.reduction == Reduction::kWeightedMean) {
    divisor = static_cast<double>(rows);
    for (std::int64_t i = 0; form.ignores && i < rows; ++i) divisor -= ignored(i) ? 1 : 0;
  }
  double scale = divisor != 0 ? form_.loss_weight / divisor : 0;
  Target<T> taken = of_kind(target, takes_labels(form.kind));
  if (!spec.alphas.empty()) {  // a class's factor is as good on its target, which the loss is linear in
    const Matrix<T> y(batch.weighed.data(), prediction.rows, features_);
    for (std::int64_t i = 0; i < y.size(); ++i)
      y.data[i] = static_cast<T>(spec.alphas[static_cast<std::size_t>(i % features_)]) *
                  (form.label_scale * taken.values.data[i] + form.label_shift);
    form.alpha = form.label_scale = 1;
    form.label_shift = 0;
    taken.values = y;
  }
  double weight = 1;
  note.rows = rows;
  if (spec.takes_all(at_logits)) {
    // One value for all: weights, which come one per row, multiply it.
    weight = weights != nullptr ? std::accumulate(weights, weights + rows, 0.0) : static_cast<double>(rows);
    const bool summed = form_.reduction == Reduction::kSum || form_.reduction == Reduction::kNone;
    if (weights == nullptr) {
      if (summed) scale /= static_cast<double>(rows);
      note.rows = 1;
    } else if ((summed || by_weights) && sweep.data->weight->width() == 1) {
      weight /= static_cast<double>(form_.positions);  // one that stands for all positions counts once
      note.rows = samples;
    }
    const std::int64_t values = spec.by_output() ? features_ : prediction.size();
    weight *= static_cast<double>(values) / static_cast<double>(prediction.size());
    pass.backend.loss(pass.lease, form, prediction.reshaped(values), {nullptr, taken.values.reshaped(values)},
                      nullptr, static_cast<T>(scale * weight), batch.rows.data(),
                      gradient ? gradient.reshaped(values) : gradient, sum);
  } else if (axes && spec.by_output()) {
    // Of longer or shorter rows there are less or more, which their mean does not see.
    const double width = static_cast<double>(axes.width * (axes.batch ? samples : 1));
    const bool meaned = form_.reduction == Reduction::kMean ||
                        (form_.reduction == Reduction::kWeightedMean && weights == nullptr);
    const double share = meaned ? 1 : static_cast<double>(features_) / width;
    pass.backend.loss(pass.lease, form, prediction, taken, weights, static_cast<T>(scale * share),
                      batch.rows.data(), gradient, sum);
    if (form_.reduction != Reduction::kNone) weight = share;
  } else {
    rows_loss(pass, batch, form, prediction, taken, weights, static_cast<T>(scale), gradient, sum);
  }
  note.scale = scale;
  note.weight = weight;
}

template <class T>
void Trainer<T>::rows_loss(Pass<T> pass, Batch& batch, const LossForm<T>& form, ConstMatrix<T> prediction,
                           const Target<T>& target, const T* weights, T scale, Matrix<T> gradient,
                           double* sum) const {
  if (!turning_)
    return pass.backend.loss(pass.lease, form, prediction, target, weights, scale, batch.rows.data(),
                             gradient, sum);
  const std::int64_t samples = prediction.rows / form_.positions;
  const T* const each = turning_.weights(pass, weights, samples, form_.positions, batch.row_weights.data());
  const ConstMatrix<T> x = turning_.turned(pass, prediction, batch.turned[0].data());
  const ConstMatrix<T> y = turning_.turned(pass, target.values, batch.turned[1].data());
  const Matrix<T> dx = gradient ? Matrix<T>(batch.turned[2].data(), x.rows, x.cols) : Matrix<T>();
  pass.backend.loss(pass.lease, form, x, {nullptr, y}, each, scale, batch.rows.data(), dx, sum);
  if (gradient) turning_.turn_back(pass, dx, gradient);
}

template <class T>
void Trainer<T>::measure(Pass<T> pass, Sweep& sweep, ConstMatrix<T> logits, ConstMatrix<T> output,
                         const Target<T>& target, const T* weights, double* sums) const {
  Batch& batch = *sweep.batch;
  const ConstMatrix<T> outputs = output.reshaped(features_);
  T* const rows = batch.rows.data();
  for (std::size_t k = 0; k < form_.metrics.size(); ++k, sums += 2) {
    const MetricSpec& metric = form_.metrics[k];
    double* const state = sweep.metrics[k].data();
    const T* const used = metric.weighted ? weights : nullptr;
    Target<T> taken = of_kind(target, metric.wants_labels());
    if (metric.way == MetricSpec::Way::kOwn) {
      state[0] = own_.metrics[metric.own](seen(pass, sweep, output, target, used));
      continue;
    }
    if (metric.way == MetricSpec::Way::kTally) {
      pass.backend.tally(pass.lease, metric.tally, outputs, taken.values, used, state);
      continue;
    }
    const bool is_loss = metric.way == MetricSpec::Way::kLoss;
    const bool at_logits = is_loss && logits && metric.loss.takes_logits();
    ConstMatrix<T> prediction = at_logits ? logits.reshaped(features_) : outputs;
    const T* row_weights = used;
    if (const Turning<T>& turning = metric_turnings_[k]) {
      const std::int64_t samples = outputs.rows / form_.positions;
      prediction = turning.turned(pass, prediction, batch.turned[0].data());
      taken.values = turning.turned(pass, taken.values, batch.turned[1].data());
      row_weights = turning.weights(pass, used, samples, form_.positions, batch.row_weights.data());
    } else if (metric.takes_all(at_logits) && metric.by_rows()) {
      prediction = prediction.reshaped(prediction.size());
      taken.values = taken.values.reshaped(prediction.cols);
    }
    if (is_loss) {
      if (metric.loss.maps_bits()) pass.backend.finish();
      const Activation head = at_logits ? batch.forward.head() : Activation::kLinear;
      const LossForm<T> form = loss_form(metric.loss, at_logits, head, taken.values, features_);
      pass.backend.loss(pass.lease, form, prediction, taken, row_weights, T(1), rows, {}, sums);
    } else {
      const MetricForm<double>& given = metric.rows;
      pass.backend.metric(pass.lease, {given.kind, static_cast<T>(given.threshold), given.k}, prediction,
                          taken, row_weights, rows, sums);
    }
    if (used != nullptr) pass.backend.sum(pass.lease, used, outputs.rows, sums + 1);
  }
}

template <class T>
Seen<T> Trainer<T>::seen(Pass<T> pass, const Sweep& sweep, ConstMatrix<T> output, const Target<T>& target,
                         const T* weights) const {
  pass.backend.finish();  // it is the host that sees them
  const DataForm form = data_form();
  const std::int64_t width = form.labels             ? form.positions
                             : form.target_width > 0 ? form.target_width
                                                     : form.positions * features_;
  return {output,        of_kind(target, form.labels), width, weights, form_.positions,
          pass.training, sweep.batches_done == 0};
}

template <class T>
void Trainer<T>::write_means(Sweep& sweep, double* out) const {
  settle(sweep);
  const double n = static_cast<double>(std::max<std::int64_t>(sweep.samples, 1));
  *out++ = sweep.loss_sum / n;
  for (std::size_t k = 0; k < sweep.metrics.size(); ++k) {
    const MetricSpec& metric = form_.metrics[k];
    const double* const state = sweep.metrics[k].data();
    if (metric.way == MetricSpec::Way::kTally) {
      out = std::copy_n(state, sweep.metrics[k].size(), out);
    } else if (metric.way == MetricSpec::Way::kOwn) {
      *out++ = state[0];
    } else {
      *out++ = state[1] != 0 ? state[0] / state[1] : 0;
      if (metric.tells_weight()) *out++ = state[1];
    }
  }
}

template <class T>
Standing Trainer<T>::standing(Sweep& sweep) const {
  // Of the batches that the caller knows; the last one that is computed may hold fewer than the others.
  const std::int64_t done =
      sweep.batches_at_once == 1
          ? sweep.batches_done
          : (sweep.samples * sweep.batches_at_once + sweep.batch_size - 1) / sweep.batch_size;
  Standing now{done, std::vector<double>(static_cast<std::size_t>(values()))};
  write_means(sweep, now.means.data());
  return now;
}

#define LAMINA_INSTANTIATE(T)                                                                                \
  template void Trainer<T>::make_room(Sweep&) const;                                                         \
  template void Trainer<T>::direct_penalties(Pass<T>&, const Sweep&) const;                                  \
  template void Trainer<T>::settle(Sweep&) const;                                                            \
  template void Trainer<T>::loss(Pass<T>, Sweep&, ConstMatrix<T>, bool, const Target<T>&, const T*,          \
                                 Matrix<T>, Noted&, double*) const;                                          \
  template void Trainer<T>::rows_loss(Pass<T>, Batch&, const LossForm<T>&, ConstMatrix<T>, const Target<T>&, \
                                      const T*, T, Matrix<T>, double*) const;                                \
  template void Trainer<T>::measure(Pass<T>, Sweep&, ConstMatrix<T>, ConstMatrix<T>, const Target<T>&,       \
                                    const T*, double*) const;                                                \
  template void Trainer<T>::write_means(Sweep&, double*) const;                                              \
  template Standing Trainer<T>::standing(Sweep&) const;                                                      \
  template Seen<T> Trainer<T>::seen(Pass<T>, const Sweep&, ConstMatrix<T>, const Target<T>&, const T*) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
