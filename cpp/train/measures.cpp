// What is computed of a batch besides the network: its loss, and what is measured.
#include <algorithm>
#include <numeric>

#include "train/trainer.h"

namespace lamina {

template <class T>
double Trainer<T>::loss(Pass<T> pass, Sweep& sweep, ConstMatrix<T> prediction, bool at_logits,
                        const Target<T>& target, const T* weights, Matrix<T> gradient) const {
  const LossSpec& spec = form_.loss;
  Batch& batch = *sweep.batch;
  LossForm<T> form = loss_form(spec, at_logits, at_logits ? batch.forward.head() : Activation::kLinear,
                               target.values, features_);
  const std::int64_t rows = prediction.rows;
  const auto ignored = [&](std::int64_t i) { return form.ignores && target.labels[i] == form.ignored; };
  // What the values are divided by: for the report, and for the gradient.
  double divisor = 1;
  if (form_.reduction == Reduction::kWeightedMean && weights != nullptr && form.kind != LossKind::kCircle) {
    divisor = 0;
    for (std::int64_t i = 0; i < rows; ++i) divisor += ignored(i) ? 0 : static_cast<double>(weights[i]);
    // A weight that stands for all positions of a sample counts once.
    if (sweep.data->weight->width() == 1) divisor /= static_cast<double>(form_.positions);
  } else if (form_.reduction == Reduction::kMean || form_.reduction == Reduction::kWeightedMean) {
    divisor = static_cast<double>(rows);
    for (std::int64_t i = 0; form.ignores && i < rows; ++i) divisor -= ignored(i) ? 1 : 0;
  }
  double scale = divisor != 0 ? form_.loss_weight / divisor : 0;
  const Target<T> taken = of_kind(target, takes_labels(form.kind));
  double sum;
  if (spec.whole_batch) {
    // One value for all: weights, which come one per row, multiply it.
    const double weight =
        weights != nullptr ? std::accumulate(weights, weights + rows, 0.0) : static_cast<double>(rows);
    if (form_.reduction == Reduction::kSum || form_.reduction == Reduction::kNone)
      scale /= weights != nullptr ? static_cast<double>(form_.positions) : static_cast<double>(rows);
    const std::int64_t values = prediction.size();
    sum = weight * pass.backend.loss(pass.lease, form, prediction.reshaped(values),
                                     {nullptr, taken.values.reshaped(values)}, nullptr,
                                     static_cast<T>(scale * weight), batch.rows.data(),
                                     gradient ? gradient.reshaped(values) : gradient);
  } else {
    sum = pass.backend.loss(pass.lease, form, prediction, taken, weights, static_cast<T>(scale),
                            batch.rows.data(), gradient);
  }
  // Without a reduction the gradient is that of the sum, and what is reported the mean.
  return scale * (form_.reduction == Reduction::kNone ? sum / static_cast<double>(rows) : sum);
}

template <class T>
void Trainer<T>::measure(Pass<T> pass, Sweep& sweep, ConstMatrix<T> logits, ConstMatrix<T> output,
                         const Target<T>& target, const T* weights) const {
  Batch& batch = *sweep.batch;
  const ConstMatrix<T> prediction = output.reshaped(features_);
  const double positions = static_cast<double>(form_.positions);
  T* const rows = batch.rows.data();
  for (std::size_t k = 0; k < form_.metrics.size(); ++k) {
    const MetricSpec& metric = form_.metrics[k];
    double* const state = sweep.metrics[k].data();
    const T* const used = metric.weighted ? weights : nullptr;
    const Target<T> taken = of_kind(target, metric.wants_labels());
    double sum = 0;
    switch (metric.way) {
      case MetricSpec::Way::kOwn:
        state[0] = own_.metrics[metric.own](seen(pass, sweep, output, target, used));
        continue;
      case MetricSpec::Way::kTally:
        pass.backend.tally(pass.lease, metric.tally, prediction, taken.values, used, state);
        continue;
      case MetricSpec::Way::kLoss: {
        const bool at_logits = logits && metric.loss.takes_logits();
        const LossForm<T> form =
            loss_form(metric.loss, at_logits, at_logits ? batch.forward.head() : Activation::kLinear,
                      target.values, features_);
        sum = pass.backend.loss(pass.lease, form, at_logits ? logits.reshaped(features_) : prediction, taken,
                                used, T(1), rows, {});
        break;
      }
      case MetricSpec::Way::kRows: {
        const MetricForm<double>& given = metric.rows;
        sum = pass.backend.metric(pass.lease, {given.kind, static_cast<T>(given.threshold), given.k},
                                  prediction, taken, rows);
        if (used == nullptr) break;
        sum = 0;
        for (std::int64_t i = 0; i < prediction.rows; ++i) sum += static_cast<double>(rows[i] * used[i]);
        break;
      }
    }
    state[0] += sum / positions;
    state[1] += used != nullptr ? std::accumulate(used, used + prediction.rows, 0.0) / positions
                                : static_cast<double>(output.rows);
  }
}

template <class T>
Seen<T> Trainer<T>::seen(Pass<T> pass, const Sweep& sweep, ConstMatrix<T> output, const Target<T>& target,
                         const T* weights) const {
  const DataForm form = data_form();
  const std::int64_t width = form.labels             ? form.positions
                             : form.target_width > 0 ? form.target_width
                                                     : form.positions * features_;
  return {output,        of_kind(target, form.labels), width, weights, form_.positions,
          pass.training, sweep.batches_done == 0};
}

template double Trainer<float>::loss(Pass<float>, Sweep&, ConstMatrix<float>, bool, const Target<float>&,
                                     const float*, Matrix<float>) const;
template double Trainer<double>::loss(Pass<double>, Sweep&, ConstMatrix<double>, bool, const Target<double>&,
                                      const double*, Matrix<double>) const;
template void Trainer<float>::measure(Pass<float>, Sweep&, ConstMatrix<float>, ConstMatrix<float>,
                                      const Target<float>&, const float*) const;
template void Trainer<double>::measure(Pass<double>, Sweep&, ConstMatrix<double>, ConstMatrix<double>,
                                       const Target<double>&, const double*) const;
template Seen<float> Trainer<float>::seen(Pass<float>, const Sweep&, ConstMatrix<float>, const Target<float>&,
                                          const float*) const;
template Seen<double> Trainer<double>::seen(Pass<double>, const Sweep&, ConstMatrix<double>,
                                            const Target<double>&, const double*) const;

}  // namespace lamina
