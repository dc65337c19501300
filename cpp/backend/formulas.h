// What is done to single numbers, as the formulas say: the reference backend computes so in double, a device
// in its type. The reasons stand in kernels/activations.h, nonlinear.h and restraints.h; what NaN and
// infinities become follows from where a gradient is chosen and where multiplied.
#pragma once

#include <cmath>

#include "backend/backend.h"
#include "kernels/arguments.h"
#include "kernels/nonlinearity.h"

namespace lamina::formulas {

// a(z), and a'(z) from y = a(z); a softmax is none of single numbers.
template <class N>
LAMINA_HOST_DEVICE N activated(Activation a, N z) {
  switch (a) {
    case Activation::kRelu:
      return z < N(0) ? N(0) : z;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kExp:
      return std::exp(z);
    default:
      return z;
  }
}

template <class N>
LAMINA_HOST_DEVICE N derivative_from_output(Activation a, N y) {
  switch (a) {
    case Activation::kRelu:
      return y > N(0) ? N(1) : N(0);
    case Activation::kSigmoid:
      return y * (1 - y);
    case Activation::kTanh:
      return 1 - y * y;
    case Activation::kExp:
      return y;
    default:
      return 1;
  }
}

template <class N>
LAMINA_HOST_DEVICE N positive(N x) {
  return x < N(0) ? N(0) : x;
}
template <class N>
LAMINA_HOST_DEVICE N sigmoid(N x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
template <class N>
LAMINA_HOST_DEVICE N softplus(N x) {
  return positive(x) + std::log1p(std::exp(-std::abs(x)));
}
template <class N>
LAMINA_HOST_DEVICE N choose(bool condition, N d) {
  return condition ? d : N(0);
}
template <class N>
LAMINA_HOST_DEVICE N times(bool condition, N d) {
  return d * N(condition ? 1 : 0);
}
template <class N>
LAMINA_HOST_DEVICE N relu6(N x) {
  return positive(x > N(6) ? N(6) : x);
}

template <class N>
inline constexpr N kScale = N(1.0507009873554804934193349852946);
template <class N>
inline constexpr N kScaleAlpha = N(1.7580993408473768599402175208123);
template <class N>
inline constexpr N kRoot = N(0.79788456080286535588);  // sqrt(2 / pi)
template <class N>
inline constexpr N kInverseRoot2 = N(0.7071067811865476f);  // float's, as in TensorFlow
template <class N>
inline constexpr N kCubic = N(0.044715f);  // likewise

template <class N>
LAMINA_HOST_DEVICE N above(const Nonlinearity<N>& f, N x) {
  return f.c == 0 ? positive(x) : choose(x > f.c, x);
}

template <class N>
LAMINA_HOST_DEVICE N value(const Nonlinearity<N>& f, N x) {
  switch (f.kind) {
    case NonlinearKind::kCelu:
      return positive(x) + f.a * std::expm1((x > N(0) ? N(0) : x) / f.a);
    case NonlinearKind::kElu:
      return x > 0 ? x : f.a * (x < 0 ? std::expm1(x) : x);
    case NonlinearKind::kGelu:
      return N(0.5) * x * std::erfc(-x * kInverseRoot2<N>);
    case NonlinearKind::kGeluTanh:
      return N(0.5) * x * (1 + std::tanh(kRoot<N> * (x + kCubic<N> * x * x * x)));
    case NonlinearKind::kHardShrink:
      return choose(std::abs(x) > f.a, x);
    case NonlinearKind::kHardSigmoid:
      return relu6(x + 3) / 6;
    case NonlinearKind::kHardSilu:
      return x * (relu6(x + 3) / 6);
    case NonlinearKind::kHardTanh:
      return x > 1 ? N(1) : x < -1 ? N(-1) : x;
    case NonlinearKind::kLeakyRelu:
      return x > 0 ? x : f.a * x;
    case NonlinearKind::kLogSigmoid:
      return -softplus(-x);
    case NonlinearKind::kMish:
      return x * std::tanh(softplus(x));
    case NonlinearKind::kRelu: {
      N y = above(f, x);
      if (f.b == f.b) y = positive(y > f.b ? f.b : y);
      return f.a == 0 ? y : y - f.a * positive(f.d - x);
    }
    case NonlinearKind::kRelu6:
      return relu6(x);
    case NonlinearKind::kSelu:
      return x < 0 ? kScaleAlpha<N> * std::expm1(x) : kScale<N> * x;
    case NonlinearKind::kSilu:
      return x * sigmoid(x);
    case NonlinearKind::kSoftShrink:
      return x > f.a ? x - f.a : choose(x < -f.a, x + f.a);
    case NonlinearKind::kSoftplus:
      return softplus(x);
    case NonlinearKind::kSoftsign:
      return x / (1 + std::abs(x));
    case NonlinearKind::kSparsePlus:
      return x <= -1 ? N(0) : x < 1 ? N(0.25) * (x + 1) * (x + 1) : x;
    case NonlinearKind::kSparseSigmoid:
      return x <= -1 ? N(0) : x >= 1 ? N(1) : N(0.5) * (x + 1);
    case NonlinearKind::kSquareplus:
      return (x + std::sqrt(x * x + f.a)) / 2;
    case NonlinearKind::kTanhShrink:
      return x - std::tanh(x);
    case NonlinearKind::kThreshold:
      return x > f.a ? x : f.b;
    default:
      return x;
  }
}

template <class N>
LAMINA_HOST_DEVICE N gradient(const Nonlinearity<N>& f, N x, N d) {
  switch (f.kind) {
    case NonlinearKind::kCelu:
      return choose(x >= 0, d) + choose(x <= 0, d * std::exp((x > N(0) ? N(0) : x) / f.a));
    case NonlinearKind::kElu: {
      const N scaled = x > 0 || f.a == 1 ? d : f.a * d;
      return x < 0 ? scaled * std::exp(x) : scaled;
    }
    case NonlinearKind::kGelu:
      return d * (N(0.5) * std::erfc(-x * kInverseRoot2<N>)) +
             d * x *
                 (std::exp(-x * kInverseRoot2<N> * (x * kInverseRoot2<N>)) * N(0.56418958354775628695) *
                  kInverseRoot2<N>);
    case NonlinearKind::kGeluTanh: {
      const N t = std::tanh(kRoot<N> * (x + kCubic<N> * x * x * x));
      const N inside = d * N(0.5) * x * (1 - t * t) * kRoot<N>;
      return d * N(0.5) * (1 + t) + inside + inside * (3 * kCubic<N> * x * x);
    }
    case NonlinearKind::kHardShrink:
      return choose(std::abs(x) > f.a, d);
    case NonlinearKind::kHardSigmoid:
      return times(x > -3 && x < 3, d / 6);
    case NonlinearKind::kHardSilu:
      return d * (relu6(x + 3) / 6) + times(x > -3 && x < 3, d * x / 6);
    case NonlinearKind::kHardTanh:
      return choose(x >= -1 && x <= 1, d);
    case NonlinearKind::kLeakyRelu:
      return x > 0 ? d : f.a * d;
    case NonlinearKind::kLogSigmoid:
      return d * sigmoid(-x);
    case NonlinearKind::kMish: {
      const N t = std::tanh(softplus(x));
      return d * t + d * x * (1 - t * t) * sigmoid(x);
    }
    case NonlinearKind::kRelu: {
      const N z = above(f, x);
      N g = d;
      if (f.b == 6 && f.c == 0)
        g = times(z < 6, g);
      else if (f.b == f.b)
        g = choose(z >= 0 && z <= f.b, g);
      g = f.c == 0 ? times(z > 0, g) : choose(x > f.c, g);
      return f.a == 0 ? g : g + times(x < f.d, d * f.a);
    }
    case NonlinearKind::kRelu6:
      return times(x > 0 && x < 6, d);
    case NonlinearKind::kSelu:
      return d * (x < 0 ? kScaleAlpha<N> * std::exp(x) : kScale<N>);
    case NonlinearKind::kSilu: {
      const N s = sigmoid(x);
      return d * (s * (1 + x * (1 - s)));
    }
    case NonlinearKind::kSoftShrink:
      return choose(x > f.a || x < -f.a, d);
    case NonlinearKind::kSoftplus:
      return d * sigmoid(x);
    case NonlinearKind::kSoftsign:
      return d / ((1 + std::abs(x)) * (1 + std::abs(x)));
    case NonlinearKind::kSparsePlus:
      return choose(x > -1 && x < 1, d) * N(0.5) * (x + 1) + choose(!(x < 1), d);
    case NonlinearKind::kSparseSigmoid:
      return choose(!(x <= -1 || x >= 1), N(0.5) * d);
    case NonlinearKind::kSquareplus:
      return d / 2 + d / 2 / std::sqrt(x * x + f.a) * x;
    case NonlinearKind::kTanhShrink:
      return d - d * (1 - std::tanh(x) * std::tanh(x));
    case NonlinearKind::kThreshold:
      return choose(x > f.a, d);
    default:
      return d;
  }
}

// 0 at 0, NaN at NaN
template <class N>
LAMINA_HOST_DEVICE N sign(N x) {
  return x > N(0) ? N(1) : x < N(0) ? N(-1) : x;
}

// What numbers whose squares add up to this are multiplied by. NaN stays NaN.
template <class N>
LAMINA_HOST_DEVICE N factor_of(const Constraint<N>& f, N squares) {
  const N norm = std::sqrt(squares);
  if (f.kind == ConstraintKind::kUnitNorm) return N(1) / (f.epsilon + norm);
  N wanted = norm > f.max_value ? f.max_value : norm;
  wanted = wanted < f.min_value ? f.min_value : wanted;
  if (f.kind == ConstraintKind::kMinMaxNorm) wanted = f.rate * wanted + f.rest * norm;
  return wanted / (f.epsilon + norm);
}

// What batch renormalization makes of channel j; see Renorm. What is no number stays so: it is neither below
// nor above.
template <class N>
LAMINA_HOST_DEVICE void renormed(const Renorm<N>& f, const RenormValues<N>& v, std::int64_t j) {
  const auto cut = [](N x, N low, N high) { return x < low ? low : x > high ? high : x; };
  const N least = std::sqrt(f.epsilon);
  const N moving = v.moving_deviation[j] < least ? least : v.moving_deviation[j];
  v.deviation[j] = std::sqrt(v.variance[j] + f.epsilon);
  v.r[j] = cut(v.deviation[j] / moving, f.rmin, f.rmax);
  v.d[j] = cut((v.mean[j] - v.moving_mean[j]) / moving, -f.dmax, f.dmax);
  const N gamma = v.gamma != nullptr ? v.gamma[j] : N(1);
  v.scale[j] = v.r[j] * gamma;
  v.shift[j] = v.d[j] * gamma + (v.beta != nullptr ? v.beta[j] : N(0));
}

// See Blend; other: that of x.
template <class N>
LAMINA_HOST_DEVICE N blended(Blend kind, N a, N b, N other, N old) {
  switch (kind) {
    case Blend::kSet:
      return a;
    case Blend::kCopy:
      return other;
    case Blend::kAdd:
      return old + other;
    case Blend::kMean:
      return (old + other) / a;
    case Blend::kScale:
      return old * a / b;
    case Blend::kClamp:
      return old > a ? a : old < -a ? -a : old;
    case Blend::kDecay:
      return old - old * a * b;
    case Blend::kAverage:
      return a * old + b * other;
    case Blend::kSubtract:
      return old - a * other;
  }
  return old;
}

}  // namespace lamina::formulas
