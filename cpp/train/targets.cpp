// What a batch has besides its inputs: targets and weights, of which form they are, and how they are
// gathered.
#include <algorithm>

#include "train/trainer.h"

namespace lamina {

template <class T>
DataForm Trainer<T>::data_form() const {
  const LossForm<double>& loss = form_.loss.form;
  DataForm form;
  form.inputs = network_.inputs();
  form.positions = form_.positions;
  form.features = features_;
  form.labels = !form_.own_loss && takes_labels(loss.kind);
  form.any_label = form.labels && loss.kind == LossKind::kCircle;
  if (form.labels && loss.ignores) form.ignored = loss.ignored;
  if (form_.own_loss) form.target_width = form_.target_width;
  form.weights = form_.positions;
  if (const RowAxes& axes = form_.loss.axes; axes && axes.batch)
    form.weights = 0;
  else if (axes && (form_.loss.by_output() || axes.rows() != form_.positions))
    form.weights = 1;
  for (const MetricSpec& metric : form_.metrics) {
    if (!metric.weighted) continue;
    if (metric.through_batch())
      form.weights = 0;
    else if (const RowAxes& axes = metric.row_axes();
             axes && (!metric.by_rows() || axes.rows() != form_.positions))
      form.weights = std::min<std::int64_t>(form.weights, 1);
  }
  return form;
}

template <class T>
bool Trainer<T>::wants_labels() const {
  return std::any_of(form_.metrics.begin(), form_.metrics.end(),
                     [](const MetricSpec& metric) { return metric.wants_labels(); });
}

template <class T>
Target<T> Trainer<T>::gather_y(Lease& lease, Sweep& sweep, const Window& window, std::int64_t count) const {
  const std::int64_t* const order = window.order_from_first();
  const std::int64_t first = window.first;
  const DataForm form = data_form();
  const Rows& rows = *window.data->y;
  std::int64_t* const labels = sweep.batch->labels.data();
  if (!form.labels) {
    const std::int64_t width = form.target_width > 0 ? form.target_width : form_.positions * features_;
    const Matrix<T> y(sweep.batch->values.data(), count, width);
    network_.backend().gather(lease, rows, order, first, y);
    if (labels != nullptr)  // an own loss, whose targets are class numbers for its metrics
      network_.backend().gather_labels(lease, rows, order, first, {true}, {labels, count, width});
    // An own loss's targets may have any shape; those of the output's are by position, as metrics take them.
    const bool by_position = width == form_.positions * features_;
    return {labels, by_position ? ConstMatrix<T>(y.reshaped(features_)) : ConstMatrix<T>(y)};
  }
  const LabelRange range{form.any_label, features_, form.ignored.has_value(), form.ignored.value_or(0)};
  network_.backend().gather_labels(lease, rows, order, first, range, {labels, count, form_.positions});
  return {labels, {}};
}

template <class T>
const T* Trainer<T>::gather_weights(Lease& lease, Sweep& sweep, const Window& window,
                                    std::int64_t count) const {
  if (!sweep.data->weight.has_value()) return nullptr;
  const std::int64_t width = sweep.data->weight->width(), positions = form_.positions;
  T* const weights = sweep.batch->weights.data();
  // One weight per sample counts for each of its positions.
  T* const gathered = width < positions ? sweep.batch->each_weight.data() : weights;
  network_.backend().gather(lease, *window.data->weight, window.order_from_first(), window.first,
                            {gathered, count, width});
  if (width < positions)
    network_.backend().gather_columns(lease, {gathered, count, width}, first_of_each_.data(),
                                      {weights, count, positions});
  return weights;
}

#define LAMINA_INSTANTIATE(T)                                                                 \
  template DataForm Trainer<T>::data_form() const;                                            \
  template bool Trainer<T>::wants_labels() const;                                             \
  template Target<T> Trainer<T>::gather_y(Lease&, Sweep&, const Window&, std::int64_t) const; \
  template const T* Trainer<T>::gather_weights(Lease&, Sweep&, const Window&, std::int64_t) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
