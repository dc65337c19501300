#include "train/epochs.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace lamina {
namespace {

// Room for the rows of so many epochs is made before the first.
constexpr std::int64_t kReadyRows = 4096;

}  // namespace

Epochs::Epochs(EpochsForm form) : form_(std::move(form)) {
  require(form_.batch_size > 0, "batch_size: expected a positive number, got ", form_.batch_size);
  require(form_.validation_batch_size > 0, "validation_batch_size: expected a positive number, got ",
          form_.validation_batch_size);
  require(form_.validation_freq >= 0, "validation_freq: expected a number of epochs, got ",
          form_.validation_freq);
  require(form_.steps >= 0, "steps: expected a number of batches, got ", form_.steps);
}

bool Epochs::validation_due(std::int64_t epoch) const {
  if (form_.validation_freq > 0) return (epoch + 1) % form_.validation_freq == 0;
  return std::binary_search(form_.validation_epochs.begin(), form_.validation_epochs.end(), epoch + 1);
}

std::vector<double> Epochs::take() {
  std::vector<double> rows;
  const std::lock_guard lock(mutex_);
  rows.swap(rows_);
  return rows;
}

template <class T>
TrainerEpochs<T>::TrainerEpochs(Trainer<T>& trainer, const Dataset& data, const Dataset* validation,
                                EpochsForm form)
    : Epochs(std::move(form)), trainer_(trainer), data_(data), validation_(validation) {
  row_.resize(static_cast<std::size_t>(width()));
  const std::int64_t ready = std::clamp<std::int64_t>(form_.last - form_.first, 0, kReadyRows);
  rows_.reserve(static_cast<std::size_t>(ready * width()));
}

template <class T>
void TrainerEpochs<T>::run(Lease& lease) {
  struct Forget {  // the data are the caller's: however this ends, the trainer views them no longer
    Trainer<T>& trainer;
    bool keeps;  // a run around this one has asked for it
    ~Forget() {
      trainer.end_epoch();
      if (!keeps) trainer.let_data_go();
    }
  } const forget{trainer_, trainer_.keeps_data()};
  if (!forget.keeps) trainer_.keep_data(false);
  std::int64_t batches = 0, next = 0;  // of the pass under way; next 0: none is
  for (std::int64_t epoch = form_.first; epoch < form_.last; ++epoch) {
    if (next == 0) {
      const auto pass = static_cast<std::uint64_t>(passes_.fetch_add(1, std::memory_order_relaxed));
      batches = trainer_.begin_epoch(lease, data_, form_.batch_size, form_.shuffle, form_.seed,
                                     form_.trained_before + pass);
    } else {
      trainer_.clear_epoch_means();
    }
    const std::int64_t last = form_.steps > 0 ? std::min(next + form_.steps, batches) : batches;
    trainer_.train(lease, next, last);
    next = last < batches ? last : 0;
    std::fill(row_.begin(), row_.end(), 0.0);
    trainer_.write_epoch_means(row_.data());
    if (validation_ != nullptr && validation_due(epoch)) {
      trainer_.evaluate(lease, *validation_, form_.validation_batch_size);
      trainer_.write_evaluation_means(row_.data() + trainer_.values());
    }
    const std::lock_guard lock(mutex_);
    rows_.insert(rows_.end(), row_.begin(), row_.end());
    done_.fetch_add(1, std::memory_order_relaxed);
    if (stopped_.load(std::memory_order_relaxed)) break;
  }
}

template class TrainerEpochs<float>;
template class TrainerEpochs<double>;

}  // namespace lamina
