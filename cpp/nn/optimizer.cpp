#include "nn/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lamina {

// Keras on TensorFlow makes float32 of these, in float64 models too: SGD's momentum, Adagrad's and Ftrl's
// start, and the weight decay.
template <class T>
Optimizer<T>::Optimizer(const OptimizerForm& form) : form_(form) {
  const auto single = [](double x) { return static_cast<double>(static_cast<float>(x)); };
  if (form_.kind == OptimizerKind::kSgd) form_.momentum = single(form_.momentum);
  form_.initial_accumulator = single(form_.initial_accumulator);
  if (form_.weight_decay) form_.weight_decay = single(*form_.weight_decay);
  if (form_.adam_weight_decay) form_.adam_weight_decay = single(*form_.adam_weight_decay);
  const bool whole = form_.kind == OptimizerKind::kLamb || form_.kind == OptimizerKind::kAdafactor ||
                     form_.kind == OptimizerKind::kMuon;
  // Without an epsilon 0 / 0 would get into the zeros between the parameters, so that they must be spared.
  const bool spares = static_cast<T>(form_.epsilon) == 0;
  at_once_ = !whole && !spares && !(form_.clipnorm > 0) && !(form_.global_clipnorm > 0) &&
             !(form_.clipvalue > 0) && !form_.use_ema && form_.gradient_accumulation_steps == 0;
}

template <class T>
void Optimizer<T>::share(std::int64_t* iterations, const float* rate, const double* wide_rate) {
  iterations_ = iterations;
  rate_ = rate;
  wide_rate_ = wide_rate;
}

template <class T>
void Optimizer<T>::scale_dynamically(std::int64_t growth_steps, std::int64_t* steps, float* scale) {
  growth_steps_ = growth_steps;
  scaled_steps_ = steps;
  scale_ = scale;
  at_once_ = false;
}

template <class T>
std::vector<typename Optimizer<T>::Slot> Optimizer<T>::made_slots(std::int64_t size, Memory& memory) const {
  std::vector<Slot> made;
  std::int64_t run = 0;
  const auto add = [&](const char* name, double value = 0) {
    made.push_back({name, Buffer<T>(size, memory), run});
    if (value != 0) std::fill_n(made.back().values.data(), size, static_cast<T>(value));
  };
  const auto add_alone = [&](const char* name) {
    ++run;
    add(name);
  };
  if (form_.use_ema) add_alone("average");
  if (form_.gradient_accumulation_steps > 0) add_alone("gradient_accumulator");
  ++run;
  switch (form_.kind) {
    case OptimizerKind::kSgd:
      if (form_.momentum != 0) add("momentum");
      break;
    case OptimizerKind::kRmsprop:
      add("velocity");
      if (form_.momentum > 0) add_alone("momentum");
      if (form_.centered) add_alone("average_gradient");
      break;
    case OptimizerKind::kAdagrad:
      add("accumulator", form_.initial_accumulator);
      break;
    case OptimizerKind::kAdam:
    case OptimizerKind::kLamb:
    case OptimizerKind::kScheduleFreeAdamW:
      add("momentum");
      add("velocity");
      if (form_.kind == OptimizerKind::kAdam && form_.amsgrad) add_alone("velocity_hat");
      break;
    case OptimizerKind::kAdadelta:
      add("accumulated_grad");
      add("accumulated_delta_var");
      break;
    case OptimizerKind::kAdamax:
      add("momentum");
      add("norm");
      break;
    case OptimizerKind::kNadam:
      add("momentum");
      add("velocity");
      made.push_back({"u_product", Buffer<T>(1), ++run});  // no verb reads it
      *made.back().values.data() = 1;
      break;
    case OptimizerKind::kFtrl:
      add("accumulator", form_.initial_accumulator);
      add("linear");
      break;
    case OptimizerKind::kLion:
      add("momentum");
      break;
    case OptimizerKind::kAdafactor:
      add("r");
      add("c");
      add("velocity");
      break;
    case OptimizerKind::kMuon:
      add("momentum");
      add("velocity");
      break;
  }
  return made;
}

namespace {

// Where element k of a parameter, in Keras's order, lies in its block.
std::int64_t place(const Parameter& p, std::int64_t k) {
  const std::int64_t row = p.transposed ? k % p.rows : k / p.cols;
  const std::int64_t col = p.transposed ? k / p.rows : k % p.cols;
  return p.offset + row * p.stride + col;
}

}  // namespace

template <class T>
void Optimizer<T>::bind(const Network<T>& network) {
  network.require_built();
  if (bound_ && layout_ == network.layout()) return;
  const std::vector<const Parameter*> all = network.parameter_list();
  std::vector<std::size_t> learning;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i]->learns()) learning.push_back(i);
  if (!bound_) {
    std::vector<Parameter> wanted;
    for (const std::size_t i : learning) wanted.push_back(*all[i]);
    bind(std::move(wanted), network.trainable_size(), network.parameters(), network.backend().memory());
  }
  bind(network, learning);
}

template <class T>
void Optimizer<T>::bind(const Network<T>& network, const std::vector<std::size_t>& known) {
  network.require_built();
  const std::vector<const Parameter*> all = network.parameter_list();
  std::vector<Parameter> wanted;
  std::vector<bool> absent;
  // Where nothing learns in a layer its parameters lie behind the others, and so do their slots.
  std::int64_t size = network.trainable_size();
  for (const std::size_t i : known) {
    require(i < all.size(), "known: expected numbers below ", all.size(), ", got ", i);
    wanted.push_back(*all[i]);
    absent.push_back(!wanted.back().learns());
    size = std::max(size, wanted.back().offset + wanted.back().extent());
  }
  const auto same_size = [](const Parameter& a, const Parameter& b) {
    return a.rows * a.cols == b.rows * b.cols;
  };
  require(
      bound_ && std::equal(wanted.begin(), wanted.end(), parameters_.begin(), parameters_.end(), same_size),
      "optimizer: it was built for other parameter shapes; make a new one for this model");
  move_slots(std::move(wanted), size, network.backend().memory());
  absent_ = std::move(absent);
  whole_ = network.steps_as_one();
  layout_ = network.layout();
}

