// Training by the backend itself: which networks, losses and optimizers it may be told of as a stack, and the
// batches that it takes at once.
#include <algorithm>

#include "base/error.h"
#include "train/trainer.h"

namespace lamina {
namespace {

// The caller looks up every so often; batches that take less are taken together.
constexpr std::chrono::milliseconds kLookUp(20);

}  // namespace

template <class T>
std::string Trainer<T>::stack_up(Stack<T>& stack) const {
  const Forward<T>& forward = epoch_.batch->forward;
  if (form_.positions != 1) return "its output has several positions";
  if (!optimizer_.at_once()) return "the optimizer's step waits for all gradients";
  if (restraints_.any()) return "weights have penalties or constraints";
  if (forward.penalties() > 0) return "outputs have penalties";
  const LossSpec& loss = form_.loss;
  if (form_.own_loss || loss.depends_on_batch() || loss.axes || !loss.alphas.empty())
    return "the loss is not one of single rows";

  const auto& layers = network_.layers();
  for (const auto& layer : layers) {
    if (layer == layers.front() && layer->rescales() != nullptr) continue;
    if (layer->identity(true) || layer->penalises() != nullptr) continue;
    Dropping& dropped = stack.layers.empty() ? stack.dropping : stack.layers.back().dropping;
    if (const Activation* a = layer->activates(); a != nullptr && !stack.layers.empty() &&
                                                  dropped.rate == 0 &&
                                                  stack.layers.back().a == Activation::kLinear) {
      stack.layers.back().a = *a;
      continue;
    }
    if (const Dropping* dropping = layer->drops(); dropping != nullptr && dropped.rate == 0) {
      dropped = *dropping;
      continue;
    }
    if (layer->dense() == nullptr) return "a layer is not dense";
    if (!layer->learns()) return "a layer is frozen";
    if (!stack.layers.empty() && stack.layers.back().a == Activation::kSoftmax)
      return "a softmax is not the last activation";
    const auto& parameters = layer->parameters();
    const std::int64_t b = parameters.size() > 1 ? parameters[1].offset : -1;
    stack.layers.push_back({layer->inputs(),
                            layer->outputs(),
                            parameters[0].offset,
                            parameters[0].stride,
                            b,
                            *layer->dense(),
                            {}});
  }
  if (stack.layers.empty()) return "no layer is dense";
  if (stack.layers.back().dropping.rate != 0) return "its output is dropped";

  const Activation head = stack.layers.back().a;
  const bool at_head = form_.head_logits && forward.has_head();
  const auto form_of = [&](const LossSpec& spec, bool at_logits) {
    return loss_form<T>(spec, at_logits, at_logits ? head : Activation::kLinear, {}, features_);
  };
  stack.rescale = forward.input_rescale();
  stack.at_logits = at_head && loss.takes_logits();
  stack.loss = form_of(loss, stack.at_logits);
  stack.from_mean = form_.reduction == Reduction::kMean || form_.reduction == Reduction::kWeightedMean;
  stack.loss_weight = form_.loss_weight;
  stack.weighted = epoch_.data->weight.has_value();
  stack.by_weights = stack.weighted && form_.reduction == Reduction::kWeightedMean;
  stack.labels = data_form().labels;
  stack.range = {false, features_, false, 0};
  for (const MetricSpec& metric : form_.metrics) {
    if (metric.way == MetricSpec::Way::kOwn) return "a metric is the caller's own";
    if (!metric.is_mean() || metric.row_axes() || metric.depends_on_batch())
      return "a metric is no mean of single rows";
    StackMetric<T> measured;
    measured.is_loss = metric.way == MetricSpec::Way::kLoss;
    measured.weighted = stack.weighted && metric.weighted;
    if (measured.is_loss) {
      const LossSpec& spec = metric.loss;
      measured.at_logits = at_head && spec.takes_logits();
      measured.loss = form_of(spec, measured.at_logits);
    } else {
      measured.rows = {metric.rows.kind, static_cast<T>(metric.rows.threshold), metric.rows.k};
    }
    stack.metrics.push_back(measured);
  }
  stack.update = optimizer_.update(gradients_.data(), network_.parameters());
  return "";
}

template <class T>
void Trainer<T>::ask_for_stack(Lease& lease) {
  if (!network_.backend().on_device()) {  // said without an allocation: this comes with every epoch
    verbs_because_ = kOnlyDevices;
    return;
  }
  stack_ = {};
  verbs_because_ = stack_up(stack_.stack);
  if (!verbs_because_.empty()) return;
  if (epoch_.resident.streams()) {
    verbs_because_ = "the data have no room on the device";
    return;
  }
  const Dataset& data = epoch_.resident.data();
  const std::int64_t* const order = epoch_.shuffled ? epoch_.order.data() : nullptr;
  const std::int64_t batch_size = std::min(epoch_.batch_size, data.size());
  stack_.batches = {};
  stack_.batches.x = &data.x;
  stack_.batches.y = &*data.y;
  stack_.batches.weights = stack_.stack.weighted ? &*data.weight : nullptr;
  stack_.batches.order = order;
  stack_.batches.batch_size = batch_size;
  verbs_because_ = network_.backend().train_stacks(lease, {&stack_});
}

template <class T>
void Trainer<T>::prepare_stack(std::int64_t first, std::int64_t last) {
  stack_begin_ = Clock::now();
  const auto room = static_cast<std::int64_t>(epoch_.notes.size() - epoch_.noted);
  const std::int64_t wanted = std::min({last - first, room, steps_at_once_});
  if (forms_.size() < wanted) forms_ = Buffer<StepForm<T>>(wanted, network_.backend().memory());
  const std::int64_t size = epoch_.data->size(), steps = optimizer_.coming(wanted, forms_.data());
  StackBatches<T>& batches = stack_.batches;
  batches.first = first * epoch_.batch_size;
  require(first >= 0 && batches.first + (steps - 1) * epoch_.batch_size < size,
          "batch: expected a number below the epoch's batches, got ", first + steps - 1);
  batches.steps = steps;
  batches.step = static_cast<std::uint64_t>(optimizer_.iterations()) + idle_steps_;
  batches.forms = forms_.data();
  batches.numbers = epoch_.row(epoch_.noted);
  batches.width = epoch_.width();
}

template <class T>
std::int64_t Trainer<T>::count_stack() {
  const std::int64_t steps = stack_.batches.steps, size = epoch_.data->size();
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t from = stack_.batches.first + k * epoch_.batch_size;
    const std::int64_t count = std::min(epoch_.batch_size, size - from);
    const bool divides = stack_.stack.from_mean && !stack_.stack.by_weights;
    const double scale = divides ? form_.loss_weight / static_cast<double>(count) : form_.loss_weight;
    epoch_.notes[epoch_.noted++] = {scale, 1, count, count, stack_.stack.weighted, true, false};
    epoch_.samples += count;
    epoch_.end = from + count;
    optimizer_.count_step();
  }
  epoch_.batches_done += steps;
  settle(epoch_);
  const auto took = Clock::now() - stack_begin_;
  if (took * 2 < kLookUp && steps == steps_at_once_) steps_at_once_ *= 2;
  if (took > kLookUp * 2) steps_at_once_ = std::max<std::int64_t>(steps_at_once_ / 2, 1);
  return steps;
}

