// Learning rate schedules, in float as Keras on TensorFlow computes them, whatever the network's type.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lamina {

enum class ScheduleKind {
  kExponential,
  kInverseTime,
  kPolynomial,
  kPiecewiseConstant,
  kCosine,
  kCosineRestarts
};

ScheduleKind schedule_named(std::string_view name);

struct ScheduleForm {
  ScheduleKind kind = ScheduleKind::kExponential;
  double initial = 0;
  double steps = 1;  // of decay, or of the first one
  double rate = 1;
  bool staircase = false;
  // Polynomial
  double end = 0;
  double power = 1;
  bool cycle = false;
  // Cosine
  double alpha = 0;
  bool warms_up = false;
  double warmup_target = 0;
  double warmup_steps = 0;
  double t_mul = 2;
  double m_mul = 1;
  // PiecewiseConstant: one value more than boundaries
  std::vector<double> boundaries, values;
};

// The learning rate after so many steps; whole: they are a whole number, to which boundaries are cut.
float rate_at(const ScheduleForm& form, double step, bool whole);

}  // namespace lamina
