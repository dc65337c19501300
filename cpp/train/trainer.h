// Batches and epochs: gather, forward, loss, backward, one optimizer pass.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/optimizer.h"
#include "train/dataset.h"
#include "train/forward.h"

namespace lamina {

enum class Reduction { kMean, kSum };

struct TrainingForm {
  LossKind loss = LossKind::kMeanSquaredError;
  bool from_logits = false;
  double label_smoothing = 0;
  Reduction reduction = Reduction::kMean;
  std::vector<MetricKind> metrics;
  std::int64_t positions = 1;  // of a sample's output
  bool head_logits = true;     // the loss takes what goes into a final softmax or sigmoid
};

template <class T>
class Trainer {
 public:
  Trainer(Network<T>& network, Optimizer<T>& optimizer, const TrainingForm& form);

  DataForm data_form() const;

  // Sets the order of rows and clears the running means; returns the number of batches.
  std::int64_t begin_epoch(const Dataset& data, std::int64_t batch_size, bool shuffle, std::uint64_t seed,
                           std::uint64_t epoch);
  // Batches first..last-1 of the epoch; what the lease's interrupt throws leaves the model as after a whole
  // step.
  void train(Lease& lease, std::int64_t first, std::int64_t last);

  // Starts an evaluation, then one batch at a time.
  std::int64_t begin_evaluation(const Dataset& data, std::int64_t batch_size);
  void evaluate(Lease& lease, std::int64_t batch);

  // Loss and metrics so far, as means over the samples seen.
  std::vector<double> means() const;
  std::int64_t batches_done() const { return batches_done_; }

 private:
  // Everything a batch needs besides the layers' own buffers.
  struct Batch {
    Batch(const Trainer& trainer, std::int64_t capacity, Mode mode);
    Forward<T> forward;
    Buffer<T> x, values, weights, rows;
    Buffer<std::int64_t> labels;
    Buffer<double> label_row;
  };

  std::int64_t begin(const Dataset& data, std::int64_t batch_size, std::optional<Batch>& batch, Mode mode);
  ConstMatrix<T> gather_x(Lease& lease, Batch& batch, std::int64_t first, std::int64_t count) const;
  Target<T> gather_y(Lease& lease, Batch& batch, std::int64_t first, std::int64_t count) const;
  const T* gather_weights(Lease& lease, Batch& batch, std::int64_t first, std::int64_t count) const;
  const std::int64_t* order_from(std::int64_t first) const;
  // Forward, loss and metrics of one batch; with gradients if the pass trains.
  void run(const Pass<T>& pass, Batch& batch, std::int64_t index);
  void add(std::int64_t samples, double loss);

  Network<T>& network_;
  Optimizer<T>& optimizer_;
  TrainingForm form_;
  std::int64_t features_;
  Buffer<T> gradients_;
  std::optional<Batch> training_, evaluation_;
  const Dataset* data_ = nullptr;
  std::int64_t batch_size_ = 0;
  Buffer<std::int64_t> order_;
  bool shuffled_ = false;
  std::vector<double> metric_sums_, batch_metrics_;
  double loss_sum_ = 0;
  std::int64_t samples_ = 0, batches_done_ = 0;
};

}  // namespace lamina
