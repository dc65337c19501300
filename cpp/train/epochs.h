// A run of many epochs without coming back to the caller: train, validate where it is due, note the means.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "train/trainer.h"

namespace lamina {

struct EpochsForm {
  std::int64_t first = 0, last = 0;  // epochs first..last-1, as the caller counts them
  std::int64_t batch_size = 0;
  Shuffle shuffle = Shuffle::kNone;
  std::uint64_t seed = 0;
  std::uint64_t trained_before = 0;  // passes of all earlier runs: no order of rows comes twice
  std::int64_t validation_batch_size = 0;
  std::int64_t validation_freq = 1;  // after every so many epochs, counted from 1; or, where it is 0,
  std::vector<std::int64_t> validation_epochs;  // after these, counted from 1 and in ascending order
  // Batches of an epoch, the next of which goes on behind them; 0: a pass over all rows. An epoch ends with
  // the pass in any case.
  std::int64_t steps = 0;
};

// One thread runs it; any thread may stop it and take the rows of the epochs that are done.
class Epochs {
 public:
  explicit Epochs(EpochsForm form);
  virtual ~Epochs() = default;
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  // To the last epoch. What the lease's interrupt throws ends it, the model as after a whole step; the rows
  // of the epochs that were over by then stay.
  virtual void run(Lease& lease) = 0;
  // Ends it after the epoch that is under way or comes first, its validation included.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  // How many passes over the rows were begun, and how many epochs are done.
  std::int64_t passes() const { return passes_.load(std::memory_order_relaxed); }
  std::int64_t done() const { return done_.load(std::memory_order_relaxed); }
  // Values of a row: loss and metrics, then those of the validation, 0 where none was due.
  virtual std::int64_t width() const = 0;
  // The rows of the epochs done since it was last asked, one after another.
  std::vector<double> take();
  // Parameters that a step trains: of the time that an epoch takes, relative to others on the same data.
  virtual std::int64_t weight() const = 0;

 protected:
  bool validation_due(std::int64_t epoch) const;

  EpochsForm form_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::int64_t> passes_{0}, done_{0};
  std::mutex mutex_;
  std::vector<double> rows_;
};

// What it is given it views. validation may be null.
template <class T>
class TrainerEpochs final : public Epochs {
 public:
  TrainerEpochs(Trainer<T>& trainer, const Dataset& data, const Dataset* validation, EpochsForm form);

  void run(Lease& lease) override;

  // The same piece by piece, between those of other runs, from restart() on: what the backend is to train
  // next, along with theirs, and what it trained is then counted; null: nothing, where ended() it is all
  // done, and else train_alone() is due. However that ends, forget() comes last: the data are the caller's.
  void restart();
  const StackRun<T>* next_stack(Lease& lease);
  void count_stack() { trained_ += trainer_.count_stack(); }
  void train_alone(Lease& lease);
  bool ended() const { return epoch_ >= form_.last; }
  void forget();
  const Backend<T>& backend() const { return trainer_.backend(); }

  std::int64_t width() const override { return trainer_.values() * (validation_ != nullptr ? 2 : 1); }
  std::int64_t weight() const override { return trainer_.trainable_size(); }

 private:
  void begin_epoch(Lease& lease);
  void end_epoch(Lease& lease);

  Trainer<T>& trainer_;
  const Dataset& data_;
  const Dataset* validation_;
  std::vector<double> row_;
  std::int64_t epoch_ = 0;  // the one under way, or that comes next
  bool under_way_ = false;
  bool data_kept_ = false;                // by a run around this one, which has asked for it
  std::int64_t batches_ = 0, next_ = 0;   // of the pass under way; next 0: none is
  std::int64_t trained_ = 0, until_ = 0;  // batches of the epoch
};

}  // namespace lamina
