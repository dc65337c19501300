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

enum class OptimizerKind {
  kSgd,
  kRmsprop,
  kAdagrad,
  kAdam,
  kAdadelta,
  kAdamax,
  kNadam,
  kFtrl,
  kLion,
  kLamb,
  kScheduleFreeAdamW,
  kAdafactor,
  kMuon
};

inline OptimizerKind optimizer_named(std::string_view name) {
  if (name == "sgd") return OptimizerKind::kSgd;
  if (name == "rmsprop") return OptimizerKind::kRmsprop;
  if (name == "adagrad") return OptimizerKind::kAdagrad;
  if (name == "adam") return OptimizerKind::kAdam;
  if (name == "adadelta") return OptimizerKind::kAdadelta;
  if (name == "adamax") return OptimizerKind::kAdamax;
  if (name == "nadam") return OptimizerKind::kNadam;
  if (name == "ftrl") return OptimizerKind::kFtrl;
  if (name == "lion") return OptimizerKind::kLion;
  if (name == "lamb") return OptimizerKind::kLamb;
  if (name == "schedule_free_adamw") return OptimizerKind::kScheduleFreeAdamW;
  if (name == "adafactor") return OptimizerKind::kAdafactor;
  if (name == "muon") return OptimizerKind::kMuon;
  throw std::invalid_argument(
      text("optimizer: expected sgd, rmsprop, adagrad, adam, adadelta, adamax, nadam, ftrl, lion, lamb, "
           "schedule_free_adamw, adafactor or muon, got ",
           name));
}

// What happens to a range y, of which there may be another x laid out alike.
enum class Blend {
  kSet,       // y = a
  kCopy,      // y = x
  kAdd,       // y += x
  kMean,      // y = (y + x) / a
  kScale,     // y = y a / b
  kClamp,     // y = y, but not below -a nor above a; NaN stays
  kDecay,     // y -= y a b
  kAverage,   // y = a y + b x
  kSubtract,  // y -= a x
};

enum class ConstraintKind { kNone, kNonNegative, kMaxNorm, kMinMaxNorm, kUnitNorm };

inline ConstraintKind constraint_named(std::string_view name) {
  if (name == "non_neg") return ConstraintKind::kNonNegative;
  if (name == "max_norm") return ConstraintKind::kMaxNorm;
  if (name == "min_max_norm") return ConstraintKind::kMinMaxNorm;
  if (name == "unit_norm") return ConstraintKind::kUnitNorm;
  throw std::invalid_argument(
      text("constraint: expected non_neg, max_norm, min_max_norm or unit_norm, got ", name));
}

// Which of a matrix's numbers share a norm: each row's, each column's, or all.
enum class NormOver { kRows, kColumns, kAll };

}  // namespace lamina
