// An optimizer's step, in the order of Keras: accumulate, clip, decay, update, average.
#include <algorithm>
#include <cmath>

#include "nn/adafactor.h"
#include "nn/optimizer.h"

namespace lamina {
namespace {

// f(first, size) over the elements of a parameter: over all of its rows with the zeros behind each, or
// sparing those.
template <class F>
void over(const Parameter& p, bool sparing, F&& f) {
  if (!sparing) return f(p.offset, p.extent());
  for (std::int64_t i = 0; i < p.rows; ++i) f(p.offset + i * p.stride, p.cols);
}

bool is_set(const std::vector<bool>& flags, std::size_t i) { return i < flags.size() && flags[i]; }

}  // namespace

template <class T>
std::int64_t Optimizer<T>::step_number() const {
  const std::int64_t every = std::max<std::int64_t>(form_.gradient_accumulation_steps, 1);
  return iterations() / every + 1;
}

template <class T>
bool Optimizer<T>::steps_now() const {
  const std::int64_t every = form_.gradient_accumulation_steps;
  return every == 0 || (iterations() + 1) % every == 0;
}

template <class T>
T Optimizer<T>::next_product() const {
  const double t = static_cast<double>(step_number());
  const T momentum = T(1) - T(0.5) * static_cast<T>(std::pow(static_cast<double>(T(0.96)), t));
  return *slot("u_product") * static_cast<T>(form_.beta1) * momentum;
}

template <class T>
Update<T> Optimizer<T>::update(const T* dw, T* w) const {
  OptimizerForm now = form_;
  if (schedule_)
    now.learning_rate = schedule_(iterations());
  else if (rate_ != nullptr)
    now.learning_rate = static_cast<double>(*rate_);
  else if (wide_rate_ != nullptr)
    now.learning_rate = *wide_rate_;
  Update<T> update{form_.kind, step_form<T, float>(now, step_number()), dw, w, {}};
  if (at_once() && form_.weight_decay) update.form.weight_decay = static_cast<T>(*form_.weight_decay);
  const auto slots = [&](const char* first, const char* second = "", const char* third = "") {
    update.slots[0] = slot(first);
    update.slots[1] = slot(second);
    update.slots[2] = slot(third);
  };
  switch (form_.kind) {
    case OptimizerKind::kSgd:
    case OptimizerKind::kLion:
      slots("momentum");
      break;
    case OptimizerKind::kRmsprop:
      slots("velocity", "momentum", "average_gradient");
      break;
    case OptimizerKind::kAdagrad:
      slots("accumulator");
      break;
    case OptimizerKind::kAdam:
      slots("momentum", "velocity", "velocity_hat");
      break;
    case OptimizerKind::kAdadelta:
      slots("accumulated_grad", "accumulated_delta_var");
      break;
    case OptimizerKind::kAdamax:
      slots("momentum", "norm");
      break;
    case OptimizerKind::kFtrl:
      slots("accumulator", "linear");
      break;
    case OptimizerKind::kNadam: {
      const T product = next_product();
      update.form.of_kind[1] = T(1) - product * update.form.of_kind[0];
      update.form.of_kind[3] = T(1) - product;
      slots("momentum", "velocity");
      break;
    }
    case OptimizerKind::kLamb:
      slots("momentum", "velocity");
      update.slots[2] = scratch_.data();
      break;
    case OptimizerKind::kScheduleFreeAdamW:
    case OptimizerKind::kMuon:
      slots("momentum", "velocity");
      break;
    case OptimizerKind::kAdafactor:
      slots("r", "c", "velocity");
      break;
  }
  return update;
}

template <class T>
auto Optimizer<T>::clip_of(Lease& lease, const Backend<T>& backend, const Parameter& p, T* dw) const
    -> Scaling {
  if (form_.clipnorm > 0) {
    const T most = static_cast<T>(form_.clipnorm);
    const T norm = std::sqrt(backend.sum_of_squares(lease, dw + p.offset, p.extent()));
    return {most, norm <= most ? most : norm};
  }
  if (form_.clipvalue > 0)
    backend.blend(lease, Blend::kClamp, static_cast<T>(form_.clipvalue), T(0), nullptr, dw + p.offset,
                  p.extent());
  return {};
}

template <class T>
auto Optimizer<T>::global_clip(Lease& lease, const Backend<T>& backend, const T* dw,
                               const std::vector<bool>& absent) const -> Scaling {
  T sum = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (const Parameter& p = parameters_[i]; !is_set(absent, i))
      sum += backend.sum_of_squares(lease, dw + p.offset, p.extent());
  const T norm = std::sqrt(sum), inverse = T(1) / norm;
  const T limit = static_cast<T>(1 / form_.global_clipnorm);
  // norm - norm: NaN where the norm is not finite
  return {static_cast<T>(form_.global_clipnorm) * (inverse < limit ? inverse : limit) + (norm - norm), T(1)};
}

template <class T>
bool Optimizer<T>::overflows(const Backend<T>& backend, const T* dw, const std::vector<bool>& absent) const {
  backend.finish();
  const T scale = static_cast<T>(*scale_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (is_set(absent, i)) continue;
    const Parameter& p = parameters_[i];
    for (std::int64_t k = 0; k < p.extent(); ++k)
      if (!std::isfinite(dw[p.offset + k] * scale)) return true;
  }
  return false;
}

template <class T>
bool Optimizer<T>::step(Lease& lease, const Backend<T>& backend, const Update<T>& due, T* dw, T* w,
                        const std::vector<bool>& absent) const {
  if (growth_steps_ > 0 && overflows(backend, dw, absent)) {
    *scaled_steps_ = 0;
    *scale_ /= 2;
    return false;
  }
  for (Optimizer* const part : parts_)
    if (part->step(lease, backend, part->update(dw, w), dw, w, part->absent())) part->count_step();
  if (!parts_.empty()) return true;
  T* const accumulated = slot("gradient_accumulator");
  const bool steps = steps_now();
  if (accumulated != nullptr) {
    const T count = static_cast<T>(form_.gradient_accumulation_steps);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const Parameter& p = parameters_[i];
      if (is_set(absent, i)) continue;
      if (steps)
        backend.blend(lease, Blend::kMean, count, T(0), accumulated + p.offset, dw + p.offset, p.extent());
      else
        backend.blend(lease, Blend::kAdd, T(0), T(0), dw + p.offset, accumulated + p.offset, p.extent());
    }
  }
  if (steps) {
    const bool as_one = !(form_.clipnorm > 0) && form_.global_clipnorm > 0;
    const Scaling of_all = as_one ? global_clip(lease, backend, dw, absent) : Scaling{};
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const Parameter& p = parameters_[i];
      if (is_set(absent, i)) continue;
      const Scaling scaling = as_one ? of_all : clip_of(lease, backend, p, dw);
      decay(lease, backend, due, i);
      // What is not finite must not get into the zeros behind the rows.
      const bool sparing = static_cast<T>(form_.epsilon) == 0 || !scaling.finite();
      over(p, sparing, [&](std::int64_t first, std::int64_t size) {
        if (scaling.changes())
          backend.scaled_update(lease, due, scaling.times, scaling.over, dw + first, size);
        else
          backend.update(lease, due, dw + first, size);
      });
      if (form_.kind == OptimizerKind::kLamb) take_by_norm(lease, backend, due, p);
      if (form_.kind == OptimizerKind::kAdafactor) take_factored(backend, due, p, dw);
      if (form_.kind == OptimizerKind::kMuon) take_orthogonal(lease, backend, due, i, dw);
    }
    if (accumulated != nullptr)  // those of parameters without a gradient too, as in Keras
      for (const Parameter& p : parameters_)
        backend.blend(lease, Blend::kSet, T(0), T(0), nullptr, accumulated + p.offset, p.extent());
  }
  if (form_.use_ema) average(lease, backend, w);
  return true;
}