template <class T>
void Optimizer<T>::move_slots(std::vector<Parameter> to, std::int64_t size, Memory& memory) {
  const auto same_place = [](const Parameter& a, const Parameter& b) {
    return a.rows == b.rows && a.cols == b.cols && a.offset == b.offset;
  };
  const bool stays = std::equal(to.begin(), to.end(), parameters_.begin(), same_place);
  for (Slot& slot : slots_) {
    if (slot.values.size() == 1 || (stays && slot.values.size() == size && slot.values.is_from(memory)))
      continue;
    Buffer<T> moved(size, memory);
    const bool of_sides = slot.name == "r" || slot.name == "c";  // Adafactor's: as long as one side, in a row
    for (std::size_t i = 0; i < to.size(); ++i) {
      const Parameter &from = parameters_[i], &there = to[i];
      if (of_sides) {
        std::copy_n(slot.values.data() + from.offset, std::max(from.rows, from.cols),
                    moved.data() + there.offset);
        continue;
      }
      for (std::int64_t k = 0; k < there.rows * there.cols; ++k)
        moved.data()[place(there, k)] = slot.values.data()[place(from, k)];
    }
    retired_.push_back(std::move(slot.values));
    slot.values = std::move(moved);
  }
  parameters_ = std::move(to);
  make_scratch(size, memory);
}

template <class T>
void Optimizer<T>::bind(std::vector<Parameter> parameters, std::int64_t size, const T* w, Memory& memory) {
  std::vector<Slot> slots = made_slots(size, memory);
  if (form_.kind == OptimizerKind::kScheduleFreeAdamW)  // its momentum is a point, not a direction
    for (Slot& slot : slots)
      if (slot.name == "momentum") std::copy_n(w, size, slot.values.data());
  slots_.swap(slots);
  parameters_ = std::move(parameters);
  try {
    fill_from_restored();
  } catch (...) {
    slots_.clear();
    parameters_.clear();
    throw;
  }
  make_scratch(size, memory);
  bound_ = true;
}

template <class T>
void Optimizer<T>::make_scratch(std::int64_t size, Memory& memory) {
  if (form_.kind == OptimizerKind::kLamb) scratch_ = Buffer<T>(size, memory);
  std::int64_t sides = 0, matrix = 0, square = 0;
  for (const Parameter& p : parameters_) {
    if (p.vector) continue;
    sides = std::max(sides, p.rows + p.cols);
    matrix = std::max(matrix, MuonScratch<T>::matrix_size(p));
    square = std::max(square, MuonScratch<T>::square_size(p));
  }
  if (form_.kind == OptimizerKind::kAdafactor) sums_ = Buffer<double>(sides);
  if (form_.kind == OptimizerKind::kMuon) muon_ = MuonScratch<T>(matrix, square, memory);
}

template <class T>
void Optimizer<T>::exclude_from_decay(std::vector<bool> excluded) {
  undecayed_ = std::move(excluded);
  if (form_.weight_decay && std::find(undecayed_.begin(), undecayed_.end(), true) != undecayed_.end())
    at_once_ = false;
}

template <class T>
template <class F>
void Optimizer<T>::each_part(const Slot& slot, F&& f) const {
  if (slot.values.size() == 1) return f(slot.values.data(), 1);
  for (const Parameter& p : parameters_) f(slot.values.data() + p.offset, p.extent());
}

template <class T>
std::vector<std::vector<T>> Optimizer<T>::state() const {
  if (!bound_) return restored_;
  std::vector<std::vector<T>> all;
  for (const Slot& s : slots_) {
    all.emplace_back();
    each_part(s, [&](const T* values, std::int64_t size) {
      all.back().insert(all.back().end(), values, values + size);
    });
  }
  return all;
}

template <class T>
void Optimizer<T>::restore(std::int64_t iterations, std::vector<std::vector<T>> slots) {
  require(iterations >= 0, "iterations: expected 0 or more, got ", iterations);
  const std::size_t expected = made_slots(0, host_memory()).size();
  require(slots.empty() || slots.size() == expected, "slots: expected ", expected, ", got ", slots.size());
  restored_ = std::move(slots);
  if (bound_) fill_from_restored();
  *iterations_ = iterations;
}

template <class T>
void Optimizer<T>::fill_from_restored() {
  if (restored_.empty()) return;
  for (std::size_t k = 0; k < slots_.size(); ++k) {
    std::int64_t expected = 0;
    each_part(slots_[k], [&](const T*, std::int64_t size) { expected += size; });
    require(static_cast<std::int64_t>(restored_[k].size()) == expected, "slots: ", slots_[k].name,
            ": expected ", expected, " values, got ", restored_[k].size());
  }
  for (std::size_t k = 0; k < slots_.size(); ++k) {
    const T* from = restored_[k].data();
    each_part(slots_[k], [&](T* values, std::int64_t size) {
      std::copy_n(from, size, values);
      from += size;
    });
  }
  restored_.clear();
}

template <class T>
T* Optimizer<T>::slot(std::string_view name) const {
  for (const Slot& s : slots_)
    if (s.name == name) return s.values.data();
  return nullptr;
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace lamina