template <class T>
std::int64_t Trainer<T>::train_stack(Lease& lease, std::int64_t first, std::int64_t last) {
  if (!verbs_because_.empty() || first >= last) return 0;
  prepare_stack(first, last);
  const Lease::Whole whole(lease);
  verbs_because_ = network_.backend().train_stacks(lease, {&stack_});
  if (!verbs_because_.empty()) return 0;
  network_.backend().finish();
  return count_stack();
}

template <class T>
const StackRun<T>* Trainer<T>::next_stack(Lease& lease, std::int64_t first, std::int64_t last) {
  require(layout_ == network_.layout() && first < last, "a stack: nothing is to be trained");
  ask_for_stack(lease);
  if (!verbs_because_.empty()) return nullptr;
  prepare_stack(first, last);
  return &stack_;
}

#define LAMINA_INSTANTIATE(T)                                                             \
  template void Trainer<T>::ask_for_stack(Lease&);                                        \
  template std::string Trainer<T>::stack_up(Stack<T>&) const;                             \
  template void Trainer<T>::prepare_stack(std::int64_t, std::int64_t);                    \
  template std::int64_t Trainer<T>::count_stack();                                        \
  template const StackRun<T>* Trainer<T>::next_stack(Lease&, std::int64_t, std::int64_t); \
  template std::int64_t Trainer<T>::train_stack(Lease&, std::int64_t, std::int64_t);
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
