// In training each value is dropped with probability `rate`, and the others are scaled by 1 / (1 - rate).
#pragma once

#include <utility>
#include <vector>

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

// Which of a batch's values are dropped together: element j of every sample goes with number from[j] of
// `size` numbers, which are drawn for each sample or once for the whole batch. Without a `from`, each alone.
struct DropoutShape {
  std::vector<std::int64_t> from;
  std::int64_t size = 0;
  bool once = false;
};

template <class T>
class Dropout : public Layer<T> {
 public:
  // `stream` keeps the layers of a network apart that have one seed.
  Dropout(std::int64_t size, double rate, std::uint64_t seed, std::uint32_t stream, DropoutShape shape = {})
      : Layer<T>(size, size), dropping_{rate, seed, stream}, shape_(std::move(shape)) {}

  void settle(Memory& memory) override { from_ = copy_of(shape_.from, memory); }
  bool identity(bool training) const override { return !training || rate() == 0; }
  const Dropping* drops() const override { return shape_.from.empty() ? &dropping_ : nullptr; }
  std::int64_t workspace(std::int64_t rows) const override {
    return padded<T>(rows * this->outputs()) + drawn(rows) * shape_.size;
  }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* mask) const override {
    pass.backend.multiply(pass.lease, x, draw(pass, x.rows, mask), y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T>, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* mask) const override {
    if (dx) pass.backend.multiply(pass.lease, dy, ConstMatrix<T>(mask, x.rows, x.cols), dx);
  }

 protected:
  double rate() const { return dropping_.rate; }

  // Fills the mask, 0 or 1 / (1 - rate).
  ConstMatrix<T> draw(const Pass<T>& pass, std::int64_t rows, T* mask) const {
    const RandomStream stream{dropping_.seed, Purpose::kDropout, dropping_.stream, pass.step};
    const Matrix<T> kept(mask, rows, this->outputs());
    if (shape_.from.empty()) {
      pass.backend.dropout_mask(pass.lease, stream, rate(), kept);
    } else {
      const Matrix<T> numbers(mask + padded<T>(kept.size()), drawn(rows), shape_.size);
      pass.backend.dropout_mask(pass.lease, stream, rate(), numbers);
      const ConstMatrix<T> each(numbers.data, rows, shape_.size, shape_.once ? 0 : shape_.size);
      pass.backend.gather_columns(pass.lease, each, from_.data(), kept);
    }
    return kept;
  }

 private:
  std::int64_t drawn(std::int64_t rows) const { return shape_.once ? 1 : rows; }

  Dropping dropping_;
  DropoutShape shape_;
  Buffer<std::int64_t> from_;
};

}  // namespace lamina
