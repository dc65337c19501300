// An optimizer: its numbers, its count of steps, and its slots, each a flat range laid out as the network's
// trainable parameters are.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "nn/muon.h"
#include "nn/network.h"
#include "nn/optimizer_form.h"

namespace lamina {

template <class T>
class Optimizer {
 public:
  struct Slot {
    std::string name;
    Buffer<T> values;      // of one element: a number of its own, not one per parameter
    std::int64_t run = 0;  // slots of one run alternate, parameter by parameter, in Keras's order
  };
  // The learning rate of a step, by the number of calls before it.
  using Schedule = std::function<double(std::int64_t)>;

  explicit Optimizer(const OptimizerForm& form);
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  const OptimizerForm& form() const { return form_; }
  void set_learning_rate(double lr) { form_.learning_rate = lr; }
  // How often it was called; with gradients accumulated, a step is taken every so many calls.
  std::int64_t iterations() const { return *iterations_; }
  void set_iterations(std::int64_t n) { *iterations_ = n; }

  // Count of calls and learning rate are held there from now on; one of the two rates is not null.
  void share(std::int64_t* iterations, const float* rate, const double* wide_rate);
  // A loss is scaled by *scale so that gradients do not underflow: a step whose gradients, scaled so, are not
  // finite is left out and halves it; so many steps in a row that are taken, of which *steps is the number,
  // double it. The gradients that step() gets are not scaled.
  void scale_dynamically(std::int64_t growth_steps, std::int64_t* steps, float* scale);
  void set_schedule(Schedule schedule) { schedule_ = std::move(schedule); }

  // Makes the slots for this network's learning parameters, or gives those it has their places there;
  // std::invalid_argument if they were made for other shapes.
  void bind(const Network<T>& network);
  // The same where the slots it has are these parameters', by number: one that does not learn now keeps its
  // slots and takes no step.
  void bind(const Network<T>& network, const std::vector<std::size_t>& known);
  // The same for parameters whose values are w.
  void bind(std::vector<Parameter> parameters, std::int64_t size, const T* w, Memory& memory = host_memory());
  bool bound() const { return bound_; }
  // Parameters whose weights do not decay, by number; before the first step.
  void exclude_from_decay(std::vector<bool> excluded);
  // Muon's parameters that take Adam's step instead, by number; before the first step.
  void leave_to_adam(std::vector<bool> left) { adams_ = std::move(left); }
  // Each of these, which live as long as this one, takes the step of its own parameters; this one only
  // counts.
  void delegate(std::vector<Optimizer*> parts) { parts_ = std::move(parts); }
  bool left_to_adam(std::size_t i) const { return i < adams_.size() && adams_[i]; }
  const std::vector<Slot>& slots() const { return slots_; }
  // The parameters that the slots belong to.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  // Of those, the ones that do not learn now.
  const std::vector<bool>& absent() const { return absent_; }
  // A copy of the slots' values, those not yet bound included; parameter after parameter, wherever they lie.
  std::vector<std::vector<T>> state() const;
  // Slots that another optimizer of this form had; checked against the network's at once, or when it is
  // bound.
  void restore(std::int64_t iterations, std::vector<std::vector<T>> slots);

  // Whether a parameter's step can be taken as soon as its gradient is there, whatever the others' are, by
  // the verb `update`; if not, step() takes all at once.
  bool at_once() const { return at_once_ && whole_ && parts_.empty(); }
  // The step that is due, on these gradients and parameters; count_step() once it is taken.
  Update<T> update(const T* dw, T* w) const;
  // The numbers of the next steps, before they are counted; returns how many of them there are: fewer where
  // the schedule of a later one throws.
  std::int64_t coming(std::int64_t steps, StepForm<T>* forms);
  // Takes the step that is due, if it is to be taken; dw is of no use then. absent: parameters, by number,
  // that have no gradient and take no step; empty where all have one.
  bool step(Lease& lease, const Backend<T>& backend, const Update<T>& due, T* dw, T* w,
            const std::vector<bool>& absent = {}) const;
  void count_step();

 private:
  std::vector<Slot> made_slots(std::int64_t size, Memory& memory) const;
  void fill_from_restored();
  // f(values, size) for what a slot holds of each parameter, in their order; or of its one number.
  template <class F>
  void each_part(const Slot& slot, F&& f) const;
  T* slot(std::string_view name) const;
  std::int64_t step_number() const;  // from 1
  T next_product() const;            // Nadam's
  bool steps_now() const;
  bool overflows(const Backend<T>& backend, const T* dw, const std::vector<bool>& absent) const;
  void move_slots(std::vector<Parameter> to, std::int64_t size, Memory& memory);
  // A gradient is clipped by a norm as dw times / over.
  struct Scaling {
    T times = 1, over = 1;
    bool changes() const { return times != T(1) || over != T(1); }  // most don't where the bound is 1
    bool finite() const { return std::isfinite(times) && std::isfinite(over); }
  };
  // This parameter's own: by its norm, times most over max(norm, most); or by value, which is done at once.
  Scaling clip_of(Lease& lease, const Backend<T>& backend, const Parameter& p, T* dw) const;
  Scaling global_clip(Lease& lease, const Backend<T>& backend, const T* dw,
                      const std::vector<bool>& absent) const;
  void decay(Lease& lease, const Backend<T>& backend, const Update<T>& due, std::size_t i) const;
  void take_by_norm(Lease& lease, const Backend<T>& backend, const Update<T>& due, const Parameter& p) const;
  void take_factored(const Backend<T>& backend, const Update<T>& due, const Parameter& p, T* dw) const;
  void take_orthogonal(Lease& lease, const Backend<T>& backend, const Update<T>& due, std::size_t i,
                       T* dw) const;
  void make_scratch(std::int64_t size, Memory& memory);
  void average(Lease& lease, const Backend<T>& backend, T* w) const;

  OptimizerForm form_;
  std::int64_t own_iterations_ = 0;
  std::int64_t* iterations_ = &own_iterations_;
  const float* rate_ = nullptr;
  const double* wide_rate_ = nullptr;
  Schedule schedule_;
  std::int64_t growth_steps_ = 0;  // 0: no dynamic scale
  std::int64_t* scaled_steps_ = nullptr;
  float* scale_ = nullptr;
  bool at_once_ = true;
  bool whole_ = true;  // all parameters that have a gradient take the step
  std::vector<Slot> slots_;
  std::vector<Buffer<T>> retired_;  // slots that moved; others may still look at them
  std::vector<Parameter> parameters_;
  std::vector<bool> absent_;
  std::uint64_t layout_ = 0;  // of the network that the slots have their places in
  std::vector<bool> undecayed_;
  std::vector<bool> adams_;
  std::vector<Optimizer*> parts_;
  Buffer<T> scratch_;    // Lamb: the step
  Buffer<double> sums_;  // Adafactor: of rows and columns
  MuonScratch<T> muon_;
  bool bound_ = false;
  std::vector<std::vector<T>> restored_;
};

}  // namespace lamina
