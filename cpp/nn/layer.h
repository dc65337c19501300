// A layer: what is computed, in the backend's verbs. It holds no numbers of its own: parameters, gradients
// and what is kept from forward to backward lie in blocks that others own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.h"

namespace lamina {

struct Parameter {
  std::string name;
  std::int64_t rows = 1;
  std::int64_t cols = 0;
  bool trainable = true;
  bool transposed = false;               // Keras's shape is (cols, rows)
  bool vector = true;                    // Keras's shape is (cols,)
  std::int64_t offset = 0;               // in the network's flat block
  std::int64_t stride = 0;               // from row to row
  bool frozen = false;                   // takes no step, though trainable
  std::vector<std::int64_t> shape = {};  // Keras's, if it is none of the above
  Penalty<double> penalty = {};
  double orthogonality = 0;         // factor of the penalty on the angles between its vectors:
  bool orthogonal_columns = false;  // columns of what Keras sees, or its rows
  Constraint<double> constraint = {};

  bool learns() const { return trainable && !frozen; }
  std::int64_t extent() const { return rows * stride; }
};

// The caller's own restraints of a parameter; null: none.
template <class T>
struct OwnRestraint {
  std::size_t parameter = 0;
  // The penalty; its gradient is added to dw (null: not wanted).
  std::function<double(const Parameter&, const T* w, T* dw)> penalty;
  std::function<void(const Parameter&, T* w)> constraint;
};

template <class T>
class Restraints;

// One pass over a batch: who computes, on which blocks, and which random numbers are due.
template <class T>
struct Pass {
  const Backend<T>& backend;
  Lease& lease;
  T* parameters = nullptr;
  T* gradients = nullptr;
  bool training = false;
  std::uint64_t step = 0;
  const Samples<T>* samples = nullptr;  // the network's input, where it comes as these and not as a matrix
  std::int64_t depth_below = 0;         // of the product that the layer's input came out of, see Input
  const Update<T>* update = nullptr;    // to be taken at once by whoever has a parameter's gradient; or null
  const Restraints<T>* restraints = nullptr;  // with an update: of the parameters that can't take it at once
  // Where the penalties on outputs go, one for each of Forward::penalties(), and those on weights, see
  // Restraints::penalties().
  double* output_penalties = nullptr;
  double* weight_penalties = nullptr;
};

template <class T>
class Layer {
 public:
  Layer(std::int64_t inputs, std::int64_t outputs) : inputs_(inputs), outputs_(outputs) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Values per sample.
  std::int64_t inputs() const { return inputs_; }
  std::int64_t outputs() const { return outputs_; }

  // Values per position: what a softmax runs over.
  virtual std::int64_t features() const { return outputs_; }

  const std::vector<Parameter>& parameters() const { return parameters_; }
  // Puts parameter k there; its rows are as far apart as the kernels like it best.
  void place(std::size_t k, std::int64_t offset) {
    parameters_[k].offset = offset;
    parameters_[k].stride = row_stride<T>(parameters_[k].cols);
  }

  // A frozen parameter takes no step; a layer with frozen statistics uses those it has, in training too.
  void freeze(std::size_t k, bool frozen) { parameters_[k].frozen = frozen; }
  void freeze_statistics(bool statistics) { frozen_statistics_ = statistics; }
  bool frozen_statistics() const { return frozen_statistics_; }
  // Whether any of its parameters takes steps: otherwise backward has no place for their gradients.
  bool learns() const {
    for (const Parameter& p : parameters_)
      if (p.learns()) return true;
    return false;
  }
  // Whether backward computes this parameter's gradient: it does of all or of none, also where one is frozen.
  bool gives_gradient(const Parameter& p) const { return p.trainable && learns(); }

  // What the trainer asks of parameter k besides a small loss; set before there is a trainer.
  void penalise(std::size_t k, const Penalty<double>& penalty) { parameters_[k].penalty = penalty; }
  void penalise_angles(std::size_t k, double factor, bool columns) {
    parameters_[k].orthogonality = factor;
    parameters_[k].orthogonal_columns = columns;
  }
  void constrain(std::size_t k, const Constraint<double>& constraint) {
    parameters_[k].constraint = constraint;
  }

  void restrain(OwnRestraint<T> own) { own_.push_back(std::move(own)); }
  const std::vector<OwnRestraint<T>>& own_restraints() const { return own_; }

  // Called once, before any pass: puts what verbs read besides parameters into this memory.
  virtual void settle(Memory&) {}

  // Values kept between forward and backward, for a batch of so many samples.
  virtual std::int64_t workspace(std::int64_t) const { return 0; }

  // True where it passes its input on unchanged; forward and backward are then not called.
  virtual bool identity(bool) const { return false; }

  // The activation that its output comes out of; logits() gives what goes into it, in `buffer` or elsewhere.
  virtual Activation head() const { return Activation::kLinear; }
  // The same in bfloat16, where it is nothing to a loss: Keras casts the output before it.
  virtual Activation rounded_head() const { return Activation::kLinear; }
  virtual ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T> buffer) const = 0;

  // The rest of the way from logits(), where there is a head.
  virtual void output_from_logits(const Pass<T>& pass, ConstMatrix<T> logits, Matrix<T> y) const {
    pass.backend.activation(pass.lease, head(), logits.reshaped(features()), y.reshaped(features()));
  }

  virtual void forward(const Pass<T>&, ConstMatrix<T> x, Matrix<T> y, T* workspace) const = 0;

  // dx = the gradient at x (dx null: not wanted); parameters' gradients go to the pass. dy is the gradient at
  // y, or with at_logits at the head's logits; it may be overwritten. x came out of the activation `below`,
  // and the gradient wanted is that at its logits: only what joins() gives.
  virtual void backward(const Pass<T>&, ConstMatrix<T> x, ConstMatrix<T> y, Matrix<T> dy, bool at_logits,
                        Activation below, Matrix<T> dx, T* workspace) const = 0;
  // The activation of the layer below whose slope backward multiplies in, if it does.
  virtual Activation joins(const Layer&) const { return Activation::kLinear; }
  // What it does to the input, if it is a rescaling and nothing else.
  virtual const Rescale<T>* rescales() const { return nullptr; }
  // Its activation, if it is y = a(x wT + b) of a sample as a whole, parameter 0 being w and 1, if there is
  // one, b.
  virtual const Activation* dense() const { return nullptr; }
  // What it drops in training, value by value, if it does that and nothing else.
  virtual const Dropping* drops() const { return nullptr; }
  // The same as dense(), if it is y = a(x) of a sample as a whole.
  virtual const Activation* activates() const { return nullptr; }
  // The penalty on its input, if it is that and nothing else.
  virtual const Penalty<T>* penalises() const { return nullptr; }
  // The depth of its product, if it has one: see Input.
  virtual std::int64_t depth() const { return 0; }
  // Whether x may have no values, but stand for the pass's samples.
  virtual bool reads_samples() const { return false; }

  // What a training step changes besides trainable parameters, once the step is certain.
  virtual void commit(const Pass<T>&, T*) const {}

 protected:
  T* value(const Pass<T>& pass, std::size_t k) const { return pass.parameters + parameters_[k].offset; }
  T* gradient(const Pass<T>& pass, std::size_t k) const { return pass.gradients + parameters_[k].offset; }

  std::vector<Parameter> parameters_;

 private:
  std::int64_t inputs_, outputs_;
  bool frozen_statistics_ = false;
  std::vector<OwnRestraint<T>> own_;
};

}  // namespace lamina
