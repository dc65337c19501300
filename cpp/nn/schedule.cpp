#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace lamina {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

float single(double x) { return static_cast<float>(x); }

// initial rate^p, or initial / (1 + rate p), with p = step / steps, rounded down for a staircase.
float decay(const ScheduleForm& f, float step) {
  float p = step / single(f.steps);
  if (f.staircase) p = std::floor(p);
  if (f.kind == ScheduleKind::kExponential) return single(f.initial) * std::pow(single(f.rate), p);
  return single(f.initial) / (1.0f + single(f.rate) * p);
}

// (initial - end) (1 - step / steps)^power + end; steps count anew, or more and more of them.
float polynomial(const ScheduleForm& f, float step) {
  float steps = single(f.steps);
  if (f.cycle)
    steps *= step == 0 ? 1.0f : std::ceil(step / single(f.steps));
  else
    step = std::min(step, steps);
  const float end = single(f.end);
  return (single(f.initial) - end) * std::pow(1.0f - step / steps, single(f.power)) + end;
}

// values[i] where boundaries[i - 1] < step <= boundaries[i]; a sum of what fits, as by Keras.
float piecewise_constant(const ScheduleForm& f, double step, bool whole) {
  const auto boundary = [&](std::size_t i) { return whole ? std::trunc(f.boundaries[i]) : f.boundaries[i]; };
  const std::size_t last = f.boundaries.size() - 1;
  float rate = 0;
  if (step <= boundary(0)) rate += single(f.values.front());
  if (step > boundary(last)) rate += single(f.values.back());
  for (std::size_t i = 0; i < last; ++i)
    if (step > boundary(i) && step <= boundary(i + 1)) rate += single(f.values[i + 1]);
  return rate;
}

// After a linear warmup: rate ((1 - alpha) (1 + cos(pi step / steps)) / 2 + alpha).
float cosine(const ScheduleForm& f, float step) {
  const float steps = single(f.steps);
  float from = single(f.initial);
  if (f.warms_up) {
    const float warmup = single(f.warmup_steps), target = single(f.warmup_target);
    step = std::min(step, steps + warmup);
    if (step < warmup) return (target - from) * (step / warmup) + from;
    step -= warmup;
    from = target;
  } else {
    step = std::min(step, steps);
  }
  const float decayed = 0.5f * (1.0f + std::cos(kPi * (step / steps)));
  return from * (single(1 - f.alpha) * decayed + single(f.alpha));
}

// The same, begun anew when it is through: each time with t_mul times the steps and m_mul times the rate
// (Loshchilov and Hutter, 2017).
float cosine_restarts(const ScheduleForm& f, float step) {
  const float t_mul = single(f.t_mul), alpha = single(f.alpha);
  float done = step / single(f.steps), restarts;
  if (t_mul == 1.0f) {
    restarts = std::floor(done);
    done -= restarts;
  } else {
    restarts = std::floor(std::log(1.0f - done * (1.0f - t_mul)) / std::log(t_mul));
    const float grown = std::pow(t_mul, restarts);
    done = (done - (1.0f - grown) / (1.0f - t_mul)) / grown;
  }
  const float decayed = 0.5f * std::pow(single(f.m_mul), restarts) * (1.0f + std::cos(kPi * done));
  return single(f.initial) * ((1.0f - alpha) * decayed + alpha);
}

}  // namespace

ScheduleKind schedule_named(std::string_view name) {
  if (name == "exponential") return ScheduleKind::kExponential;
  if (name == "inverse_time") return ScheduleKind::kInverseTime;
  if (name == "polynomial") return ScheduleKind::kPolynomial;
  if (name == "piecewise_constant") return ScheduleKind::kPiecewiseConstant;
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "cosine_restarts") return ScheduleKind::kCosineRestarts;
  throw std::invalid_argument(
      text("schedule: expected exponential, inverse_time, polynomial, piecewise_constant, cosine or "
           "cosine_restarts, got ",
           name));
}

float rate_at(const ScheduleForm& form, double step, bool whole) {
  switch (form.kind) {
    case ScheduleKind::kExponential:
    case ScheduleKind::kInverseTime:
      return decay(form, single(step));
    case ScheduleKind::kPolynomial:
      return polynomial(form, single(step));
    case ScheduleKind::kPiecewiseConstant:
      return piecewise_constant(form, step, whole);
    case ScheduleKind::kCosine:
      return cosine(form, single(step));
    case ScheduleKind::kCosineRestarts:
      return cosine_restarts(form, single(step));
  }
  return 0;
}

}  // namespace lamina
