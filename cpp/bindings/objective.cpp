#include "bindings/objective.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/arrays.h"
#include "bindings/released.h"

namespace lamina {
namespace {

template <class V>
void take(const py::dict& from, const char* name, V& value) {
  if (from.contains(name)) value = from[name].cast<V>();
}

void take_axes(const py::dict& from, RowAxes& axes) {
  take(from, "whole_batch", axes.whole);
  take(from, "axes_from", axes.from);
  take(from, "axes_width", axes.width);
  take(from, "axes_batch", axes.batch);
  take(from, "axes_counts", axes.counts);
}

LossSpec loss_spec(const py::object& given) {
  if (py::isinstance<py::str>(given)) return any_loss_named(given.cast<std::string>());
  const py::dict from = given.cast<py::dict>();
  LossSpec spec = any_loss_named(from["kind"].cast<std::string>());
  take(from, "from_logits", spec.from_logits);
  take(from, "label_smoothing", spec.label_smoothing);
  take_axes(from, spec.axes);
  take(from, "alphas", spec.alphas);
  take(from, "delta", spec.form.delta);
  take(from, "alpha", spec.form.alpha);
  take(from, "beta", spec.form.beta);
  take(from, "gamma", spec.form.gamma);
  take(from, "flag", spec.form.flag);
  spec.form.ignores = from.contains("ignored");
  take(from, "ignored", spec.form.ignored);
  require(spec.label_smoothing >= 0 && spec.label_smoothing <= 1,
          "label_smoothing: expected a number from 0 to 1, got ", spec.label_smoothing);
  return spec;
}

TallyForm tally_form(const py::dict& from) {
  TallyForm form;
  const auto kind = from["tally"].cast<std::string>();
  require(kind == "thresholds" || kind == "buckets" || kind == "classes" || kind == "moments",
          "metrics: tally: expected thresholds, buckets, classes or moments, got ", kind);
  form.kind = kind == "thresholds" ? TallyForm::Kind::kThresholds
              : kind == "buckets"  ? TallyForm::Kind::kBuckets
              : kind == "classes"  ? TallyForm::Kind::kClasses
                                   : TallyForm::Kind::kMoments;
  take(from, "thresholds", form.thresholds);
  take(from, "buckets", form.buckets);
  take(from, "first_takes_all", form.first_takes_all);
  take(from, "by_label", form.by_label);
  take(from, "sigmoid", form.sigmoid);
  take(from, "label_weights", form.label_weights);
  take(from, "top_k", form.top_k);
  take(from, "class_id", form.class_id);
  return form;
}

template <class V>
py::array copied(const V* data, std::int64_t rows, std::int64_t cols) {
  py::array_t<V> out({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(cols)});
  std::copy(data, data + rows * cols, out.mutable_data());
  return out;
}

// function(y_true, y_pred, weights, training, first), each array a copy of one row per sample.
template <class T>
py::object called(const py::object& function, const Seen<T>& seen) {
  const std::int64_t rows = seen.prediction.rows;
  const py::object weights =
      seen.weights != nullptr ? py::object(copied(seen.weights, rows, seen.positions)) : py::none();
  const py::array y = seen.target.labels != nullptr
                          ? copied(seen.target.labels, rows, seen.target_width)
                          : copied(seen.target.values.data, rows, seen.target_width);
  return function(y, copied(seen.prediction.data, rows, seen.prediction.cols), weights, seen.training,
                  seen.first);
}

template <class T>
double own_loss(const py::object& function, const Seen<T>& seen, Matrix<T> gradient) {
  throw_if_closing();
  const py::gil_scoped_acquire gil;
  const py::tuple found = called(function, seen).template cast<py::tuple>();
  if (gradient) {
    const auto given = found[1].template cast<py::array>();
    require_size(given, gradient.size(), "loss: gradient");
    const T* const values = elements<const T>(given, "loss: gradient");
    std::copy(values, values + gradient.size(), gradient.data);
  }
  return found[0].template cast<double>();
}

template <class T>
double own_metric(const py::object& function, const Seen<T>& seen) {
  throw_if_closing();
  const py::gil_scoped_acquire gil;
  return called(function, seen).template cast<double>();
}

template <class T>
MetricSpec metric_spec(const py::handle& given, Own<T>& own) {
  if (py::isinstance<py::str>(given)) return metric_named(given.cast<std::string>());
  const py::dict from = given.cast<py::dict>();
  MetricSpec spec;
  take(from, "weighted", spec.weighted);
  if (from.contains("own")) {
    const py::object function = from["own"];
    spec.way = MetricSpec::Way::kOwn;
    spec.own = own.metrics.size();
    own.metrics.push_back([function](const Seen<T>& seen) { return own_metric(function, seen); });
  } else if (from.contains("tally")) {
    spec.way = MetricSpec::Way::kTally;
    spec.tally = tally_form(from);
  } else if (from.contains("loss")) {
    spec.way = MetricSpec::Way::kLoss;
    spec.loss = loss_spec(from["loss"]);
    take_axes(from, spec.loss.axes);
  } else {
    spec.rows.kind = metric_named(from["kind"].cast<std::string>());
    take(from, "threshold", spec.rows.threshold);
    take(from, "k", spec.rows.k);
    take_axes(from, spec.axes);
  }
  return spec;
}

Reduction reduction_named(const std::string& name) {
  if (name == "sum_over_batch_size") return Reduction::kMean;
  if (name == "sum") return Reduction::kSum;
  if (name == "mean_with_sample_weight") return Reduction::kWeightedMean;
  if (name == "none") return Reduction::kNone;
  throw std::invalid_argument(
      text("reduction: expected sum_over_batch_size, sum, mean_with_sample_weight or none, got ", name));
}

}  // namespace

template <class T>
TrainingForm training_form(const py::object& loss, bool from_logits, double label_smoothing,
                           const std::string& reduction, const py::sequence& metrics, Own<T>& own) {
  TrainingForm form;
  form.reduction = reduction_named(reduction);
  if (py::isinstance<py::dict>(loss)) {
    const py::dict from = loss.cast<py::dict>();
    take(from, "loss_weight", form.loss_weight);
    take(from, "target_width", form.target_width);
    form.own_loss = from.contains("own");
    if (form.own_loss) {
      const py::object function = from["own"];
      own.loss = [function](const Seen<T>& seen, Matrix<T> gradient) {
        return own_loss(function, seen, gradient);
      };
    }
  }
  if (!form.own_loss) form.loss = loss_spec(loss);
  form.loss.from_logits = from_logits;
  require(label_smoothing >= 0 && label_smoothing <= 1,
          "label_smoothing: expected a number from 0 to 1, got ", label_smoothing);
  form.loss.label_smoothing = label_smoothing;
  if (form.loss.form.kind == LossKind::kCircle)
    form.loss.form.counted = form.reduction == Reduction::kMean           ? Counted::kPositive
                             : form.reduction == Reduction::kWeightedMean ? Counted::kWeighted
                                                                          : Counted::kAll;
  for (const py::handle metric : metrics) form.metrics.push_back(metric_spec(metric, own));
  return form;
}

template TrainingForm training_form(const py::object&, bool, double, const std::string&, const py::sequence&,
                                    Own<float>&);
template TrainingForm training_form(const py::object&, bool, double, const std::string&, const py::sequence&,
                                    Own<double>&);

}  // namespace lamina
