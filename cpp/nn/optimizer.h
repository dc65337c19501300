// An optimizer: its numbers, its count of steps, and its slots, each a flat range laid out as the network's
// trainable parameters are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "nn/network.h"

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
};

template <class T>
class Optimizer {
 public:
  struct Slot {
    std::string name;
    Buffer<T> values;
  };

  explicit Optimizer(const OptimizerForm& form);

  const OptimizerForm& form() const { return form_; }
  void set_learning_rate(double lr) { form_.learning_rate = lr; }
  std::int64_t iterations() const { return iterations_; }
  void set_iterations(std::int64_t n) { iterations_ = n; }

  // Makes the slots for this network's parameters; std::invalid_argument if they were made for other shapes.
  void bind(const Network<T>& network);
  const std::vector<Slot>& slots() const { return slots_; }
  // The parameters that the slots belong to.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  // A copy of the slots' values, those not yet bound included.
  std::vector<std::vector<T>> state() const;
  // Slots that another optimizer of this form had; checked against the network's at once, or when it is
  // bound.
  void restore(std::int64_t iterations, std::vector<std::vector<T>> slots);

  // The step that is due, on these gradients and parameters; count_step() once it is taken.
  Update<T> update(const T* dw, T* w) const;
  void count_step() { ++iterations_; }

 private:
  std::vector<std::string> slot_names() const;
  void fill_from_restored();
  T* slot(std::string_view name) const;

  OptimizerForm form_;
  std::int64_t iterations_ = 0;
  std::vector<Slot> slots_;
  std::vector<Parameter> parameters_;
  bool bound_ = false;
  std::vector<std::vector<T>> restored_;
};

// The numbers of a step in T; t counts from 1. Adam's bias corrections come from powers of beta as `Power`
// holds it.
template <class T, class Power = T>
StepForm<T> step_form(const OptimizerForm& form, std::int64_t t);

}  // namespace lamina
