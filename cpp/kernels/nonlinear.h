// Activations number by number whose slope needs the input: value(x), and gradient(x, y, d) = d f'(x) with
// y = f(x). Where d stands in a product and where in a choice is TensorFlow's: it decides what becomes of NaN
// and infinities. Included only by kernels/isa.cpp.
#pragma once

#include "kernels/nonlinearity.h"
#include "kernels/special.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
Vec<T> positive(Vec<T> x) {
  return x < T(0) ? Vec<T>{} : x;  // NaN stays
}

// d where the condition holds, else 0: d is chosen or multiplied.
template <class T>
Vec<T> where(Bits<T> condition, Vec<T> d) {
  return condition ? d : Vec<T>{};
}
template <class T>
Vec<T> times(Bits<T> condition, Vec<T> d) {
  return d * where<T>(condition, splat(T(1)));
}

// In general x above the threshold, cut to [0, largest], and slope (x - threshold) below it.
template <class T>
struct Relu {
  T slope, largest, threshold, bend;
  bool cut = largest == largest, six = cut && largest == T(6) && threshold == T(0);

  Vec<T> above(Vec<T> x) const { return threshold == T(0) ? positive<T>(x) : where<T>(x > threshold, x); }
  Vec<T> value(Vec<T> x) const {
    Vec<T> y = above(x);
    if (cut) y = positive<T>(y > largest ? splat(largest) : y);
    return slope == T(0) ? y : y - slope * positive<T>(bend - x);
  }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> z = above(x);
    Vec<T> g = d;
    if (six)
      g = times<T>(z < largest, g);
    else if (cut)
      g = where<T>((z >= T(0)) & (z <= largest), g);
    g = threshold == T(0) ? times<T>(z > T(0), g) : where<T>(x > threshold, g);
    return slope == T(0) ? g : g + times<T>(x < bend, d * slope);
  }
};

template <class T>
struct Relu6 {
  Vec<T> value(Vec<T> x) const { return positive<T>(x > T(6) ? splat(T(6)) : x); }
  Vec<T> gradient(Vec<T>, Vec<T> y, Vec<T> d) const { return times<T>((y > T(0)) & (y < T(6)), d); }
};

template <class T>
struct LeakyRelu {
  T slope;
  Vec<T> value(Vec<T> x) const { return x > T(0) ? x : slope * x; }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const { return x > T(0) ? d : slope * d; }
};

// alpha (e^x - 1) below 0 (Clevert et al., 2016).
template <class T>
struct Elu {
  T alpha;
  Vec<T> value(Vec<T> x) const {
    return x < T(0) ? alpha * expm1_below_zero<T>(x) : (alpha == T(1) ? x : (x > T(0) ? x : alpha * x));
  }
  Vec<T> gradient(Vec<T> x, Vec<T> y, Vec<T> d) const {
    const Vec<T> scaled = alpha == T(1) ? d : (x > T(0) ? d : alpha * d);
    const Vec<T> e = alpha == T(1) ? y + T(1) : expm1_below_zero<T>(x) + T(1);
    return x < T(0) ? scaled * e : scaled;
  }
};

// scale times ELU of such an alpha that mean 0 and variance 1 go on from layer to layer (Klambauer et al.,
// 2017).
template <class T>
struct Selu {
  static constexpr T scale = T(1.0507009873554804934193349852946);
  static constexpr T scale_alpha = T(1.7580993408473768599402175208123);
  Vec<T> value(Vec<T> x) const { return x < T(0) ? scale_alpha * expm1_below_zero<T>(x) : scale * x; }
  Vec<T> gradient(Vec<T>, Vec<T> y, Vec<T> d) const {
    return d * (y < T(0) ? y + scale_alpha : splat(scale));
  }
};

// max(x, 0) + alpha (e^(min(x, 0) / alpha) - 1) (Barron, 2017). Both halves have their slope at 0 in Keras,
// where it is 2.
template <class T>
struct Celu {
  T alpha;
  Vec<T> below(Vec<T> x) const { return (x > T(0) ? Vec<T>{} : x) / alpha; }
  Vec<T> value(Vec<T> x) const {
    const Vec<T> u = below(x);  // positive only where alpha is negative
    const Vec<T> e = u > T(0) ? exp<T>(u) - T(1) : expm1_below_zero<T>(u);
    return positive<T>(x) + alpha * e;
  }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    return where<T>(x >= T(0), d) + where<T>(x <= T(0), d * exp<T>(below(x)));
  }
};

