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
  const LossAxes& axes = spec.axes;
  const std::int64_t samples = prediction.rows / form_.positions;
  // How many values the loss has. What each output has on its own is summed by rows all the same.
  const std::int64_t rows = !axes || spec.by_output() ? prediction.rows
                            : axes.batch              ? axes.rows()
                                                      : samples * axes.rows();
  const auto ignored = [&](std::int64_t i) { return form.ignores && target.labels[i] == form.ignored; };
  const bool by_weights = form_.reduction == Reduction::kWeightedMean && weights != nullptr;
  // What the values are divided by: for the report, and for the gradient.
  double divisor = 1;
  if (by_weights && form.kind != LossKind::kCircle) {
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
  double sum;
  if (spec.whole_batch && !(form.logits && spec.rows_at_logits)) {
    // One value for all: weights, which come one per row, multiply it.
    const double weight =
        weights != nullptr ? std::accumulate(weights, weights + rows, 0.0) : static_cast<double>(rows);
    if (form_.reduction == Reduction::kSum || form_.reduction == Reduction::kNone)
      scale /= weights != nullptr ? static_cast<double>(form_.positions) : static_cast<double>(rows);
    const std::int64_t values = spec.by_output() ? features_ : prediction.size();
    const double share = weight * static_cast<double>(values) / static_cast<double>(prediction.size());
    sum = share * pass.backend.loss(pass.lease, form, prediction.reshaped(values),
                                    {nullptr, taken.values.reshaped(values)}, nullptr,
                                    static_cast<T>(scale * share), batch.rows.data(),
                                    gradient ? gradient.reshaped(values) : gradient);
  } else if (axes && spec.by_output()) {
    // Of longer or shorter rows there are less or more, which their mean does not see.
    const double width = static_cast<double>(axes.width * (axes.batch ? samples : 1));
    const bool meaned = form_.reduction == Reduction::kMean ||
                        (form_.reduction == Reduction::kWeightedMean && weights == nullptr);
    const double share = meaned ? 1 : static_cast<double>(features_) / width;
    sum = pass.backend.loss(pass.lease, form, prediction, taken, weights, static_cast<T>(scale * share),
                            batch.rows.data(), gradient);
    if (form_.reduction != Reduction::kNone) sum *= share;
  } else {
    sum = rows_loss(pass, batch, form, prediction, taken, weights, static_cast<T>(scale), gradient);
  }
  // Without a reduction the gradient is that of the sum, and what is reported the mean.
  return scale * (form_.reduction == Reduction::kNone ? sum / static_cast<double>(rows) : sum);
}

template <class T>
double Trainer<T>::rows_loss(Pass<T> pass, Batch& batch, const LossForm<T>& form, ConstMatrix<T> prediction,
                             const Target<T>& target, const T* weights, T scale, Matrix<T> gradient) const {
  const LossAxes& axes = form_.loss.axes;
  if (!axes)
    return pass.backend.loss(pass.lease, form, prediction, target, weights, scale, batch.rows.data(),
                             gradient);
  const auto size = static_cast<std::int64_t>(axes.from.size());
  const std::int64_t samples = prediction.size() / size;
  const std::int64_t width = axes.batch ? samples * axes.width : axes.width;
  const auto turn = [&](ConstMatrix<T> given, Buffer<T>& to) {
    const ConstMatrix<T> x = given.reshaped(size);
    const Matrix<T> y(to.data(), samples, size);
    if (!axes.batch) {
      pass.backend.gather_columns(pass.lease, x, axes.from.data(), y);
    } else {
      for (std::int64_t i = 0; i < samples; ++i)
        for (std::int64_t j = 0; j < size; ++j)
          to.data()[j / axes.width * width + i * axes.width + j % axes.width] =
              x.row(i)[axes.from[static_cast<std::size_t>(j)]];
    }
    return y.reshaped(width);
  };
  const T* row_weights = weights;
  if (weights != nullptr && axes.rows() != form_.positions) {
    T* const spread = batch.row_weights.data();
    for (std::int64_t i = 0; i < samples; ++i)
      std::fill_n(spread + i * axes.rows(), axes.rows(), weights[i * form_.positions]);
    row_weights = spread;
  }
  const ConstMatrix<T> x = turn(prediction, batch.turned[0]), y = turn(target.values, batch.turned[1]);
  const Matrix<T> dx = gradient ? Matrix<T>(batch.turned[2].data(), x.rows, x.cols) : Matrix<T>();
  const double sum =
      pass.backend.loss(pass.lease, form, x, {nullptr, y}, row_weights, scale, batch.rows.data(), dx);
  if (!gradient) return sum;
  if (!axes.batch) {
    pass.backend.gather_columns(pass.lease, dx.reshaped(size), back_.data(), gradient.reshaped(size));
  } else {
    const Matrix<T> back = gradient.reshaped(size);
    for (std::int64_t i = 0; i < samples; ++i)
      for (std::int64_t j = 0; j < size; ++j)
        back.row(i)[axes.from[static_cast<std::size_t>(j)]] =
            dx.data[j / axes.width * width + i * axes.width + j % axes.width];
  }
  return sum;
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
template double Trainer<float>::rows_loss(Pass<float>, Batch&, const LossForm<float>&, ConstMatrix<float>,
                                          const Target<float>&, const float*, float, Matrix<float>) const;
template double Trainer<double>::rows_loss(Pass<double>, Batch&, const LossForm<double>&, ConstMatrix<double>,
                                           const Target<double>&, const double*, double,
                                           Matrix<double>) const;
template void Trainer<float>::measure(Pass<float>, Sweep&, ConstMatrix<float>, ConstMatrix<float>,
                                      const Target<float>&, const float*) const;
template void Trainer<double>::measure(Pass<double>, Sweep&, ConstMatrix<double>, ConstMatrix<double>,
                                       const Target<double>&, const double*) const;
template Seen<float> Trainer<float>::seen(Pass<float>, const Sweep&, ConstMatrix<float>, const Target<float>&,
                                          const float*) const;
template Seen<double> Trainer<double>::seen(Pass<double>, const Sweep&, ConstMatrix<double>,
                                            const Target<double>&, const double*) const;

}  // namespace lamina
