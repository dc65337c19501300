// A data set where the backend's verbs can read it: as it lies; or, for a backend on a device, copied there
// once for all that is done with it, or, where there is no room for it, batch by batch.
#pragma once

#include "backend/backend.h"
#include "base/fingerprint.h"
#include "base/packed_rows.h"
#include "train/dataset.h"

namespace lamina {

// Where a batch's rows are: order[first] and following, or first and following where order is null.
struct Window {
  const Dataset* data;
  const std::int64_t* order;
  std::int64_t first;

  const std::int64_t* order_from_first() const { return order != nullptr ? order + first : nullptr; }
};

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
    if (other) streams_ = bytes_of(data) > backend.room();
    if (streams_) {
      if (other) release_copy();
      number_ = data.number;
      return;
    }
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

  // Whether a device has no room for them.
  bool streams() const { return on_device_ && streams_; }
  // Its rows, as they are told by their number types.
  const Dataset& data() const { return on_device_ && !streams() ? copy_ : *source_; }

  // Rows order[first..first+count-1], or first.., for verbs that are asked for before the next call of
  // taken(). What is streamed is packed while a device works on the batch before: there are two places for it
  // in memory that both see.
  template <class T>
  Window window(const Backend<T>& backend, const std::int64_t* order, std::int64_t first,
                std::int64_t count) {
    if (!streams()) return {&data(), order, first};
    Place& place = places_[turn_];
    backend.await(kFirstMark + turn_);
    const auto pack = [&](PackedRows& packed, const Rows& rows) {
      packed.hold(rows, order, first, count, backend.staging());
      return packed.rows();
    };
    place.data.x = pack(place.x, source_->x);
    if (source_->y.has_value()) place.data.y = pack(place.y, *source_->y);
    if (source_->weight.has_value()) place.data.weight = pack(place.weight, *source_->weight);
    return {&place.data, nullptr, 0};
  }
  // After the batch's last verb.
  template <class T>
  void taken(const Backend<T>& backend) {
    if (!streams()) return;
    backend.mark(kFirstMark + turn_);
    turn_ = 1 - turn_;
  }

 private:
  static constexpr int kFirstMark = 2;  // of the backend's; Pace has those before

  struct Place {
    PackedRows x, y, weight;
    Dataset data;
  };

  static std::int64_t bytes_of(const Dataset& data) {
    std::int64_t bytes = 0;
    const auto add = [&](const Rows& rows) {
      const std::int64_t item = item_size(rows.dtype);
      bytes += rows.sparse() ? rows.places.start(rows.count) * (item + 8) + 8 * rows.count
                             : rows.count * rows.width() * item;
    };
    add(data.x);
    for (const auto* rows : {&data.y, &data.weight})
      if (rows->has_value()) add(**rows);
    return bytes;
  }
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
    for (Place& place : places_) place = {};
  }

  const Dataset* source_ = nullptr;
  bool on_device_ = false, streams_ = false;
  std::uint64_t number_ = 0, print_ = 0;  // of what is copied; 0: nothing is
  Dataset copy_;
  PackedRows x_, y_, weight_;
  Place places_[2];
  int turn_ = 0;
};

}  // namespace lamina
