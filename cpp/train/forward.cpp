#include "train/forward.h"

#include <algorithm>
#include <utility>

namespace lamina {

template <class T>
Forward<T>::Forward(const Network<T>& network, std::int64_t capacity, Mode mode)
    : network_(network), capacity_(capacity), mode_(mode) {
  network.require_built();
  const bool training = mode == Mode::kTraining;
  Memory& memory = network.backend().memory();
  std::int64_t widest = network.inputs();
  std::int64_t depth = 0;
  bool trainable_seen = false, penalised = false;
  for (const auto& layer : network.layers()) {
    const Penalty<T>* const added = mode == Mode::kInference ? nullptr : layer->penalises();
    const Penalty<T> penalty = added != nullptr ? *added : Penalty<T>{};
    penalised = penalised || penalty;
    if (added != nullptr && !stages_.empty()) {
      stages_.back().penalty.l1 += penalty.l1;
      stages_.back().penalty.l2 += penalty.l2;
      continue;
    }
    if (!penalty && layer->identity(training)) continue;
    if (layer == network.layers().front() && layer->rescales() != nullptr) {
      input_rescale_ = *layer->rescales();
      continue;
    }
    Buffer<T> kept(training ? capacity * layer->outputs() : 0, memory);
    stages_.push_back({layer.get(),
                       std::move(kept),
                       Buffer<T>(layer->workspace(capacity), memory),
                       nullptr,
                       {},
                       {},
                       penalty,
                       0,
                       depth});
    if (layer->depth() != 0) depth = layer->depth();
    widest = std::max(widest, layer->outputs());
    if (layer->learns() && !std::exchange(trainable_seen, true)) first_trainable_ = stages_.size() - 1;
  }
  if (!trainable_seen) first_trainable_ = stages_.size();
  if (!stages_.empty()) {
    const Activation last = stages_.back().layer->head();
    if (last == Activation::kSoftmax || last == Activation::kSigmoid) {
      head_ = true;
      logits_ = Buffer<T>(capacity * network.outputs(), memory);
    }
  }
  if (penalised) penalty_rows_ = Buffer<T>(capacity, memory);
  if (training && head_ && stages_.back().penalty)
    head_gradient_ = Buffer<T>(capacity * network.outputs(), memory);
  for (auto& buffer : training ? gradients_ : turns_) buffer = Buffer<T>(capacity * widest, memory);
  for (Stage& stage : stages_)
    if (stage.penalty) stage.place = penalties_++;
  for (std::size_t i = 0; i < stages_.size(); ++i)
    stages_[i].output = training ? stages_[i].kept.data() : turns_[i % 2].data();
}

// The pass as it is at a stage.
template <class T>
Pass<T> Forward<T>::at(const Pass<T>& pass, const Stage& stage) const {
  Pass<T> here = pass;
  here.depth_below = stage.depth_below;
  return here;
}

template <class T>
ConstMatrix<T> Forward<T>::run_stages(const Pass<T>& pass, ConstMatrix<T> x, std::size_t end) {
  for (std::size_t i = 0; i < end; ++i) {
    Stage& stage = stages_[i];
    const Matrix<T> y(stage.output, x.rows, stage.layer->outputs());
    stage.layer->forward(at(pass, stage), x, y, stage.workspace.data());
    stage.x = x;
    stage.y = y;
    if (mode_ == Mode::kEvaluation) penalise(pass, stage, {});
    x = y;
  }
  return x;
}

template <class T>
void Forward<T>::penalise(const Pass<T>& pass, const Stage& stage, Matrix<T> dy) const {
  if (!stage.penalty) return;
  const double samples = static_cast<double>(stage.y.rows);
  pass.backend.penalty(pass.lease, stage.penalty, stage.y, static_cast<T>(1 / samples), penalty_rows_.data(),
                       dy, pass.output_penalties + stage.place);
}

// In the order in which they were made, which is that of the way back in training.
template <class T>
double Forward<T>::penalty_sum(const double* penalties, std::int64_t samples) const {
  double sum = 0;
  for (std::int64_t k = 0; k < penalties_; ++k)
    sum += penalties[mode_ == Mode::kTraining ? penalties_ - 1 - k : k] / static_cast<double>(samples);
  return sum;
}

// The same where dz is the gradient at the logits of the stage's activation.
template <class T>
void Forward<T>::penalise_head(const Pass<T>& pass, const Stage& stage, Matrix<T> dz) const {
  if (!stage.penalty) return;
  const std::int64_t features = stage.layer->features();
  const Matrix<T> dy(head_gradient_.data(), dz.rows, dz.cols);
  pass.backend.blend(pass.lease, Blend::kSet, T(0), T(0), nullptr, dy.data, dy.size());
  penalise(pass, stage, dy);
  pass.backend.activation_gradient(pass.lease, stage.layer->head(), stage.y.reshaped(features),
                                   dy.reshaped(features), dy.reshaped(features));
  pass.backend.blend(pass.lease, Blend::kAdd, T(0), T(0), dy.data, dz.data, dz.size());
}

template <class T>
ConstMatrix<T> Forward<T>::run(const Pass<T>& pass, ConstMatrix<T> x) {
  return run_stages(pass, x, stages_.size());
}

template <class T>
ConstMatrix<T> Forward<T>::run_to_logits(const Pass<T>& pass, ConstMatrix<T> x) {
  Stage& last = stages_.back();
  last.x = run_stages(pass, x, stages_.size() - 1);
  last.y = Matrix<T>(last.output, x.rows, last.layer->outputs());
  const ConstMatrix<T> logits =
      last.layer->logits(at(pass, last), last.x, {logits_.data(), x.rows, last.layer->outputs()});
  if (last.penalty) {  // it is on what comes out of the head, which the loss does not look at
    output_from_logits(pass, logits);
    if (mode_ == Mode::kEvaluation) penalise(pass, last, {});
  }
  return logits;
}

template <class T>
ConstMatrix<T> Forward<T>::output_from_logits(const Pass<T>& pass, ConstMatrix<T> logits) const {
  const Stage& last = stages_.back();
  const Matrix<T> y(last.output, logits.rows, logits.cols);
  last.layer->output_from_logits(pass, logits, y);
  return y;
}

template <class T>
Matrix<T> Forward<T>::output_gradient(std::int64_t rows) const {
  return {gradients_[0].data(), rows, network_.outputs()};
}

template <class T>
void Forward<T>::backward(const Pass<T>& pass, bool at_logits) {
  T* here = gradients_[0].data();
  T* below = gradients_[1].data();
  for (std::size_t i = stages_.size(); i-- > first_trainable_;) {
    const Stage& stage = stages_[i];
    const std::int64_t rows = stage.x.rows;
    const Matrix<T> dy(here, rows, stage.layer->outputs());
    const Matrix<T> dx = i > first_trainable_ ? Matrix<T>(below, rows, stage.layer->inputs()) : Matrix<T>();
    if (at_logits)
      penalise_head(pass, stage, dy);
    else
      penalise(pass, stage, dy);
    // A layer may hand on the gradient at the logits of the activation below it.
    const Activation joined =
        dx && !stages_[i - 1].penalty ? stage.layer->joins(*stages_[i - 1].layer) : Activation::kLinear;
    Pass<T> own = at(pass, stage);
    const bool waits = pass.restraints != nullptr && pass.restraints->concern(*stage.layer);
    if (waits) own.update = nullptr;
    stage.layer->backward(own, stage.x, stage.y, dy, at_logits, joined, dx, stage.workspace.data());
    if (waits) pass.restraints->step(pass, *stage.layer, *pass.update);
    at_logits = joined != Activation::kLinear;
    std::swap(here, below);
  }
  for (std::size_t i = std::min(first_trainable_, stages_.size()); i-- > 0;) penalise(pass, stages_[i], {});
}

template <class T>
void Forward<T>::commit(const Pass<T>& pass) {
  for (const Stage& stage : stages_) stage.layer->commit(pass, stage.workspace.data());
}

template class Forward<float>;
template class Forward<double>;

}  // namespace lamina
