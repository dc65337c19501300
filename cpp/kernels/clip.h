// Probabilities kept away from 0 and 1. Included by the kernels of losses.
#pragma once

#include "kernels/arguments.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
inline constexpr T kLowest = T(kClip);
template <class T>
inline constexpr T kHighest = T(1 - kClip);

// NaN stays NaN.
template <class T>
LAMINA_HOST_DEVICE T clipped(T p) {
  return p < kLowest<T> ? kLowest<T> : p > kHighest<T> ? kHighest<T> : p;
}

// The clip lets a gradient through between its bounds and at them; as in TensorFlow, a NaN gets none.
template <class T>
LAMINA_HOST_DEVICE T through_clip(T p, T gradient) {
  return p >= kLowest<T> && p <= kHighest<T> ? gradient : T(0);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
