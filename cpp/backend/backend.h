// The verbs: all that a network asks of a device. Each backend fills this list and nothing else; matrices are
// row-major, weights are held as (units, inputs). A verb's results do not depend on the lease's number of
// threads. A verb may return before its work is done: host code that reads or writes what verbs touch calls
// finish() first. Numbers that verbs give are therefore written to where they are told.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/stack.h"
#include "backend/tally.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/rows.h"
#include "base/team.h"
#include "kernels/arguments.h"
#include "kernels/nonlinearity.h"
#include "kernels/normalisation_table.h"

namespace lamina {

// What a batch-normalization layer holds, each one value per channel; null where it has none.
template <class T>
struct BatchNormValues {
  const T* gamma;
  const T* beta;
  T* mean;      // of the batch (written by forward in training) or the moving one
  T* variance;  // likewise
  T* inverse;   // written: 1 / sqrt(variance + epsilon)
  T* scale;     // scratch: gamma * inverse
};

// Batch renormalization (Ioffe, 2017): how far a batch's mean and deviation are from the moving ones that
// training goes by, cut to [rmin, rmax] and [-dmax, dmax] (infinite: uncut).
template <class T>
struct Renorm {
  T epsilon, rmin, rmax, dmax;
};

// Each one value per channel.
template <class T>
struct RenormValues {
  const T* mean;      // of the batch
  const T* variance;  // likewise
  const T* moving_mean;
  const T* moving_deviation;
  const T* gamma;  // null: 1
  const T* beta;   // null: 0
  T* deviation;    // written: sqrt(variance + epsilon)
  T* r;            // written: deviation / max(moving_deviation, sqrt(epsilon)), cut
  T* d;            // written: (mean - moving_mean) / max(moving_deviation, sqrt(epsilon)), cut
  T* scale;        // written: r gamma
  T* shift;        // written: d gamma + beta
};

template <class T>
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;

  // Whether it works on a device of its own. Such a one touches only memory(), rows of data included, and its
  // verbs return before their work is done; host code may use memory() too, after finish().
  virtual bool on_device() const { return false; }
  virtual Memory& memory() const { return host_memory(); }
  // Returns once all that this thread has asked for is done; std::runtime_error if something failed.
  virtual void finish() const {}
  // What this thread asks for between the two is a step of a training, of which a device may make one call.
  virtual void begin_step() const {}
  virtual void end_step() const {}
  // Bytes of a data set that memory() has room for; a larger one comes batch by batch, by staging(), which is
  // the host's, and verbs read too.
  virtual std::int64_t room() const { return std::numeric_limits<std::int64_t>::max(); }
  virtual Memory& staging() const { return memory(); }
  // Marks how far this thread has asked, by 0 to 3; await() returns once all before that mark is done.
  virtual void mark(int) const {}
  virtual void await(int) const {}

  // A batch of so many rows and more may come to a dense layer as samples; a smaller one is gathered.
  virtual std::int64_t fewest_samples() const = 0;

  // out = the rows order[0..out.rows-1], or first.. where order is null.
  virtual void gather(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                      Matrix<T> out) const = 0;
  // The same for class numbers; see LabelRange.
  virtual void gather_labels(Lease& lease, const Rows& rows, const std::int64_t* order, std::int64_t first,
                             const LabelRange& range, Matrix<std::int64_t> out) const = 0;

  // y = a(x wT + b), b may be null.
  virtual void dense(Lease& lease, const Input<T>& x, ConstMatrix<T> w, const T* b, Activation a,
                     Matrix<T> y) const = 0;
  // dx = (dz w) a'(z) from y = a(z), the output of the layer below; linear: dx = dz w. w's rows may be read
  // to the end of their last cache line.
  virtual void dense_input_gradient(Lease& lease, ConstMatrix<T> dz, ConstMatrix<T> w, Activation a,
                                    const Input<T>& y, Matrix<T> dx) const = 0;
  // dw = dzT x, db = column sums of dz, db may be null; with an update the parameters take their step at
  // once, and what is left in dw and db is of no use. dw's rows are written to the end of their last vector,
  // with 0.
  virtual void dense_weight_gradient(Lease& lease, const Input<T>& x, ConstMatrix<T> dz, Matrix<T> dw, T* db,
                                     const Update<T>* update) const = 0;

  virtual void activation(Lease& lease, Activation a, ConstMatrix<T> x, Matrix<T> y) const = 0;
  // dx = dy a'(z) from the output y; dx may be dy.
  virtual void activation_gradient(Lease& lease, Activation a, ConstMatrix<T> y, ConstMatrix<T> dy,
                                   Matrix<T> dx) const = 0;

  // y = f(x), in other memory; rows of a gated unit halve.
  virtual void nonlinearity(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x, Matrix<T> y) const = 0;
  // dx = dy f'(x) with y = f(x), in other memory. dslopes: for slopes, one of each column. Either may be
  // null.
  virtual void nonlinearity_gradient(Lease& lease, const Nonlinearity<T>& f, ConstMatrix<T> x,
                                     ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx, T* dslopes) const = 0;

  // y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the batch's mean and variance in training; y
  // null: only these are wanted.
  virtual void batch_norm(Lease& lease, ConstMatrix<T> x, const BatchNormValues<T>& values, T epsilon,
                          bool training, Matrix<T> y) const = 0;
  virtual void batch_norm_gradient(Lease& lease, ConstMatrix<T> x, ConstMatrix<T> dy,
                                   const BatchNormValues<T>& values, T* dgamma, T* dbeta,
                                   Matrix<T> dx) const = 0;
  virtual void renorm(Lease& lease, const Renorm<T>& form, const RenormValues<T>& values,
                      std::int64_t channels) const = 0;

