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
void TrainerEpochs<T>::begin_epoch(Lease& lease) {
  if (next_ == 0) {
    const auto pass = static_cast<std::uint64_t>(passes_.fetch_add(1, std::memory_order_relaxed));
    batches_ = trainer_.begin_epoch(lease, data_, form_.batch_size, form_.shuffle, form_.seed,
                                    form_.trained_before + pass);
  } else {
    trainer_.clear_epoch_means();
  }
  under_way_ = true;
  trained_ = next_;
  until_ = form_.steps > 0 ? std::min(next_ + form_.steps, batches_) : batches_;
}

template <class T>
void TrainerEpochs<T>::end_epoch(Lease& lease) {
  next_ = until_ < batches_ ? until_ : 0;
  std::fill(row_.begin(), row_.end(), 0.0);
  trainer_.write_epoch_means(row_.data());
  if (validation_ != nullptr && validation_due(epoch_)) {
    trainer_.evaluate(lease, *validation_, form_.validation_batch_size);
    trainer_.write_evaluation_means(row_.data() + trainer_.values());
  }
  const std::lock_guard lock(mutex_);
  rows_.insert(rows_.end(), row_.begin(), row_.end());
  done_.fetch_add(1, std::memory_order_relaxed);
  under_way_ = false;
  epoch_ = stopped_.load(std::memory_order_relaxed) ? form_.last : epoch_ + 1;
}

template <class T>
void TrainerEpochs<T>::restart() {
  epoch_ = form_.first;
  under_way_ = false;
  next_ = 0;
  data_kept_ = trainer_.keeps_data();
  if (!data_kept_) trainer_.keep_data(false);
}

template <class T>
void TrainerEpochs<T>::forget() {
  trainer_.end_epoch();
  if (!data_kept_) trainer_.let_data_go();
}

template <class T>
void TrainerEpochs<T>::run(Lease& lease) {
  struct Forget {  // however this ends
    TrainerEpochs& self;
    ~Forget() { self.forget(); }
  } const forget{*this};
  for (restart(); !ended();) train_alone(lease);
}

template <class T>
void TrainerEpochs<T>::train_alone(Lease& lease) {
  if (!under_way_) begin_epoch(lease);
  trainer_.train(lease, trained_, until_);
  end_epoch(lease);
}

template <class T>
const StackRun<T>* TrainerEpochs<T>::next_stack(Lease& lease) {
  if (under_way_ && trained_ == until_) end_epoch(lease);
  if (ended()) return nullptr;
  if (!under_way_) begin_epoch(lease);
  return trainer_.next_stack(lease, trained_, until_);
}

template class TrainerEpochs<float>;
template class TrainerEpochs<double>;

}  // namespace lamina
