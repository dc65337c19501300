// A data set where the backend's verbs can read it: as it lies, or, for a backend on a device, copied there
// once for all that is done with it.
#pragma once

#include "backend/backend.h"
#include "base/fingerprint.h"
#include "base/packed_rows.h"
#include "train/dataset.h"

namespace lamina {

class Resident {
 public:
  // The data stay the caller's. The copy of a device serves until release() or another data set comes; what
  // changes in the data meanwhile is seen where `looks`, from one call to the next.
  template <class T>
  void hold(Lease& lease, const Backend<T>& backend, const Dataset& data, bool looks) {
    source_ = &data;
    on_device_ = backend.on_device();
    if (!on_device_) return;
    const bool other = number_ != data.number;
    if (!other && !looks) return;
    if (other) release_copy();
    const std::uint64_t print = looks ? print_of(lease, data) : 0;
    if (!other && print == print_) return;
    number_ = 0;  // until all of it is there
    const auto copy = [&](PackedRows& packed, const Rows& rows) {
      packed.hold(rows, 0, rows.count, backend.memory());
      return packed.rows();
    };
    copy_.x = copy(x_, data.x);
    if (data.y.has_value()) copy_.y = copy(y_, *data.y);
    if (data.weight.has_value()) copy_.weight = copy(weight_, *data.weight);
    print_ = print;
    number_ = data.number;
  }
  void release() {
    source_ = nullptr;
    release_copy();
  }

  const Dataset& data() const { return on_device_ ? copy_ : *source_; }

 private:
  static std::uint64_t print_of(Lease& lease, const Dataset& data) {
    std::uint64_t print = fingerprint(lease, data.x);
    for (const auto* rows : {&data.y, &data.weight})
      if (rows->has_value()) print = print * 31 + fingerprint(lease, **rows);
    return print;
  }
  void release_copy() {
    number_ = print_ = 0;
    copy_ = {};
    x_.release();
    y_.release();
    weight_.release();
  }

  const Dataset* source_ = nullptr;
  bool on_device_ = false;
  std::uint64_t number_ = 0, print_ = 0;  // of what is copied; 0: nothing is
  Dataset copy_;
  PackedRows x_, y_, weight_;
};

}  // namespace lamina
