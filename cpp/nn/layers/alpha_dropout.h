// Dropout that keeps mean and variance of values that come out of a selu (Klambauer et al., "Self-Normalizing
// Neural Networks", 2017): y = a (x kept + low (1 - kept)) + b, low the smallest value of selu.
#pragma once

#include <cmath>
#include <utility>

#include "nn/layers/dropout.h"

namespace lamina {

template <class T>
class AlphaDropout : public Dropout<T> {
 public:
  AlphaDropout(std::int64_t size, double rate, std::uint64_t seed, std::uint32_t stream, DropoutShape shape)
      : Dropout<T>(size, rate, seed, stream, std::move(shape)) {}

  const Dropping* drops() const override { return nullptr; }
  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* mask) const override {
    const ConstMatrix<T> kept = this->draw(pass, x.rows, mask);
    // With kept = (1 - rate) mask: y = mask (slope x - slope low) + a low + b.
    const T base = static_cast<T>(a() * kLow + b());
    pass.backend.rescale(pass.lease, {slope(), static_cast<T>(-a() * (1 - this->rate()) * kLow)}, x, y);
    pass.backend.multiply(pass.lease, y, kept, y);
    pass.backend.rescale(pass.lease, {T(1), base}, y, y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T> y, Matrix<T> dy, bool at_logits,
                Activation below, Matrix<T> dx, T* mask) const override {
    if (!dx) return;
    Dropout<T>::backward(pass, x, y, dy, at_logits, below, dx, mask);
    pass.backend.rescale(pass.lease, {slope(), T(0)}, dx, dx);
  }

 protected:
  // -alpha scale of selu, with the digits of the paper's appendix.
  static constexpr double kLow = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;

  double a() const { return 1 / std::sqrt((1 - this->rate()) * (1 + this->rate() * kLow * kLow)); }
  double b() const { return -a() * kLow * this->rate(); }

 private:
  T slope() const { return static_cast<T>(a() * (1 - this->rate())); }
};

}  // namespace lamina
