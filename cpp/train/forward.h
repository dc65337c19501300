// The layers of a network applied to a batch: forward, and with a gradient at the output back. All buffers
// are carved when it is made, for batches of up to `capacity` samples; running it allocates nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "base/memory.h"
#include "nn/restraints.h"

namespace lamina {

// Evaluation is inference that also counts the penalties on outputs.
enum class Mode { kInference, kEvaluation, kTraining };

template <class T>
class Forward {
 public:
  Forward(const Network<T>& network, std::int64_t capacity, Mode mode);

  std::int64_t capacity() const { return capacity_; }

  // Whether a softmax or sigmoid ends the network. In training a dropout that follows hides it.
  bool has_head() const { return head_; }

  // Its activation, where there is one.
  Activation head() const { return stages_.back().layer->head(); }

  // What is to be done to the input on its way in: a first layer that is not among the stages.
  const Rescale<T>& input_rescale() const { return input_rescale_; }
  // Whether the pass's samples may stand for x, which then has no values.
  bool reads_samples() const { return !stages_.empty() && stages_.front().layer->reads_samples(); }

  // The network's output for x.
  ConstMatrix<T> run(const Pass<T>& pass, ConstMatrix<T> x);
  // What goes into the head, which must exist; output_from_logits() is the rest of the way.
  ConstMatrix<T> run_to_logits(const Pass<T>& pass, ConstMatrix<T> x);
  ConstMatrix<T> output_from_logits(const Pass<T>& pass, ConstMatrix<T> logits) const;

  // After either: room for the gradient at the output, or at the head's logits.
  Matrix<T> output_gradient(std::int64_t rows) const;
  // From that gradient to all parameters' gradients, or their steps. at_logits: it is that at
  // run_to_logits()'s.
  void backward(const Pass<T>& pass, bool at_logits);

  // How many outputs have penalties: an evaluation's run and a training's backward leave them at the pass's
  // output_penalties. Their sum for a batch of so many samples.
  std::int64_t penalties() const { return penalties_; }
  double penalty_sum(const double* penalties, std::int64_t samples) const;
  void commit(const Pass<T>& pass);

 private:
  struct Stage {
    const Layer<T>* layer;
    Buffer<T> kept, workspace;
    T* output;            // in training kept for the way back; else one of two that the stages take in turn
    ConstMatrix<T> x, y;  // of the last run
    Penalty<T> penalty;   // on the output
    std::int64_t place = 0;  // among those that have one
    std::int64_t depth_below = 0;
  };

  Pass<T> at(const Pass<T>& pass, const Stage& stage) const;
  ConstMatrix<T> run_stages(const Pass<T>& pass, ConstMatrix<T> x, std::size_t end);
  // The penalty on a stage's output; its gradient is added to dy, if that is wanted.
  void penalise(const Pass<T>& pass, const Stage& stage, Matrix<T> dy) const;
  void penalise_head(const Pass<T>& pass, const Stage& stage, Matrix<T> dz) const;

  const Network<T>& network_;
  std::int64_t capacity_;
  Mode mode_;
  std::vector<Stage> stages_;  // the layers that do something in this mode
  Rescale<T> input_rescale_;
  bool head_ = false;  // the last stage is one
  std::size_t first_trainable_ = 0;
  Buffer<T> logits_, gradients_[2], turns_[2];
  Buffer<T> penalty_rows_, head_gradient_;  // where outputs have penalties
  std::int64_t penalties_ = 0;
};

}  // namespace lamina
