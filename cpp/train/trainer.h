// Batches and epochs: rows in, forward, loss, backward with the optimizer's step.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/optimizer.h"
#include "train/dataset.h"
#include "train/intake.h"
#include "train/objective.h"
#include "train/pace.h"
#include "train/resident.h"
#include "train/thread_choice.h"
#include "train/turning.h"

namespace lamina {

// How far a sweep over the data has come: batches done, and the loss, as its mean over the samples seen, with
// what the metrics report (MetricSpec::width).
struct Standing {
  std::int64_t batches_done = 0;
  std::vector<double> means;
};

// What an epoch permutes: nothing, all its rows, or the rows within each batch.
enum class Shuffle { kNone, kRows, kWithinBatches };

template <class T>
class Trainer {
 public:
  Trainer(Network<T>& network, Optimizer<T>& optimizer, const TrainingForm& form, Own<T> own = {});

  DataForm data_form() const;
  const Backend<T>& backend() const { return network_.backend(); }

  // Sets the order of rows and clears the epoch's means, unless it goes on with other data; returns the
  // number of batches.
  std::int64_t begin_epoch(Lease& lease, const Dataset& data, std::int64_t batch_size, Shuffle shuffle,
                           std::uint64_t seed, std::uint64_t epoch, bool goes_on = false);
  // The means begin anew, the order of the rows stays.
  void clear_epoch_means() { clear(epoch_); }
  // Batches first..last-1 of the epoch; what the lease's interrupt throws leaves the model as after a whole
  // step.
  void train(Lease& lease, std::int64_t first, std::int64_t last);

  // Whether every sample of the epoch had its turn.
  bool epoch_over() const;
  // Forgets the epoch's data; its means stay.
  void end_epoch();
  // Until let_data_go(), a device keeps its copies of data sets that may come again. looks: whether they may
  // have changed from one begin of an epoch or evaluation to the next.
  void keep_data(bool looks) {
    keeps_data_ = true;
    looks_ = looks;
  }
  void let_data_go();
  bool keeps_data() const { return keeps_data_; }

  // The whole of a data set; an epoch that is under way is not touched. Where the loss is a mean, the size of
  // the batches changes nothing but rounding, and small ones are taken several at once. goes_on: the data are
  // more of the last evaluation's.
  void evaluate(Lease& lease, const Dataset& data, std::int64_t batch_size, bool goes_on = false);

  Standing epoch_standing() { return standing(epoch_); }
  Standing evaluation_standing() { return standing(evaluation_); }
  // The same, loss and metrics: values() of them.
  std::int64_t values() const;
  void write_epoch_means(double* out) { write_means(epoch_, out); }
  void write_evaluation_means(double* out) { write_means(evaluation_, out); }

  std::int64_t trainable_size() const { return network_.trainable_size(); }

  // The next batches of first..last-1 as a backend may be told to train them with those of others, at once;
  // null where it does not train by itself: train() is the way then. What was trained is to be counted once
  // the backend is through; returns how many batches.
  const StackRun<T>* next_stack(Lease& lease, std::int64_t first, std::int64_t last);
  std::int64_t count_stack();

  // Why the last training went verb by verb; empty where the backend trained by itself.
  const std::string& verbs_because() const { return verbs_because_; }

 private:
  // Everything a batch needs besides the layers' own buffers.
  struct Batch {
    Batch(const Trainer& trainer, std::int64_t capacity, Mode mode);
    Forward<T> forward;
    Intake<T> intake;
    Buffer<T> values, weights, each_weight, rows;
    Buffer<T> weighed;                 // targets times the alphas of their classes
    Buffer<T> turned[3], row_weights;  // along other axes: prediction, targets, the loss's gradient
    Buffer<std::int64_t> labels;
  };

  // What the host knows of a batch whose numbers it has not read yet.
  struct Noted {
    double scale, weight;      // of the sum of its losses
    std::int64_t rows, count;  // positions and samples
    bool weighted, trains;
    bool logits;  // were seen
  };

  // One way through a data set: its order, its buffers and its sums so far.
  struct Sweep {
    const Dataset* data = nullptr;
    std::int64_t batch_size = 0;
    std::int64_t batches_at_once = 1;  // of the caller's, in one of batch_size
    Buffer<std::int64_t> order;
    bool shuffled = false;
    std::optional<Batch> batch;
    Resident resident;  // the data, where verbs can read them
    // The numbers of the batches that are noted, a row of width() each: the loss, of each metric a sum and
    // that of the weights, then penalties.
    Buffer<double> numbers;
    std::vector<Noted> notes;  // room for them
    std::size_t noted = 0;
    Pace<> pace;
    ThreadChoice threads;
    std::vector<Buffer<double>> metrics;  // of each: sum and weight; or a tally's state
    double loss_sum = 0;
    double penalties = 0;  // on the weights, in an evaluation
    std::int64_t samples = 0, batches_done = 0;
    std::int64_t end = 0;  // of the last batch, as a row of the data

