#include "train/forward.h"

#include <algorithm>
#include <utility>

namespace lamina {

template <class T>
Forward<T>::Forward(const Network<T>& network, std::int64_t capacity, Mode mode)
    : network_(network), capacity_(capacity) {
  network.require_built();
  const bool training = mode == Mode::kTraining;
  std::int64_t widest = network.inputs();
  bool trainable_seen = false;
  for (const auto& layer : network.layers()) {
    if (layer->identity(training)) continue;
    if (layer == network.layers().front() && layer->rescales() != nullptr) {
      input_rescale_ = *layer->rescales();
      continue;
    }
    Buffer<T> kept(training ? capacity * layer->outputs() : 0);
    stages_.push_back({layer.get(), std::move(kept), Buffer<T>(layer->workspace(capacity)), nullptr, {}, {}});
    widest = std::max(widest, layer->outputs());
    if (layer->learns() && !std::exchange(trainable_seen, true)) first_trainable_ = stages_.size() - 1;
  }
  if (!trainable_seen) first_trainable_ = stages_.size();
  if (!stages_.empty()) {
    const Activation last = stages_.back().layer->head();
    if (last == Activation::kSoftmax || last == Activation::kSigmoid) {
      head_ = true;
      logits_ = Buffer<T>(capacity * network.outputs());
    }
  }
  for (auto& buffer : training ? gradients_ : turns_) buffer = Buffer<T>(capacity * widest);
  for (std::size_t i = 0; i < stages_.size(); ++i)
    stages_[i].output = training ? stages_[i].kept.data() : turns_[i % 2].data();
}

template <class T>
ConstMatrix<T> Forward<T>::run_stages(const Pass<T>& pass, ConstMatrix<T> x, std::size_t end) {
  for (std::size_t i = 0; i < end; ++i) {
    Stage& stage = stages_[i];
    const Matrix<T> y(stage.output, x.rows, stage.layer->outputs());
    stage.layer->forward(pass, x, y, stage.workspace.data());
    stage.x = x;
    stage.y = y;
    x = y;
  }
  return x;
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
  return last.layer->logits(pass, last.x, {logits_.data(), x.rows, last.layer->outputs()});
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
    // A layer may hand on the gradient at the logits of the activation below it.
    Activation joined = Activation::kLinear;
    if (dx && stage.layer->joins_below() && stages_[i - 1].layer->head() != Activation::kSoftmax)
      joined = stages_[i - 1].layer->head();
    stage.layer->backward(pass, stage.x, stage.y, dy, at_logits, joined, dx, stage.workspace.data());
    at_logits = joined != Activation::kLinear;
    std::swap(here, below);
  }
}

template <class T>
void Forward<T>::commit(const Pass<T>& pass) {
  for (const Stage& stage : stages_) stage.layer->commit(pass, stage.workspace.data());
}

template class Forward<float>;
template class Forward<double>;

}  // namespace lamina
