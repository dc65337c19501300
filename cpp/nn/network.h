// A chain of layers, and the one flat block that holds all their parameters: first those of layers that
// learn, then the others, each starting on a cache line. An optimizer's step is a loop over the first part,
// or over parts of it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory.h"
#include "base/occupancy.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class Network {
 public:
  Network(std::int64_t inputs, const Backend<T>& backend);

  void add(std::unique_ptr<Layer<T>> layer);
  // Allocates the parameters, all 0; nothing can be added after it.
  void build();
  void require_built() const;
  // Says for each parameter whether it is frozen and for each layer whether its statistics are. Parameters of
  // layers that no longer learn move to the end of a new block; the old one lives as long as someone else
  // holds it.
  void freeze(const std::vector<bool>& parameters, const std::vector<bool>& statistics);
  // Of the statistics alone; returns what was said of them before.
  std::vector<bool> freeze_statistics(const std::vector<bool>& statistics);
  // Another number whenever the parameters have moved, and in every network: a trainer made for another
  // layout must not go on.
  std::uint64_t layout() const { return layout_; }

  const Backend<T>& backend() const { return backend_; }
  const std::vector<std::unique_ptr<Layer<T>>>& layers() const { return layers_; }
  std::int64_t inputs() const { return inputs_; }
  std::int64_t outputs() const { return layers_.empty() ? inputs_ : layers_.back()->outputs(); }

  T* parameters() const { return block_ ? block_->data() : nullptr; }
  std::shared_ptr<Buffer<T>> block() const { return block_; }
  std::int64_t trainable_size() const { return trainable_size_; }

  // All parameters, in order of layers.
  std::vector<const Parameter*> parameter_list() const;
  // Whether all parameters learn whose gradients are computed.
  bool steps_as_one() const;

  // Many may predict at once; who trains must be alone.
  Occupancy& occupancy() const { return occupancy_; }

 private:
  // Gives every parameter its place and returns the block's size.
  std::int64_t place();

  const Backend<T>& backend_;
  std::int64_t inputs_;
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  std::shared_ptr<Buffer<T>> block_;
  std::int64_t trainable_size_ = 0;
  std::uint64_t layout_ = 0;
  bool built_ = false;
  mutable Occupancy occupancy_;
};

}  // namespace lamina
