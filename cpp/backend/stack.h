// A stack of dense layers with its loss, its metrics and its optimizer: all that a backend needs to train it
// by itself, batch after batch, without coming back in between.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/rows.h"
#include "kernels/arguments.h"

namespace lamina {

// Values that are dropped with a probability, the others scaled by 1 / (1 - rate), as the verb dropout_mask
// draws them in each step.
struct Dropping {
  double rate = 0;
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;
};

// y = a(x wT + b)
template <class T>
struct StackLayer {
  std::int64_t inputs = 0, units = 0;
  std::int64_t w = 0, stride = 0;  // the weights' place in the flat block, and from row to row
  std::int64_t b = -1;             // likewise; -1: none
  Activation a = Activation::kLinear;
  Dropping dropping;  // of y; of the last layer's nothing is
};

// What is reported of a batch besides its loss, as a mean over its rows.
template <class T>
struct StackMetric {
  bool is_loss = false;
  bool weighted = false;  // by the rows' weights; their sum is reported too
  MetricForm<T> rows;
  LossForm<T> loss;
  bool at_logits = false;  // the loss is that of what goes into the last layer's activation
};

template <class T>
struct Stack {
  std::vector<StackLayer<T>> layers;
  Rescale<T> rescale;  // of x on its way in
  Dropping dropping;   // of what is then x
  LossForm<T> loss;
  bool at_logits = false;  // loss and gradient are those of what goes into the last layer's activation
  bool from_mean = true;   // the gradient is that of the mean over the batch's rows, not of their sum
  double loss_weight = 1;
  bool weighted = false;    // rows have weights, which multiply their losses
  bool by_weights = false;  // and the mean is that by weights: the sum is reported divided by theirs
  bool labels = false;      // targets are class numbers
  LabelRange range;
  std::vector<StackMetric<T>> metrics;
  // The rule, and where parameters and slots lie; its numbers come with each step.
  Update<T> update;
};

inline constexpr std::string_view kOnlyDevices = "only a device trains a stack by itself";

// Batches one after another; the last of a pass over the rows may be short.
template <class T>
struct StackBatches {
  const Rows* x = nullptr;
  const Rows* y = nullptr;
  const Rows* weights = nullptr;        // of the rows, if they have some
  const std::int64_t* order = nullptr;  // of the rows of the pass; null: as they lie
  std::int64_t first = 0;               // row of the pass
  std::int64_t batch_size = 0;
  std::int64_t steps = 0;
  std::uint64_t step = 0;              // the first one's number, for what is drawn
  const StepForm<T>* forms = nullptr;  // of each step
  // Of each step, from row to row of these: the sum of the losses; of each metric the sum, and that of the
  // weights where it is weighted.
  double* numbers = nullptr;
  std::int64_t width = 0;
};

template <class T>
struct StackRun {
  Stack<T> stack;
  StackBatches<T> batches;
};

}  // namespace lamina
