// What an optimizer is told: the numbers of its rule, and what all of them take.
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/arguments.h"
#include "nn/muon_form.h"

namespace lamina {

struct OptimizerForm {
  OptimizerKind kind = OptimizerKind::kSgd;
  double learning_rate = 0;
  double momentum = 0;
  bool nesterov = false;
  double rho = 0.9;
  double epsilon = 1e-7;
  bool centered = false;
  double initial_accumulator = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.999;
  bool amsgrad = false;

  // Ftrl
  double learning_rate_power = -0.5;
  double l1 = 0;
  double l2 = 0;
  double l2_shrinkage = 0;
  double beta = 0;
  // ScheduleFreeAdamW
  double warmup_steps = 0;
  // Adafactor, of which epsilon is the first
  double beta2_decay = -0.8;
  double epsilon2 = 1e-3;
  double clip_threshold = 1;
  // Muon, whose betas, epsilon and these two are for parameters that take Adam's step
  double adam_lr_ratio = 1;
  std::optional<double> adam_weight_decay = std::nullopt;
  MuonForm muon = {};

  // Of all: a norm or bound that is not above 0 is none.
  std::optional<double> weight_decay = std::nullopt;
  double clipnorm = 0;
  double global_clipnorm = 0;
  double clipvalue = 0;
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::int64_t ema_overwrite_frequency = 0;      // 0: never
  std::int64_t gradient_accumulation_steps = 0;  // 0: none are accumulated
};

// The numbers of a step in T; t counts from 1. Adam's bias corrections come from powers of beta as `Power`
// holds it.
template <class T, class Power = T>
StepForm<T> step_form(const OptimizerForm& form, std::int64_t t);

}  // namespace lamina