template <class T>
void Optimizer<T>::decay(Lease& lease, const Backend<T>& backend, const Update<T>& due, std::size_t i) const {
  const auto& rate = left_to_adam(i) ? form_.adam_weight_decay : form_.weight_decay;
  if (!rate || due.form.weight_decay != 0 || is_set(undecayed_, i)) return;  // in the update, or not at all
  const Parameter& p = parameters_[i];
  backend.blend(lease, Blend::kDecay, static_cast<T>(*rate), due.form.base_lr, nullptr, due.w + p.offset,
                p.extent());
}

template <class T>
void Optimizer<T>::take_factored(const Backend<T>& backend, const Update<T>& due, const Parameter& p,
                                 T* dw) const {
  backend.finish();
  const T step = static_cast<T>(step_number()), largest = T(1) / std::sqrt(step);
  // Keras takes this limit with and without a relative_step.
  const T lr = due.form.lr < largest ? due.form.lr : largest;
  const T kept = T(1) - std::pow(step, static_cast<T>(form_.beta2_decay));
  const AdafactorForm<T> form{lr, kept, static_cast<T>(form_.epsilon),
                              static_cast<T>(static_cast<float>(form_.epsilon2)),
                              static_cast<T>(form_.clip_threshold)};
  adafactor<T>(form, p, dw + p.offset, due.w + p.offset, due.slots[0] + p.offset, due.slots[1] + p.offset,
               due.slots[2] + p.offset, sums_.data());
}

