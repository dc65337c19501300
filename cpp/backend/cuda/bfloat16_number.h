// A bfloat16 number in a float, each of whose operations rounds, and the activations of such, as the CPU's
// kernels have them (kernels/bfloat16_elementwise.h, bfloat16_lanes.h).
#pragma once

#include <cmath>

#include "kernels/bfloat16_nonlinear.h"
#include "kernels/bfloat16_number.h"
#include "kernels/names.h"

namespace lamina::cuda {

struct Bfloat16 {
  float v;

  LAMINA_HOST_DEVICE explicit Bfloat16(double constant) : v(nearest_bfloat16(static_cast<float>(constant))) {}
  LAMINA_HOST_DEVICE static Bfloat16 exact(float x) {
    Bfloat16 number(0);
    number.v = x;
    return number;
  }
};

LAMINA_HOST_DEVICE inline Bfloat16 nearest(float x) { return Bfloat16::exact(nearest_bfloat16(x)); }
LAMINA_HOST_DEVICE inline Bfloat16 operator+(Bfloat16 a, Bfloat16 b) { return nearest(a.v + b.v); }
LAMINA_HOST_DEVICE inline Bfloat16 operator-(Bfloat16 a, Bfloat16 b) { return nearest(a.v - b.v); }
LAMINA_HOST_DEVICE inline Bfloat16 operator*(Bfloat16 a, Bfloat16 b) { return nearest(a.v * b.v); }
LAMINA_HOST_DEVICE inline Bfloat16 operator/(Bfloat16 a, Bfloat16 b) { return nearest(a.v / b.v); }
LAMINA_HOST_DEVICE inline Bfloat16 operator-(Bfloat16 a) { return Bfloat16::exact(-a.v); }
LAMINA_HOST_DEVICE inline bool operator<(Bfloat16 a, Bfloat16 b) { return a.v < b.v; }
LAMINA_HOST_DEVICE inline bool operator>(Bfloat16 a, Bfloat16 b) { return a.v > b.v; }
LAMINA_HOST_DEVICE inline bool operator<=(Bfloat16 a, Bfloat16 b) { return a.v <= b.v; }
LAMINA_HOST_DEVICE inline bool operator>=(Bfloat16 a, Bfloat16 b) { return a.v >= b.v; }
LAMINA_HOST_DEVICE inline Bfloat16 choose(bool condition, Bfloat16 a, Bfloat16 b) {
  return condition ? a : b;
}

LAMINA_HOST_DEVICE inline Bfloat16 absolute(Bfloat16 x) { return Bfloat16::exact(std::abs(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 exp(Bfloat16 x) { return nearest(std::exp(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 expm1(Bfloat16 x) { return nearest(std::expm1(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 log1p(Bfloat16 x) { return nearest(std::log1p(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 tanh(Bfloat16 x) { return nearest(std::tanh(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 erfc(Bfloat16 x) { return nearest(std::erfc(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 square_root(Bfloat16 x) { return nearest(std::sqrt(x.v)); }
LAMINA_HOST_DEVICE inline Bfloat16 silu(Bfloat16 x) { return nearest(x.v / (1 + std::exp(-x.v))); }

// a(z); a softmax is none of single numbers.
LAMINA_HOST_DEVICE inline Bfloat16 activated(Activation a, Bfloat16 z) {
  switch (a) {
    case Activation::kRelu:
      return bfloat16::positive(z);
    case Activation::kSigmoid:
      return bfloat16::sigmoid(z);
    case Activation::kTanh:
      return tanh(z);
    case Activation::kExp:
      return exp(z);
    default:
      return z;
  }
}

// d a'(z) from y = a(z)
LAMINA_HOST_DEVICE inline Bfloat16 gradient_from_output(Activation a, Bfloat16 y, Bfloat16 d) {
  const Bfloat16 one(1);
  switch (a) {
    case Activation::kRelu:
      return bfloat16::times(y > Bfloat16(0), d);
    case Activation::kSigmoid:
      return d * (y * (one - y));
    case Activation::kTanh:
      return d * (one - y * y);
    case Activation::kExp:
      return d * y;
    default:
      return d;
  }
}

}  // namespace lamina::cuda
