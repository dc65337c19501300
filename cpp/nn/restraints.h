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

  // The sum of the penalties as they were last evaluated, in the order of the parameters.
  double sum() const;

 private:
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
  Buffer<double> values_;  // each penalty
  Buffer<T> rows_;         // one, row by row
};

}  // namespace lamina