template <class T>
void Optimizer<T>::take_orthogonal(Lease& lease, const Backend<T>& backend, const Update<T>& due,
                                   std::size_t i, T* dw) const {
  const Parameter& p = parameters_[i];
  if (left_to_adam(i)) {
    OptimizerForm adam = form_;
    adam.kind = OptimizerKind::kAdam;
    adam.learning_rate = static_cast<double>(due.form.lr * static_cast<T>(form_.adam_lr_ratio));
    Update<T> update = due;
    update.kind = OptimizerKind::kAdam;
    update.form = step_form<T, float>(adam, step_number());
    over(p, static_cast<T>(form_.epsilon) == 0,
         [&](std::int64_t first, std::int64_t size) { backend.update(lease, update, dw + first, size); });
    return;
  }
  const std::int64_t size = p.extent();
  T *const g = dw + p.offset, *const m = due.slots[0] + p.offset;
  const T momentum = static_cast<T>(form_.momentum);
  // m = momentum m + g;  the step is of g + momentum m, or of m
  backend.blend(lease, Blend::kAverage, momentum, T(1), g, m, size);
  if (form_.nesterov)
    backend.blend(lease, Blend::kAverage, T(1), momentum, m, g, size);
  else
    backend.blend(lease, Blend::kCopy, T(0), T(0), m, g, size);
  orthogonalize(lease, backend, form_.muon, p, g, muon_);
  T rate = due.form.lr;
  if (form_.muon.rms_rate != 0)
    rate *= std::sqrt(static_cast<T>(std::max(p.rows, p.cols))) * static_cast<T>(form_.muon.rms_rate);
  backend.blend(lease, Blend::kSubtract, rate, T(0), g, due.w + p.offset, size);
}

template <class T>
void Optimizer<T>::take_by_norm(Lease& lease, const Backend<T>& backend, const Update<T>& due,
                                const Parameter& p) const {
  T* const w = due.w + p.offset;
  const T* const step = due.slots[2] + p.offset;
  const T size = std::sqrt(backend.sum_of_squares(lease, w, p.extent()));
  const T length = std::sqrt(backend.sum_of_squares(lease, step, p.extent()));
  const T ratio = size > 0 && length > 0 ? size / length : T(1);
  over(p, !std::isfinite(ratio), [&](std::int64_t first, std::int64_t count) {
    backend.blend(lease, Blend::kSubtract, ratio * due.form.lr, T(0), due.slots[2] + first, due.w + first,
                  count);
  });
}

template <class T>
void Optimizer<T>::average(Lease& lease, const Backend<T>& backend, T* w) const {
  T* const mean = slot("average");
  const std::int64_t step = step_number();
  const T kept = step == 1 ? T(0) : static_cast<T>(form_.ema_momentum);
  const std::int64_t every = form_.ema_overwrite_frequency;
  for (const Parameter& p : parameters_) {
    backend.blend(lease, Blend::kAverage, kept, T(1) - kept, w + p.offset, mean + p.offset, p.extent());
    if (every > 0 && step % every == 0)
      backend.blend(lease, Blend::kCopy, T(0), T(0), mean + p.offset, w + p.offset, p.extent());
  }
}

template <class T>
void Optimizer<T>::count_step() {
  if (form_.kind == OptimizerKind::kNadam && steps_now()) *slot("u_product") = next_product();
  ++*iterations_;
  if (growth_steps_ == 0 || ++*scaled_steps_ < growth_steps_) return;
  *scaled_steps_ = 0;
  *scale_ *= 2;
}

template <class T>
std::int64_t Optimizer<T>::coming(std::int64_t steps, StepForm<T>* forms) {
  // Counted in a copy, and what the count changes put back.
  struct Ahead {
    Optimizer& self;
    std::int64_t* const counted;
    T* const product;
    const T product_now;
    std::int64_t number;
    explicit Ahead(Optimizer& optimizer)
        : self(optimizer),
          counted(optimizer.iterations_),
          product(optimizer.slot("u_product")),
          product_now(product != nullptr ? *product : T(0)),
          number(*counted) {
      self.iterations_ = &number;
    }
    ~Ahead() {
      self.iterations_ = counted;
      if (product != nullptr) *product = product_now;
    }
  } const ahead(*this);
  for (std::int64_t k = 0; k < steps; ++k) {
    try {
      forms[k] = update(nullptr, nullptr).form;
    } catch (...) {
      if (k == 0) throw;
      return k;
    }
    count_step();
  }
  return steps;
}

#define LAMINA_INSTANTIATE(T)                                                                               \
  template std::int64_t Optimizer<T>::step_number() const;                                                  \
  template std::int64_t Optimizer<T>::coming(std::int64_t, StepForm<T>*);                                   \
  template bool Optimizer<T>::steps_now() const;                                                            \
  template T Optimizer<T>::next_product() const;                                                            \
  template Update<T> Optimizer<T>::update(const T*, T*) const;                                              \
  template bool Optimizer<T>::overflows(const Backend<T>&, const T*, const std::vector<bool>&) const;       \
  template bool Optimizer<T>::step(Lease&, const Backend<T>&, const Update<T>&, T*, T*,                     \
                                   const std::vector<bool>&) const;                                         \
  template void Optimizer<T>::take_by_norm(Lease&, const Backend<T>&, const Update<T>&, const Parameter&)   \
      const;                                                                                                \
  template void Optimizer<T>::decay(Lease&, const Backend<T>&, const Update<T>&, std::size_t) const;        \
  template void Optimizer<T>::take_factored(const Backend<T>&, const Update<T>&, const Parameter&, T*)      \
      const;                                                                                                \
  template void Optimizer<T>::take_orthogonal(Lease&, const Backend<T>&, const Update<T>&, std::size_t, T*) \
      const;                                                                                                \
  template void Optimizer<T>::average(Lease&, const Backend<T>&, T*) const;                                 \
  template void Optimizer<T>::count_step();
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