  // mask: 0 with probability rate, else 1 / (1 - rate), by place in the batch.
  virtual void dropout_mask(Lease& lease, const RandomStream& stream, double rate, Matrix<T> mask) const = 0;
  virtual void multiply(Lease& lease, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> out) const = 0;
  virtual void rescale(Lease& lease, const Rescale<T>& rescale, ConstMatrix<T> x, Matrix<T> y) const = 0;

  // out = base + mean + stddev z with normal numbers z, by place in the batch; base null: 0.
  virtual void normal(Lease& lease, const RandomStream& stream, double mean, double stddev,
                      ConstMatrix<T> base, Matrix<T> out) const = 0;
  // y[i][j] = x[i][from[j]]
  virtual void gather_columns(Lease& lease, ConstMatrix<T> x, const std::int64_t* from,
                              Matrix<T> y) const = 0;

  // Each row by itself, then y = gamma xhat + beta; see NormalisationForm.
  virtual void normalise(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                         const NormalisationValues<T>& values, Matrix<T> y) const = 0;
  // dgamma, dbeta and dx may be null; dx may be dy.
  virtual void normalise_gradient(Lease& lease, const NormalisationForm<T>& form, ConstMatrix<T> x,
                                  ConstMatrix<T> dy, const NormalisationValues<T>& values, T* dgamma,
                                  T* dbeta, Matrix<T> dx) const = 0;

  // *sum = the sum of the rows' weighted losses; rows: scratch, one value per row; see KernelTable::loss.
  virtual void loss(Lease& lease, const LossForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
                    const T* weight, T scale, T* rows, Matrix<T> gradient, double* sum) const = 0;
  // *sum = the sum of the metric over rows, each times its weight; weight null: 1.
  virtual void metric(Lease& lease, const MetricForm<T>& form, ConstMatrix<T> prediction, Target<T> target,
                      const T* weight, T* rows, double* sum) const = 0;
  // Adds a batch to the state of a metric that is no mean of rows.
  virtual void tally(Lease& lease, const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target,
                     const T* weight, double* state) const = 0;

  // The step of the parameters whose gradients are dw[0..size-1], a part of the update's range.
  virtual void update(Lease& lease, const Update<T>& update, const T* dw, std::int64_t size) const = 0;
  // The same after dw = dw a / b.
  virtual void scaled_update(Lease& lease, const Update<T>& update, T a, T b, T* dw,
                             std::int64_t size) const {
    blend(lease, Blend::kScale, a, b, nullptr, dw, size);
    this->update(lease, update, dw, size);
  }
  // y is blended with x, which may be null where it is not read; see Blend.
  virtual void blend(Lease& lease, Blend kind, T a, T b, const T* x, T* y, std::int64_t size) const = 0;
  // *out = the sum of x, in an order that depends on the size alone.
  virtual void sum(Lease& lease, const T* x, std::int64_t size, double* out) const = 0;
  // As T would hold it: infinity where that overflows. It is returned, so that a device is waited for.
  virtual T sum_of_squares(Lease& lease, const T* x, std::int64_t size) const = 0;

  // *sum = the penalty of all x; gradient += scale * its gradient, null: not wanted. rows: scratch, one
  // value per row.
  virtual void penalty(Lease& lease, const Penalty<T>& form, ConstMatrix<T> x, T scale, T* rows,
                       Matrix<T> gradient, double* sum) const = 0;
  // w as the constraint wants it.
  virtual void constrain(Lease& lease, const Constraint<T>& form, Matrix<T> w) const = 0;

  // Trains all of these by itself, each as it would be alone, and returns nothing; or why it does not, and
  // then nothing is done. Of runs without steps it only says so.
  virtual std::string train_stacks(Lease&, const std::vector<const StackRun<T>*>&) const {
    return std::string(kOnlyDevices);
  }
};

// However it ends, no verb is under way on the backend then: what they touch may be read or freed.
template <class T>
class Finishing {
 public:
  explicit Finishing(const Backend<T>& backend) : backend_(backend) {}
  ~Finishing() {
    try {
      backend_.finish();
    } catch (...) {  // a call of finish() on the way that ends well reports it
    }
  }
  Finishing(const Finishing&) = delete;
  Finishing& operator=(const Finishing&) = delete;

 private:
  const Backend<T>& backend_;
};

// A step of a training. What was asked for before something failed is done all the same.
template <class T>
class WholeStep {
 public:
  explicit WholeStep(const Backend<T>& backend) : backend_(&backend) { backend.begin_step(); }
  void end() { std::exchange(backend_, nullptr)->end_step(); }
  ~WholeStep() {
    try {
      if (backend_ != nullptr) end();
    } catch (...) {  // what failed before is reported
    }
  }
  WholeStep(const WholeStep&) = delete;
  WholeStep& operator=(const WholeStep&) = delete;

 private:
  const Backend<T>* backend_;
};

// "cpu", "profile" (cpu, its verbs timed), "reference", or a device's (backend/device.h); they live as long
// as the process. std::invalid_argument for another name.
template <class T>
const Backend<T>& backend_named(std::string_view name);

}  // namespace lamina
