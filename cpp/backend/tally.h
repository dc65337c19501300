// Metrics that are no means of rows: counts over thresholds, counts and moments per class. A batch is added
// to a state of doubles, from which the result is formed when it is asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/arguments.h"

namespace lamina {

struct TallyForm {
  enum class Kind {
    // For each threshold the weight of what lies above it, of true targets and of false ones; then the weight
    // of
    // all true targets and of all false ones.
    kThresholds,
    // The same by the last threshold below a value, for thresholds 0, 1/(n-1) .. 1: their sums from the end
    // on
    // are the above.
    kBuckets,
    kClasses,  // per class: hits, false hits, misses, weight of the targets
    kMoments,  // per class: sums of y, y^2, (y - p)^2 and 1, weighted; then the number of values
  };
  Kind kind = Kind::kThresholds;
  // Of kThresholds; of kClasses one, or none: the largest value of a row is a hit.
  std::vector<double> thresholds;
  std::int64_t buckets = 0;
  bool first_takes_all = false;  // kBuckets: the first threshold lies below 0, so that a 0 lies above it
  bool by_label = false;         // kThresholds, kBuckets: a state per column instead of one of all
  bool sigmoid = false;          // predictions are logits
  std::vector<double> label_weights;
  std::int64_t top_k = 0;      // all but the k largest of a row lie below every threshold; 0: no
  std::int64_t class_id = -1;  // only this column; -1: all

  std::int64_t levels() const {
    return kind == Kind::kBuckets ? buckets : static_cast<std::int64_t>(thresholds.size());
  }
  // Doubles of the state, for rows of so many values.
  std::int64_t size(std::int64_t cols) const;
};

// weight: one per row, or null.
template <class T>
void add_to_tally(const TallyForm& form, ConstMatrix<T> prediction, ConstMatrix<T> target, const T* weight,
                  double* state);

}  // namespace lamina
