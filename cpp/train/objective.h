// What a network is trained for, and what is measured on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "backend/tally.h"
#include "base/memory.h"
#include "kernels/arguments.h"

namespace lamina {

// How the values of the rows, each times its weight, become the loss of a batch: a sum over their number; a
// sum; a sum over the sum of the weights; or none, whose gradient is that of the sum and whose report is the
// mean.
enum class Reduction { kMean, kSum, kWeightedMean, kNone };

// What a loss or metric takes together, where that is not the last axis of the output: a row of what stands
// along other axes. Rows stand in the order of the axes that are left.
struct RowAxes {
  std::vector<std::int64_t> from;  // the sample's rows one after another: value j is its value from[j]
  std::int64_t width = 0;          // of a row, in one sample; 0: there are no other axes
  bool batch = false;              // a row goes on through the samples of the batch
  std::int64_t counts = 1;         // then: what a batch counts in a mean, the size of the first axis left
  bool whole = false;              // all values of a batch are one row; the rest is not given then

  explicit operator bool() const { return width > 0; }
  // Rows of a sample; of a batch where they go through its samples.
  std::int64_t rows() const { return static_cast<std::int64_t>(from.size()) / width; }
};

struct LossSpec {
  LossForm<double> form;  // its parameters; how the targets are smoothed is in label_smoothing
  bool from_logits = false;
  double label_smoothing = 0;
  RowAxes axes;
  std::vector<double> alphas;  // the categorical focal's, one for each class; empty: form.alpha for all

  LossSpec() = default;
  LossSpec(LossKind kind) { form.kind = kind; }  // NOLINT: a kind is a loss with default parameters

  // Whether batches computed together would give another value.
  bool depends_on_batch() const {
    return axes.whole || axes.batch || form.ignores || form.kind == LossKind::kCircle || maps_bits();
  }
  // Targets that are all 0 or 1 in a batch stand for -1 and 1.
  bool maps_bits() const { return form.kind == LossKind::kHinge || form.kind == LossKind::kSquaredHinge; }
  // Whether it is a mean over a row of what each output has on its own.
  bool by_output() const {
    return form.kind == LossKind::kBinaryCrossentropy || form.kind == LossKind::kBinaryFocal;
  }
  // Whether all values of a batch are one row: not for a cross-entropy of logits, to which TensorFlow's "all
  // axes" is the last one.
  bool takes_all(bool at_logits) const {
    return axes.whole && !(form.kind == LossKind::kCategoricalCrossentropy && (at_logits || from_logits));
  }
  // Whether it takes what goes into a final softmax or sigmoid, as Keras on TensorFlow has it.
  bool takes_logits() const {
    return takes_head_logits(form.kind) && !form.ignores &&
           !(form.kind == LossKind::kBinaryFocal && from_logits);
  }
};

// What the kernels are told: logits, whether they are seen; head, the activation that follows them.
template <class T>
LossForm<T> loss_form(const LossSpec& spec, bool logits, Activation head, ConstMatrix<T> targets,
                      std::int64_t features);

struct MetricSpec {
  enum class Way {
    kRows,   // a mean over rows: the verb `metric`
    kLoss,   // the mean of a loss
    kTally,  // the verb `tally`
    kOwn,    // one of the caller's own functions, by number
  };
  Way way = Way::kRows;
  MetricForm<double> rows;
  LossSpec loss;
  RowAxes axes;  // of kRows; a loss has its own
  TallyForm tally;
  std::size_t own = 0;
  bool weighted = false;  // by the samples' weights

  MetricSpec() = default;
  MetricSpec(MetricKind kind) { rows.kind = kind; }  // NOLINT: likewise

  bool wants_labels() const {
    return way == Way::kRows ? takes_labels(rows.kind) : way == Way::kLoss && takes_labels(loss.form.kind);
  }
  bool wants_values() const { return way != Way::kOwn && !wants_labels(); }
  bool is_mean() const { return way == Way::kRows || way == Way::kLoss; }
  const RowAxes& row_axes() const { return way == Way::kLoss ? loss.axes : axes; }
  bool takes_all(bool at_logits) const { return way == Way::kLoss ? loss.takes_all(at_logits) : axes.whole; }
  // Whether it sees a row's values together; what each output has on its own has the same mean in any rows.
  bool by_rows() const { return way != Way::kLoss || !loss.by_output(); }
  // Whether a row goes through a batch, which then is what is counted.
  bool through_batch() const { return row_axes().batch || row_axes().whole; }
  // Whether batches computed together would give another value.
  bool depends_on_batch() const {
    return way == Way::kOwn || through_batch() || (way == Way::kLoss && loss.depends_on_batch());
  }
  // Of what is reported: a mean, with its weight if that is not the number of samples; a tally's state; a
  // number of the caller's.
  bool tells_weight() const { return is_mean() && (weighted || through_batch()); }
  std::int64_t width(std::int64_t features) const {
    return way == Way::kTally ? tally.size(features) : tells_weight() ? 2 : 1;
  }
};

// A batch as the caller's own functions see it: one row per sample.
template <class T>
struct Seen {
  ConstMatrix<T> prediction;
  Target<T> target;
  std::int64_t target_width;  // per sample
  const T* weights;           // one per position, or null
  std::int64_t positions;
  bool training;
  bool first;  // batch of an epoch or an evaluation
};

// The caller's own functions. A loss returns its value for the batch and writes its gradient, unless that is
// null; a metric returns a number that is handed back with the epoch's results.
template <class T>
struct Own {
  std::function<double(const Seen<T>&, Matrix<T> gradient)> loss;
  std::vector<std::function<double(const Seen<T>&)>> metrics;
};

struct TrainingForm {
  LossSpec loss;
  Reduction reduction = Reduction::kMean;
  double loss_weight = 1;
  bool own_loss = false;
  std::int64_t target_width = 0;  // of an own loss's targets, per sample; 0: as many as outputs
  std::vector<MetricSpec> metrics;
  std::int64_t positions = 1;  // of a sample's output
  bool head_logits = true;     // the loss takes what goes into a final softmax or sigmoid

  // Whether several batches may be evaluated at once: a mean over rows does not depend on how they are cut.
  bool means_only() const;
};

}  // namespace lamina
