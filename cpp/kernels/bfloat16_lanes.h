// A vector of bfloat16 numbers in floats: each of its operations rounds; and the activations of such.
// Included only by kernels/bfloat16.cpp and kernels/bfloat16_x86.cpp.
#pragma once

#include "kernels/bfloat16_elementwise.h"
#include "kernels/bfloat16_nonlinear.h"
#include "kernels/special.h"

namespace lamina::LAMINA_ISA {
namespace {

struct Lanes {
  Vec<float> v;

  explicit Lanes(double constant) : v(rounded(splat(static_cast<float>(constant)))) {}
  explicit Lanes(Vec<float> exact) : v(exact) {}
  static Lanes exact(float constant) { return Lanes(splat(constant)); }
};

inline Lanes nearest(Vec<float> v) { return Lanes(rounded(v)); }
inline Lanes operator+(Lanes a, Lanes b) { return nearest(a.v + b.v); }
inline Lanes operator-(Lanes a, Lanes b) { return nearest(a.v - b.v); }
inline Lanes operator*(Lanes a, Lanes b) { return nearest(a.v * b.v); }
inline Lanes operator/(Lanes a, Lanes b) { return nearest(a.v / b.v); }
inline Lanes operator-(Lanes a) { return Lanes(-a.v); }
inline Bits<float> operator<(Lanes a, Lanes b) { return a.v < b.v; }
inline Bits<float> operator>(Lanes a, Lanes b) { return a.v > b.v; }
inline Bits<float> operator<=(Lanes a, Lanes b) { return a.v <= b.v; }
inline Bits<float> operator>=(Lanes a, Lanes b) { return a.v >= b.v; }
inline Lanes choose(Bits<float> condition, Lanes a, Lanes b) { return Lanes(condition ? a.v : b.v); }

inline Lanes absolute(Lanes x) { return Lanes(absolute<float>(x.v)); }
inline Lanes exp(Lanes x) { return nearest(exp<float>(x.v)); }
inline Lanes tanh(Lanes x) { return nearest(tanh<float>(x.v)); }
inline Lanes erfc(Lanes x) { return nearest(erfc<float>(x.v)); }
inline Lanes square_root(Lanes x) { return nearest(square_root<float>(x.v)); }
inline Lanes silu(Lanes x) { return nearest(x.v * sigmoid<float>(x.v)); }
inline Lanes expm1(Lanes x) {
  return nearest(x.v > 0.0f ? exp<float>(x.v) - 1.0f : expm1_below_zero<float>(x.v));
}
// log(1 + x) for x >= 0: with 1 + x = 2^n (1 + r), n log 2 + log(1 + r).
inline Lanes log1p(Lanes x) {
  const Bits<float> bits = bits_of<float>(1.0f + x.v), exponent = (bits >> 23) - 127;
  const Vec<float> r = vector_of<float>((bits & 0x7FFFFF) | 0x3F800000) - 1.0f;
  const Vec<float> n = __builtin_convertvector(exponent, Vec<float>);
  const Vec<float> large = n * 0.69314718f + log1p_of_unit<float>(r);
  return nearest(x.v >= 1.0f ? large : log1p_of_unit<float>(x.v));
}

inline void nonlinearity_rounded(const Nonlinearity<float>& f, ConstMatrix<float> x, Matrix<float> y) {
  const bfloat16::Form<Lanes> form{f};
  map_matrix(y, [&](Vec<float> v) { return form.value(Lanes(v)).v; }, x);
}

inline void nonlinearity_gradient_rounded(const Nonlinearity<float>& f, ConstMatrix<float> x,
                                          ConstMatrix<float> y, ConstMatrix<float> dy, Matrix<float> dx) {
  const bfloat16::Form<Lanes> form{f};
  map_matrix(
      dx,
      [&](Vec<float> v, Vec<float> out, Vec<float> d) {
        return form.gradient(Lanes(v), Lanes(out), nearest(d)).v;
      },
      x, y, dy);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
