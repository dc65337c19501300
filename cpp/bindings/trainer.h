// A trainer with its network and the data of the epoch under way.
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

#include "nn/network.h"
#include "train/trainer.h"

namespace lamina {

namespace py = pybind11;

template <class T>
struct BoundTrainer {
  BoundTrainer(Network<T>& network_, Optimizer<T>& optimizer, const TrainingForm& form, Own<T> own)
      : network(network_), trainer(network_, optimizer, form, std::move(own)) {}
  // Lets go of the epoch under way.
  void forget() {
    trainer.end_epoch();  // before the data it may still view
    data = py::none();
  }

  Network<T>& network;
  Trainer<T> trainer;
  py::object data;  // of the epoch under way, kept alive
};

}  // namespace lamina
