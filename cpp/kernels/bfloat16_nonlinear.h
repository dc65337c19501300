// Activations whose slope needs the input, in bfloat16: value(x), and gradient(x, y, d) = d f'(x) with y =
// f(x), each operation in the order and with the rounding that TensorFlow's graph has. Numbers are of a class
// N whose operations round; the reference backend and devices have ones of their own.
#pragma once

#include <cmath>

#include "base/host_device.h"
#include "kernels/nonlinearity.h"

namespace lamina::bfloat16 {

template <class N>
LAMINA_HOST_DEVICE N positive(N x) {
  return choose(x < N(0), N(0), x);
}
template <class N>
LAMINA_HOST_DEVICE N upper(N x, N largest) {
  return choose(x > largest, largest, x);
}
// d where the condition holds, else 0: d is chosen or multiplied.
template <class N, class C>
LAMINA_HOST_DEVICE N where(C condition, N d) {
  return choose(condition, d, N(0));
}
template <class N, class C>
LAMINA_HOST_DEVICE N times(C condition, N d) {
  return d * choose(condition, N(1), N(0));
}

template <class N>
LAMINA_HOST_DEVICE N sigmoid(N x) {
  const N e = exp(x);
  return choose(e > N::exact(3e38f), N(1), e / (N(1) + e));  // inf / inf where e^x is too large
}
// x or e^x where log(1 + e^x) is that to bfloat16's precision: beyond -log(2^-7) - 2 on either side.
template <class N>
LAMINA_HOST_DEVICE N softplus(N x) {
  const N e = exp(x), far = N::exact(2.8520303f);
  return choose(x > far, x, choose(x < -far, e, log1p(e)));
}
template <class N>
LAMINA_HOST_DEVICE N relu6(N x) {
  return upper(positive(x), N(6));
}
// relu6(x + 3) / 6, the division a product: so TensorFlow's graphs divide by a constant.
template <class N>
LAMINA_HOST_DEVICE N hard_sigmoid(N x) {
  return relu6(x + N(3)) * N(1.0 / 6);
}
template <class N>
LAMINA_HOST_DEVICE auto bends(N x) {  // where hard_sigmoid has a slope
  return (x + N(3) > N(0)) & (x + N(3) < N(6));
}
template <class N>
LAMINA_HOST_DEVICE N elu(N x) {
  return choose(x < N(0), exp(x) - N(1), x);
}

template <class N>
struct Form {
  const Nonlinearity<float>& f;

  // Max and threshold of a relu; see its kind.
  LAMINA_HOST_DEVICE N above(N x) const { return f.c == 0 ? positive(x) : where(x > N(f.c), x); }
  LAMINA_HOST_DEVICE bool cut() const { return f.b == f.b; }
  LAMINA_HOST_DEVICE bool six() const { return cut() && f.b == 6 && f.c == 0; }

  LAMINA_HOST_DEVICE N value(N x) const {
    switch (f.kind) {
      case NonlinearKind::kRelu: {
        const N y = cut() ? upper(positive(above(x)), N(f.b)) : above(x);
        return f.a == 0 ? y : y - N(f.a) * positive(f.d == 0 ? -x : -x + N(f.d));
      }
      case NonlinearKind::kRelu6:
        return relu6(x);
      case NonlinearKind::kLeakyRelu:
        return choose(x > N(0), x, x * N(f.a));
      case NonlinearKind::kElu:
        return f.a == 1 ? elu(x) : choose(x > N(0), elu(x), N(f.a) * elu(x));
      case NonlinearKind::kSelu:
        return choose(x < N(0), N(kScaleAlpha) * (exp(x) - N(1)), N(kScale) * x);
      case NonlinearKind::kCelu:
        return positive(x) + N(f.a) * expm1(upper(x, N(0)) * N(1 / double{f.a}));
      case NonlinearKind::kSoftplus:
        return softplus(x);
      case NonlinearKind::kLogSigmoid:
        return -softplus(-x);
      case NonlinearKind::kSoftsign:
        return x / (N(1) + absolute(x));
      case NonlinearKind::kSquareplus:
        return (x + square_root(x * x + N(f.a))) * N(0.5);
      case NonlinearKind::kSoftShrink:
        return choose(x > N(f.a), x - N(f.a), where(x < N(-f.a), x + N(f.a)));
      case NonlinearKind::kHardShrink:
        return where(absolute(x) > N(f.a), x);
      case NonlinearKind::kTanhShrink:
        return x - tanh(x);
      case NonlinearKind::kThreshold:
        return choose(x > N(f.a), x, N(f.b));
      case NonlinearKind::kSilu:  // one operation of oneDNN's
        return silu(x);
      case NonlinearKind::kGelu:
        return N(0.5) * x * erfc(-x * N(kInverseRoot2));
      case NonlinearKind::kGeluTanh:
        return N(0.5) * x * (N(1) + tanh(bent(x)));
      case NonlinearKind::kMish:
        return x * tanh(softplus(x));
      case NonlinearKind::kHardSigmoid:
        return hard_sigmoid(x);
      case NonlinearKind::kHardSilu:
        return x * hard_sigmoid(x);
      case NonlinearKind::kHardTanh:
        return choose(x > N(1), N(1), choose(x < N(-1), N(-1), x));
      case NonlinearKind::kSparseSigmoid:
        return choose(x <= N(-1), N(0), choose(x >= N(1), N(1), N(0.5) * (x + N(1))));
      case NonlinearKind::kSparsePlus: {
        const N z = x + N(1);
        return choose(x <= N(-1), N(0), choose(x < N(1), N(0.25) * (z * z), x));
      }
      default:
        return x;
    }
  }

