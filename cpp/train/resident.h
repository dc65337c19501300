// A data set where the backend's verbs can read it: as it lies, or, for a backend on a device, copied there
// once for all that is done with it.
#pragma once

#include "backend/backend.h"
#include "base/packed_rows.h"
#include "train/dataset.h"

namespace lamina {

class Resident {
 public:
  // The data stay the caller's, and are not to change until release().
  template <class T>
  void hold(const Backend<T>& backend, const Dataset& data) {
    if (source_ == &data) return;
    release();
    if (backend.on_device()) {
      copy_ = {};
      const auto copy = [&](PackedRows& packed, const Rows& rows) {
        packed.hold(rows, 0, rows.count, backend.memory());
        return packed.rows();
      };
      copy_.x = copy(x_, data.x);
      if (data.y.has_value()) copy_.y = copy(y_, *data.y);
      if (data.weight.has_value()) copy_.weight = copy(weight_, *data.weight);
    }
    on_device_ = backend.on_device();
    source_ = &data;
  }
  void release() {
    source_ = nullptr;
    if (on_device_) *this = {};
  }

  const Dataset& data() const { return on_device_ ? copy_ : *source_; }

 private:
  const Dataset* source_ = nullptr;
  bool on_device_ = false;
  Dataset copy_;
  PackedRows x_, y_, weight_;
};

}  // namespace lamina