    std::int64_t width() const { return numbers.size() / static_cast<std::int64_t>(notes.size()); }
    double* row(std::size_t k) const { return numbers.data() + static_cast<std::int64_t>(k) * width(); }
  };

  // Returns the number of batches.
  std::int64_t begin(Lease& lease, Sweep& sweep, const Dataset& data, std::int64_t batch_size, Mode mode,
                     bool goes_on);
  void clear(Sweep& sweep) const;
  void make_room(Sweep& sweep) const;
  // Tells the pass where the penalties of the batch go that is noted next.
  void direct_penalties(Pass<T>& pass, const Sweep& sweep) const;
  // Reads the numbers of what is noted.
  void settle(Sweep& sweep) const;
  Target<T> gather_y(Lease& lease, Sweep& sweep, const Window& rows, std::int64_t count) const;
  const T* gather_weights(Lease& lease, Sweep& sweep, const Window& rows, std::int64_t count) const;
  // What of the targets a loss or metric of class numbers, or of values, takes.
  Target<T> of_kind(const Target<T>& target, bool labels) const {
    return labels ? Target<T>{target.labels, {}} : Target<T>{nullptr, target.values};
  }
  // The value of the batch goes to *sum, to be read as the note says; and the gradient where it is wanted,
  // from logits or output.
  void loss(Pass<T> pass, Sweep& sweep, ConstMatrix<T> prediction, bool at_logits, const Target<T>& target,
            const T* weights, Matrix<T> gradient, Noted& note, double* sum) const;
  // Whatever goes along other axes than the last.
  template <class Visit>
  void each_turning(const Visit& visit) const {
    if (turning_) visit(turning_);
    for (const Turning<T>& each : metric_turnings_)
      if (each) visit(each);
  }
  // The loss's value, and its gradient, of rows as the loss takes them: along other axes than the last too.
  void rows_loss(Pass<T> pass, Batch& batch, const LossForm<T>& form, ConstMatrix<T> prediction,
                 const Target<T>& target, const T* weights, T scale, Matrix<T> gradient, double* sum) const;
  void measure(Pass<T> pass, Sweep& sweep, ConstMatrix<T> logits, ConstMatrix<T> output,
               const Target<T>& target, const T* weights, double* sums) const;
  Seen<T> seen(Pass<T> pass, const Sweep& sweep, ConstMatrix<T> output, const Target<T>& target,
               const T* weights) const;
  bool wants_labels() const;
  // Forward, loss and metrics of one batch; with a step of the optimizer if the pass trains.
  void run(Pass<T> pass, Sweep& sweep, std::int64_t index);
  // The same, by as many threads as have been the quickest. Returns how long a whole batch took, else none.
  std::optional<ThreadChoice::Duration> run_timed(Pass<T> pass, Sweep& sweep, std::int64_t index);
  // After it: reads numbers where there is no room for more, looks up for the caller, waits for a device.
  void follow(Lease& lease, Sweep& sweep);
  // The way back and the optimizer's step.
  void step(Pass<T> pass, Forward<T>& forward, bool at_logits);
  // Whether the backend is to train by itself, and what it then is told; see stack.cpp.
  void ask_for_stack(Lease& lease);
  std::string stack_up(Stack<T>& stack) const;
  // The next of batches first..last-1, made ready; and let train, which returns how many, 0 where it does
  // not.
  void prepare_stack(std::int64_t first, std::int64_t last);
  std::int64_t train_stack(Lease& lease, std::int64_t first, std::int64_t last);
  Standing standing(Sweep& sweep) const;
  void write_means(Sweep& sweep, double* out) const;

  using Clock = std::chrono::steady_clock;

  Network<T>& network_;
  Optimizer<T>& optimizer_;
  TrainingForm form_;
  Own<T> own_;
  std::int64_t features_;
  bool measures_logits_ = false;  // a metric takes what goes into the head
  Turning<T> turning_;            // the loss's
  std::vector<Turning<T>> metric_turnings_;
  Buffer<T> gradients_;
  Buffer<std::int64_t> first_of_each_;  // a zero for each position: where a sample's weight is
  Restraints<T> restraints_;
  Sweep epoch_, evaluation_;
  bool keeps_data_ = false, looks_ = false;
  std::uint64_t layout_ = 0;      // of the network's parameters, to which the gradients belong
  std::uint64_t idle_steps_ = 0;  // those that no parameter took
  ThreadChoice::Duration step_time_ = Clock::duration::max();  // of the last step on a whole batch
  std::string verbs_because_ = "nothing was trained yet";
  StackRun<T> stack_;
  Buffer<StepForm<T>> forms_;
  std::int64_t steps_at_once_ = 64;  // of a stack, until the caller looks up
  Clock::time_point stack_begin_;
};

}  // namespace lamina
