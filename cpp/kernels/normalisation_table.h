// The kernels of layers that normalise every sample by itself, and of normal noise, for one instruction set
// and type.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/view.h"

namespace lamina {

// What is done to each row of n values before gamma and beta:
// kStandard: (x - mean) / sqrt(variance + epsilon), with the biased variance;
// kRootMeanSquare: x / sqrt(mean of x^2 + epsilon);
// kDeviation: x / sqrt(variance + epsilon);
// kUnit: x min(1 / sqrt(sum of x^2), 1 / epsilon).
enum class Normalisation { kStandard, kRootMeanSquare, kDeviation, kUnit };

// A sample is `period` rows of one matrix; gamma and beta have a value for each of a sample's elements, and
// their gradients one for `repeat` neighbouring elements.
template <class T>
struct NormalisationForm {
  Normalisation kind = Normalisation::kStandard;
  T epsilon = 0;
  std::int64_t period = 1;
  std::int64_t repeat = 1;
};

template <class T>
struct NormalisationValues {
  const T* gamma;  // null: 1
  const T* beta;   // null: 0
  // One value per row, written by the way forward: the mean (kRootMeanSquare: 0; kUnit: 1 / sqrt(sum of
  // x^2)), and the factor.
  T* mean;
  T* inverse;
};

template <class T>
struct NormalisationTable {
  // Rows `first` and following of the whole.
  void (*normalise)(const NormalisationForm<T>& form, std::int64_t first, ConstMatrix<T> x,
                    const NormalisationValues<T>& values, Matrix<T> y);
  // dx may be dy.
  void (*normalise_gradient)(const NormalisationForm<T>& form, std::int64_t first, ConstMatrix<T> x,
                             ConstMatrix<T> dy, const NormalisationValues<T>& values, Matrix<T> dx);
  // Of the parameters first..end-1, from all rows; either may be null.
  void (*normalise_parameters)(const NormalisationForm<T>& form, ConstMatrix<T> x, ConstMatrix<T> dy,
                               const NormalisationValues<T>& values, std::int64_t first, std::int64_t end,
                               T* dgamma, T* dbeta);
  // out[i] = base[i] + mean + stddev z, base null: 0, with the normal numbers z first.. of the stream; first
  // % 4 == 0.
  void (*normal)(const RandomStream& stream, double mean, double stddev, std::int64_t first, const T* base,
                 T* out, std::int64_t size);
};

}  // namespace lamina
