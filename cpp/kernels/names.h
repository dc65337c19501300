// What the kernels can be asked for, by name.
#pragma once

#include <string_view>

#include "base/error.h"
#include "kernels/loss_names.h"

namespace lamina {

enum class Activation { kLinear, kRelu, kSigmoid, kTanh, kSoftmax, kExp };

inline Activation activation_named(std::string_view name) {
  if (name == "linear") return Activation::kLinear;
  if (name == "relu") return Activation::kRelu;
  if (name == "sigmoid") return Activation::kSigmoid;
  if (name == "tanh") return Activation::kTanh;
  if (name == "softmax") return Activation::kSoftmax;
  if (name == "exp") return Activation::kExp;
  throw std::invalid_argument(
      text("activation: expected linear, relu, sigmoid, tanh, softmax or exp, got ", name));
}

enum class OptimizerKind { kSgd, kRmsprop, kAdagrad, kAdam };

inline OptimizerKind optimizer_named(std::string_view name) {
  if (name == "sgd") return OptimizerKind::kSgd;
  if (name == "rmsprop") return OptimizerKind::kRmsprop;
  if (name == "adagrad") return OptimizerKind::kAdagrad;
  if (name == "adam") return OptimizerKind::kAdam;
  throw std::invalid_argument(text("optimizer: expected sgd, rmsprop, adagrad or adam, got ", name));
}

}  // namespace lamina
