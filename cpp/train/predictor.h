// Predictions: batches forward, without training. One predictor serves one thread at a time; those that are
// idle wait in a pool, so that a repeated call finds its buffers ready.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/packed_rows.h"
#include "train/intake.h"

namespace lamina {

template <class T>
class Predictor {
 public:
  Predictor(const Network<T>& network, std::int64_t capacity);

  std::int64_t capacity() const { return forward_.capacity(); }
  // out = the network's output for rows first..first+out.rows-1.
  void run(Lease& lease, const Rows& rows, std::int64_t first, Matrix<T> out);

 private:
  const Network<T>& network_;
  Forward<T> forward_;
  Intake<T> intake_;
  PackedRows packed_;  // of a backend on a device: the rows that are due
};

template <class T>
class PredictorPool {
 public:
  explicit PredictorPool(const Network<T>& network) : network_(network) {}

  std::unique_ptr<Predictor<T>> take(std::int64_t capacity);
  void give_back(std::unique_ptr<Predictor<T>> predictor);

 private:
  const Network<T>& network_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Predictor<T>>> idle_;
};

}  // namespace lamina