  LAMINA_HOST_DEVICE N gradient(N x, N y, N d) const {
    switch (f.kind) {
      case NonlinearKind::kRelu: {
        const N z = above(x);
        N g = d;
        if (six())
          g = times(z < N(6), g);
        else if (cut())
          g = where((z >= N(0)) & (z <= N(f.b)), g);
        g = f.c == 0 ? times(z > N(0), g) : where(x > N(f.c), g);
        return f.a == 0 ? g : g + times((f.d == 0 ? -x : -x + N(f.d)) > N(0), d * N(f.a));
      }
      case NonlinearKind::kRelu6:
        return times((y > N(0)) & (y < N(6)), d);
      case NonlinearKind::kLeakyRelu:
        return choose(x > N(0), d, d * N(f.a));
      case NonlinearKind::kElu: {
        const N unit = f.a == 1 ? y : elu(x), g = f.a == 1 ? d : choose(x > N(0), d, d * N(f.a));
        return choose(unit < N(0), (unit + N(1)) * g, g);
      }
      case NonlinearKind::kSelu:
        return d * choose(y < N(0), y + N(kScaleAlpha), N(kScale));
      case NonlinearKind::kCelu: {
        const N share = N(1 / double{f.a}), e = exp(upper(x, N(0)) * share);
        return where(x >= N(0), d) + where(x <= N(0), d * N(f.a) * e * share);
      }
      case NonlinearKind::kSoftplus:
        return d * sigmoid(x);
      case NonlinearKind::kLogSigmoid:
        return d * sigmoid(-x);
      case NonlinearKind::kSoftsign: {
        const N s = N(1) + absolute(x);
        return d / (s * s);
      }
      case NonlinearKind::kSquareplus: {
        const N half = d * N(0.5);
        return half + half * (N(0.5) / square_root(x * x + N(f.a))) * (N(2) * x);
      }
      case NonlinearKind::kSoftShrink:
        return where((x > N(f.a)) | (x < N(-f.a)), d);
      case NonlinearKind::kHardShrink:
        return where(absolute(x) > N(f.a), d);
      case NonlinearKind::kTanhShrink: {
        const N t = tanh(x);
        return d - d * (N(1) - t * t);
      }
      case NonlinearKind::kThreshold:
        return where(x > N(f.a), d);
      case NonlinearKind::kSilu: {
        const N s = sigmoid(x);
        return d * (s * (N(1) + x * (N(1) - s)));
      }
      case NonlinearKind::kGelu: {  // the slope of erfc times that of its argument is one constant
        const N t = -x * N(kInverseRoot2), slope = N(-1.1283791670955126) * N(kInverseRoot2);
        return N(0.5) * (d * erfc(t)) - d * (N(0.5) * x) * exp(-(t * t)) * slope;
      }
      case NonlinearKind::kGeluTanh: {
        const N t = tanh(bent(x)), inner = d * (N(0.5) * x) * (N(1) - t * t) * N(kGeluScale);
        return N(0.5) * (d * (N(1) + t)) + N(3) * (inner * N(kGeluCube)) * (x * x) + inner;
      }
      case NonlinearKind::kMish: {
        const N t = tanh(softplus(x));
        return d * t + d * x * (N(1) - t * t) * sigmoid(x);
      }
      case NonlinearKind::kHardSigmoid:
        return times(bends(x), d * N(1.0 / 6));
      case NonlinearKind::kHardSilu:
        return d * hard_sigmoid(x) + times(bends(x), d * x * N(1.0 / 6));
      case NonlinearKind::kHardTanh:
        return where((x >= N(-1)) & (x <= N(1)), d);
      case NonlinearKind::kSparseSigmoid:
        return where((x > N(-1)) & (x < N(1)), N(0.5) * d);
      case NonlinearKind::kSparsePlus:
        return choose(x <= N(-1), N(0), choose(x < N(1), N(0.25) * d * (N(2) * (x + N(1))), d));
      default:
        return d;
    }
  }

  static constexpr double kScale = 1.0507009873554804934193349852946;  // of selu, and its product with alpha
  static constexpr double kScaleAlpha = 1.7580993408473768599402175208123;
  // What goes into the tanh of the approximate gelu.
  LAMINA_HOST_DEVICE static N bent(N x) { return N(kGeluScale) * (x + N(kGeluCube) * (x * (x * x))); }

  static constexpr double kGeluScale = 0.7978845608028654, kGeluCube = 0.044715;
  static constexpr double kInverseRoot2 = 0.7071067811865476;
};

}  // namespace lamina::bfloat16
