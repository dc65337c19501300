// What the kernels can be asked for, by name.
#pragma once

#include <string_view>

#include "base/error.h"

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

enum class LossKind {
  kMeanSquaredError,
  kBinaryCrossentropy,
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy
};

inline LossKind loss_named(std::string_view name) {
  if (name == "mean_squared_error") return LossKind::kMeanSquaredError;
  if (name == "binary_crossentropy") return LossKind::kBinaryCrossentropy;
  if (name == "categorical_crossentropy") return LossKind::kCategoricalCrossentropy;
  if (name == "sparse_categorical_crossentropy") return LossKind::kSparseCategoricalCrossentropy;
  throw std::invalid_argument(
      text("loss: expected mean_squared_error, binary_crossentropy, categorical_crossentropy "
           "or sparse_categorical_crossentropy, got ",
           name));
}

enum class MetricKind {
  kBinaryAccuracy,
  kCategoricalAccuracy,
  kSparseCategoricalAccuracy,
  kMeanAbsoluteError,
  kMeanSquaredError
};

inline MetricKind metric_named(std::string_view name) {
  if (name == "binary_accuracy") return MetricKind::kBinaryAccuracy;
  if (name == "categorical_accuracy") return MetricKind::kCategoricalAccuracy;
  if (name == "sparse_categorical_accuracy") return MetricKind::kSparseCategoricalAccuracy;
  if (name == "mean_absolute_error") return MetricKind::kMeanAbsoluteError;
  if (name == "mean_squared_error") return MetricKind::kMeanSquaredError;
  throw std::invalid_argument(
      text("metrics: expected binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, "
           "mean_absolute_error or mean_squared_error, got ",
           name));
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
