// What is asked of a network's weights besides a small loss: penalties, whose gradients join the weights',
// and constraints, which a step ends with. Parameters that have either take their step after their gradient
// is whole, never with it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/memory.h"
#include "nn/network.h"
#include "nn/orthogonality.h"

namespace lamina {

template <class T>
class Restraints {
 public:
  explicit Restraints(const Network<T>& network);

  // Of this layer's parameters or of any.
  bool concern(const Layer<T>& layer) const;
  bool any() const { return !held_.empty(); }
  // The caller's own may throw: no step may have been taken by then.
  bool may_throw() const;

  // All penalties at the pass's parameters.
  void evaluate(const Pass<T>& pass) const { evaluate(pass, nullptr, false); }
  // The same, and their gradients added to the pass's.
  void add_gradients(const Pass<T>& pass) const { evaluate(pass, nullptr, true); }
  void constrain(const Pass<T>& pass) const { constrain(pass, nullptr); }

  // One layer's part of a step whose gradients are whole but for the penalties': these, the update and the
  // constraints.
  void step(const Pass<T>& pass, const Layer<T>& layer, const Update<T>& update) const;

  // How many numbers evaluation leaves at the pass's weight_penalties, of which some stay 0: of each
  // parameter the penalty, that on angles and the caller's own.
  std::int64_t penalties() const { return kEach * static_cast<std::int64_t>(held_.size()); }
  // Their sum, in the order of the parameters.
  double sum(const double* penalties) const;

 private:
  static constexpr std::int64_t kEach = 3;

  struct Held {
    const Layer<T>* layer;
    const Parameter* parameter;
    Penalty<T> penalty;
    Constraint<T> constraint;
    const OwnRestraint<T>* own;  // or null
    std::optional<Orthogonality<T>> orthogonality;
  };

  // Of one layer, or of all (null).
  void evaluate(const Pass<T>& pass, const Layer<T>* layer, bool gradients) const;
  void constrain(const Pass<T>& pass, const Layer<T>* layer) const;

  std::vector<Held> held_;
  Buffer<T> rows_;  // of a penalty, row by row
};

}  // namespace lamina
