#include "train/objective.h"

#include <algorithm>

namespace lamina {

template <class T>
LossForm<T> loss_form(const LossSpec& spec, bool logits, Activation head, ConstMatrix<T> targets,
                      std::int64_t features) {
  const LossForm<double>& given = spec.form;
  LossForm<T> form;
  form.kind = given.kind;
  form.logits = logits || spec.from_logits;
  const double smoothing = spec.label_smoothing;
  const double share = spec.by_output() ? 0.5 : 1.0 / static_cast<double>(features);
  form.label_scale = static_cast<T>(1 - smoothing);
  form.label_shift = static_cast<T>(smoothing * share);
  form.delta = static_cast<T>(given.delta);
  form.alpha = static_cast<T>(given.alpha);
  form.beta = static_cast<T>(given.beta);
  form.gamma = static_cast<T>(given.gamma);
  form.flag = given.flag;
  form.softmax_head = logits && head == Activation::kSoftmax;
  form.ignores = given.ignores;
  form.ignored = given.ignored;
  form.counted = given.counted;
  if (spec.maps_bits()) {
    bool bits = true;
    for (std::int64_t i = 0; i < targets.rows && bits; ++i)
      bits = std::all_of(targets.row(i), targets.row(i) + targets.cols, [](T t) { return t == 0 || t == 1; });
    if (bits) {
      form.label_scale = 2;
      form.label_shift = -1;
    }
  }
  return form;
}

template LossForm<float> loss_form(const LossSpec&, bool, Activation, ConstMatrix<float>, std::int64_t);
template LossForm<double> loss_form(const LossSpec&, bool, Activation, ConstMatrix<double>, std::int64_t);

bool TrainingForm::means_only() const {
  if (own_loss || loss.depends_on_batch()) return false;
  if (reduction != Reduction::kMean && reduction != Reduction::kNone) return false;
  return std::none_of(metrics.begin(), metrics.end(),
                      [](const MetricSpec& metric) { return metric.depends_on_batch(); });
}

}  // namespace lamina
