#include "nn/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lamina {

// Keras on TensorFlow makes float32 of these three, in float64 models too: Adam's betas before they are
// raised (with float 0.999, 1 - beta^1 is 6e-6 off that in double, and so is the first step), SGD's momentum
// and Adagrad's start.
template <class T>
Optimizer<T>::Optimizer(const OptimizerForm& form) : form_(form) {
  if (form_.kind == OptimizerKind::kSgd)
    form_.momentum = static_cast<double>(static_cast<float>(form_.momentum));
  form_.initial_accumulator = static_cast<double>(static_cast<float>(form_.initial_accumulator));
}

template <class T, class Power>
StepForm<T> step_form(const OptimizerForm& f, std::int64_t t) {
  StepForm<T> s;
  s.lr = static_cast<T>(f.learning_rate);
  s.momentum = static_cast<T>(f.momentum);
  s.rho = static_cast<T>(f.rho);
  s.one_minus_rho = static_cast<T>(1 - f.rho);
  s.one_minus_beta1 = static_cast<T>(1 - f.beta1);
  s.one_minus_beta2 = static_cast<T>(1 - f.beta2);
  s.epsilon = static_cast<T>(f.epsilon);
  s.nesterov = f.nesterov;
  if (f.kind == OptimizerKind::kAdam) {
    const double steps = static_cast<double>(t);
    const T power1 = static_cast<T>(std::pow(static_cast<double>(static_cast<Power>(f.beta1)), steps));
    const T power2 = static_cast<T>(std::pow(static_cast<double>(static_cast<Power>(f.beta2)), steps));
    s.lr = s.lr * std::sqrt(T(1) - power2) / (T(1) - power1);
  }
  return s;
}

template <class T>
std::vector<std::string> Optimizer<T>::slot_names() const {
  switch (form_.kind) {
    case OptimizerKind::kSgd:
      return form_.momentum != 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{};
    case OptimizerKind::kRmsprop: {
      std::vector<std::string> names{"velocity"};
      if (form_.momentum > 0) names.emplace_back("momentum");
      if (form_.centered) names.emplace_back("average_gradient");
      return names;
    }
    case OptimizerKind::kAdagrad:
      return {"accumulator"};
    case OptimizerKind::kAdam:
      return form_.amsgrad ? std::vector<std::string>{"momentum", "velocity", "velocity_hat"}
                           : std::vector<std::string>{"momentum", "velocity"};
  }
  return {};
}

template <class T>
void Optimizer<T>::bind(const Network<T>& network) {
  network.require_built();
  std::vector<Parameter> wanted;
  for (const Parameter* p : network.trainable()) wanted.push_back(*p);
  if (bound_) {
    const bool same = std::equal(wanted.begin(), wanted.end(), parameters_.begin(), parameters_.end(),
                                 [](const Parameter& a, const Parameter& b) {
                                   return a.rows == b.rows && a.cols == b.cols && a.offset == b.offset;
                                 });
    require(same, "optimizer: it was built for other parameter shapes; make a new one for this model");
    return;
  }
  std::vector<Slot> slots;
  for (auto& name : slot_names()) {
    slots.push_back({name, Buffer<T>(network.trainable_size())});
    if (form_.kind == OptimizerKind::kAdagrad)
      std::fill_n(slots.back().values.data(), network.trainable_size(),
                  static_cast<T>(form_.initial_accumulator));
  }
  slots_.swap(slots);
  try {
    fill_from_restored();
  } catch (...) {
    slots_.clear();
    throw;
  }
  parameters_ = std::move(wanted);
  bound_ = true;
}

template <class T>
std::vector<std::vector<T>> Optimizer<T>::state() const {
  if (!bound_) return restored_;
  std::vector<std::vector<T>> all;
  for (const Slot& s : slots_) all.emplace_back(s.values.data(), s.values.data() + s.values.size());
  return all;
}

template <class T>
void Optimizer<T>::restore(std::int64_t iterations, std::vector<std::vector<T>> slots) {
  require(iterations >= 0, "iterations: expected 0 or more, got ", iterations);
  require(slots.empty() || slots.size() == slot_names().size(), "slots: expected ", slot_names().size(),
          ", got ", slots.size());
  restored_ = std::move(slots);
  if (bound_) fill_from_restored();
  iterations_ = iterations;
}

template <class T>
void Optimizer<T>::fill_from_restored() {
  if (restored_.empty()) return;
  for (std::size_t k = 0; k < slots_.size(); ++k)
    require(static_cast<std::int64_t>(restored_[k].size()) == slots_[k].values.size(),
            "slots: ", slots_[k].name, ": expected ", slots_[k].values.size(), " values, got ",
            restored_[k].size());
  for (std::size_t k = 0; k < slots_.size(); ++k)
    std::copy(restored_[k].begin(), restored_[k].end(), slots_[k].values.data());
  restored_.clear();
}

template <class T>
T* Optimizer<T>::slot(std::string_view name) const {
  for (const Slot& s : slots_)
    if (s.name == name) return s.values.data();
  return nullptr;
}

template <class T>
Update<T> Optimizer<T>::update(const T* dw, T* w) const {
  Update<T> update{form_.kind, step_form<T, float>(form_, iterations_ + 1), dw, w, {}};
  const auto slots = [&](const char* first, const char* second = "", const char* third = "") {
    update.slots[0] = slot(first);
    update.slots[1] = slot(second);
    update.slots[2] = slot(third);
  };
  switch (form_.kind) {
    case OptimizerKind::kSgd:
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
  }
  return update;
}

template StepForm<float> step_form<float, float>(const OptimizerForm&, std::int64_t);
template StepForm<double> step_form<double, double>(const OptimizerForm&, std::int64_t);
template StepForm<double> step_form<double, float>(const OptimizerForm&, std::int64_t);
template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace lamina
