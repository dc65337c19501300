// How a data set's rows come to the network, batch by batch: where they lie, if the first layer can read them
// there, gathered into a matrix otherwise.
#pragma once

#include <cstdint>

#include "train/forward.h"

namespace lamina {

template <class T>
class Intake {
 public:
  // Room for batches of up to `capacity` of these rows; they stay the caller's.
  void prepare(const Network<T>& network, bool reads_samples, const Rows& rows, std::int64_t capacity);

  // Rows order[first..first+count-1], or first.. where order is null; the `next` rows after them will come
  // next. Without values it is samples() that hold them.
  ConstMatrix<T> take(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                      std::int64_t count, std::int64_t next);
  const Samples<T>* samples() const { return &samples_; }

 private:
  const Backend<T>* backend_ = nullptr;
  bool direct_ = false;
  std::int64_t fewest_ = 0;
  Buffer<T> gathered_;
  Buffer<const void*> places_;
  Samples<T> samples_;
};

}  // namespace lamina
