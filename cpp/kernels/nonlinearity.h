// An activation whose slope needs its input: its kind and its numbers. (Those whose slope follows from the
// output are `Activation`s; kernels/names.h.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lamina {

enum class NonlinearKind {
  kCelu,
  kElu,
  kGelu,
  kGeluTanh,
  kGlu,
  kHardShrink,
  kHardSigmoid,
  kHardSilu,
  kHardTanh,
  kLeakyRelu,
  kLogSigmoid,
  kLogSoftmax,
  kMish,
  kPrelu,
  kRelu,
  kRelu6,
  kSelu,
  kSilu,
  kSoftShrink,
  kSoftmax,
  kSoftplus,
  kSoftsign,
  kSparsePlus,
  kSparseSigmoid,
  kSparsemax,
  kSquareplus,
  kTanhShrink,
  kThreshold
};

inline constexpr std::string_view kNonlinearNames[] = {
    "celu",      "elu",         "gelu",           "gelu_tanh",   "glu",         "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_tanh",   "leaky_relu",     "log_sigmoid", "log_softmax", "mish",        "prelu",
    "relu",      "relu6",       "selu",           "silu",        "soft_shrink", "softmax",     "softplus",
    "softsign",  "sparse_plus", "sparse_sigmoid", "sparsemax",   "squareplus",  "tanh_shrink", "threshold"};

inline NonlinearKind nonlinear_named(std::string_view name) {
  std::string all;
  for (std::size_t k = 0; k < std::size(kNonlinearNames); ++k) {
    if (name == kNonlinearNames[k]) return static_cast<NonlinearKind>(k);
    if (k > 0) all += ", ";
    all += kNonlinearNames[k];
  }
  throw std::invalid_argument(text("nonlinearity: expected one of ", all, ", got ", name));
}

// Numbers by kind. celu, elu: alpha. leaky_relu: slope. hard_shrink, soft_shrink: threshold. squareplus: b.
// threshold: threshold, value. relu: slope below, largest value (NaN: none), threshold, and the threshold as
// the part below it has it.
template <class T>
struct Nonlinearity {
  NonlinearKind kind = NonlinearKind::kRelu;
  T a = 0, b = 0, c = 0, d = 0;
  const T* slopes = nullptr;  // prelu: one for each column
  std::int64_t inner = 1;     // softmax: values that lie between one and the next of those it runs over

  // Over whole rows, each of which is one softmax (or `inner` of them), one gated unit or the like.
  bool by_rows() const {
    return kind == NonlinearKind::kSoftmax || kind == NonlinearKind::kLogSoftmax ||
           kind == NonlinearKind::kSparsemax || kind == NonlinearKind::kGlu;
  }
};

}  // namespace lamina
