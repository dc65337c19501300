// A chain of layers, and the one flat block that holds all their parameters: first the trainable ones, then
// the others, each starting on a cache line. An optimizer's step is a loop over it, or over parts.
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

  const Backend<T>& backend() const { return backend_; }
  const std::vector<std::unique_ptr<Layer<T>>>& layers() const { return layers_; }
  std::int64_t inputs() const { return inputs_; }
  std::int64_t outputs() const { return layers_.empty() ? inputs_ : layers_.back()->outputs(); }

  T* parameters() const { return block_.data(); }
  std::int64_t trainable_size() const { return trainable_size_; }

  // Trainable parameters in order of layers.
  std::vector<const Parameter*> trainable() const;

  // Many may predict at once; who trains must be alone.
  Occupancy& occupancy() const { return occupancy_; }

 private:
  const Backend<T>& backend_;
  std::int64_t inputs_;
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  Buffer<T> block_;
  std::int64_t trainable_size_ = 0;
  bool built_ = false;
  mutable Occupancy occupancy_;
};

}  // namespace lamina