template <class T>
struct Softplus {
  Vec<T> value(Vec<T> x) const { return softplus<T>(x); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const { return d * sigmoid<T>(x); }
};

template <class T>
struct LogSigmoid {
  Vec<T> value(Vec<T> x) const { return -softplus<T>(-x); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const { return d * sigmoid<T>(-x); }
};

// x / (1 + |x|)
template <class T>
struct Softsign {
  Vec<T> value(Vec<T> x) const { return x / (T(1) + absolute<T>(x)); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> s = T(1) + absolute<T>(x);
    return d / (s * s);
  }
};

// (x + sqrt(x^2 + b)) / 2 (Barron, 2021).
template <class T>
struct Squareplus {
  T b;
  Vec<T> value(Vec<T> x) const { return (x + square_root<T>(x * x + b)) / T(2); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> half = d / T(2);
    return half + half / square_root<T>(x * x + b) * x;
  }
};

template <class T>
struct SoftShrink {
  T threshold;
  Vec<T> value(Vec<T> x) const {
    return x > threshold ? x - threshold : where<T>(x < -threshold, x + threshold);
  }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    return where<T>((x > threshold) | (x < -threshold), d);
  }
};

template <class T>
struct HardShrink {
  T threshold;
  Vec<T> value(Vec<T> x) const { return where<T>(absolute<T>(x) > threshold, x); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const { return where<T>(absolute<T>(x) > threshold, d); }
};

template <class T>
struct TanhShrink {
  Vec<T> value(Vec<T> x) const { return x - tanh<T>(x); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> t = tanh<T>(x);
    return d - d * (T(1) - t * t);
  }
};

template <class T>
struct Threshold {
  T threshold, other;
  Vec<T> value(Vec<T> x) const { return x > threshold ? x : splat(other); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const { return where<T>(x > threshold, d); }
};

// x sigmoid(x) (Ramachandran et al., 2017).
template <class T>
struct Silu {
  Vec<T> value(Vec<T> x) const { return x * sigmoid<T>(x); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> s = sigmoid<T>(x);
    return d * (s * (T(1) + x * (T(1) - s)));
  }
};

// x Phi(x) = x erfc(-x / sqrt 2) / 2 (Hendrycks and Gimpel, 2016). TensorFlow has 1 / sqrt 2 in float32, also
// for double; so it has 0.044715 below.
template <class T>
struct Gelu {
  static constexpr T inverse_root2 = T(0.7071067811865476f);
  Vec<T> value(Vec<T> x) const { return T(0.5) * x * erfc<T>(-x * inverse_root2); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> u = x * inverse_root2;
    const Vec<T> density = exp<T>(-(u * u)) * (T(0.56418958354775628695) * inverse_root2);  // 1 / sqrt(2 pi)
    return d * (T(0.5) * erfc<T>(-u)) + d * x * density;
  }
};

// The same by x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.
template <class T>
struct GeluTanh {
  static constexpr T factor = T(0.79788456080286535588), cubic = T(0.044715f);
  Vec<T> bent(Vec<T> x) const { return tanh<T>(factor * (x + cubic * (x * x * x))); }
  Vec<T> value(Vec<T> x) const { return T(0.5) * x * (T(1) + bent(x)); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> t = bent(x);
    const Vec<T> inside = d * (T(0.5) * x) * (T(1) - t * t) * factor;
    return d * (T(0.5) * (T(1) + t)) + inside + inside * (T(3) * cubic * (x * x));
  }
};

// x tanh(softplus(x)) (Misra, 2019). With e = e^-|x| the tanh is (1 + 2e) / (1 + 2e + 2e^2) above 0 and
// e (e + 2) / (e (e + 2) + 2) below it.
template <class T>
struct Mish {
  Vec<T> gate(Vec<T> x) const {
    const Vec<T> e = exp<T>(-absolute<T>(x));
    const Vec<T> above = T(1) + T(2) * e, below = e * (e + T(2));
    return x < T(0) ? below / (below + T(2)) : above / (above + T(2) * (e * e));
  }
  Vec<T> value(Vec<T> x) const { return x * gate(x); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> t = gate(x);
    return d * t + d * x * (T(1) - t * t) * sigmoid<T>(x);
  }
};

// min(max(x + 3, 0), 6) / 6
template <class T>
struct HardSigmoid {
  Vec<T> value(Vec<T> x) const { return Relu6<T>{}.value(x + T(3)) / T(6); }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    return Relu6<T>{}.gradient(x, Relu6<T>{}.value(x + T(3)), d / T(6));
  }
};

// x hard_sigmoid(x) (Howard et al., 2019).
template <class T>
struct HardSilu {
  Vec<T> value(Vec<T> x) const { return x * HardSigmoid<T>{}.value(x); }
  Vec<T> gradient(Vec<T> x, Vec<T> y, Vec<T> d) const {
    return d * HardSigmoid<T>{}.value(x) + HardSigmoid<T>{}.gradient(x, y, d * x);
  }
};

template <class T>
struct HardTanh {
  Vec<T> value(Vec<T> x) const {
    const Vec<T> y = x > T(1) ? splat(T(1)) : x;
    return y < T(-1) ? splat(T(-1)) : y;
  }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const { return where<T>((x >= T(-1)) & (x <= T(1)), d); }
};

// (x + 1)^2 / 4 between -1 and 1, 0 below, x above.
template <class T>
struct SparsePlus {
  Vec<T> value(Vec<T> x) const {
    const Vec<T> bent = T(0.25) * ((x + T(1)) * (x + T(1)));
    return x <= T(-1) ? Vec<T>{} : (x < T(1) ? bent : x);
  }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    const Vec<T> bent = where<T>((x > T(-1)) & (x < T(1)), d) * T(0.5) * (x + T(1));
    return bent + where<T>((x >= T(1)) | (x != x), d);
  }
};

// (x + 1) / 2 between -1 and 1, 0 below, 1 above.
template <class T>
struct SparseSigmoid {
  Vec<T> value(Vec<T> x) const {
    return x <= T(-1) ? Vec<T>{} : (x >= T(1) ? splat(T(1)) : T(0.5) * (x + T(1)));
  }
  Vec<T> gradient(Vec<T> x, Vec<T>, Vec<T> d) const {
    return where<T>(((x > T(-1)) & (x < T(1))) | (x != x), T(0.5) * d);
  }
};

// use(f) with f the one meant; not for those over rows.
template <class T, class Use>
void with_nonlinearity(const Nonlinearity<T>& f, Use&& use) {
  using enum NonlinearKind;
  switch (f.kind) {
    case kCelu:
      return use(Celu<T>{f.a});
    case kElu:
      return use(Elu<T>{f.a});
    case kGelu:
      return use(Gelu<T>{});
    case kGeluTanh:
      return use(GeluTanh<T>{});
    case kHardShrink:
      return use(HardShrink<T>{f.a});
    case kHardSigmoid:
      return use(HardSigmoid<T>{});
    case kHardSilu:
      return use(HardSilu<T>{});
    case kHardTanh:
      return use(HardTanh<T>{});
    case kLeakyRelu:
      return use(LeakyRelu<T>{f.a});
    case kLogSigmoid:
      return use(LogSigmoid<T>{});
    case kMish:
      return use(Mish<T>{});
    case kRelu:
      return use(Relu<T>{f.a, f.b, f.c, f.d});
    case kRelu6:
      return use(Relu6<T>{});
    case kSelu:
      return use(Selu<T>{});
    case kSilu:
      return use(Silu<T>{});
    case kSoftShrink:
      return use(SoftShrink<T>{f.a});
    case kSoftplus:
      return use(Softplus<T>{});
    case kSoftsign:
      return use(Softsign<T>{});
    case kSparsePlus:
      return use(SparsePlus<T>{});
    case kSparseSigmoid:
      return use(SparseSigmoid<T>{});
    case kSquareplus:
      return use(Squareplus<T>{f.a});
    case kTanhShrink:
      return use(TanhShrink<T>{});
    case kThreshold:
      return use(Threshold<T>{f.a, f.b});
    case kGlu:
    case kLogSoftmax:
    case kPrelu:
    case kSoftmax:
    case kSparsemax:
      return;
  }
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
