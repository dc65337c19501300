// y = max(x, 0) - alpha max(-x, 0), alpha learned (He et al., 2015): one for each value of a sample, or
// shared.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "nn/layer.h"

namespace lamina {

template <class T>
class PRelu : public Layer<T> {
 public:
  // shape: of the alphas. places: for each value of a sample which alpha is its; empty: each has its own.
  PRelu(std::int64_t size, std::vector<std::int64_t> shape, std::vector<std::int64_t> places)
      : Layer<T>(size, size), places_(std::move(places)) {
    std::int64_t count = 1;
    for (const std::int64_t n : shape) count *= n;
    Parameter alpha{"alpha", 1, count};
    alpha.shape = std::move(shape);
    this->parameters_.push_back(std::move(alpha));
  }

  void settle(Memory& memory) override { alpha_of_ = copy_of(places_, memory); }

  // Of shared alphas one for each value, and their gradients.
  std::int64_t workspace(std::int64_t) const override { return own_workspace(); }
  ConstMatrix<T> logits(const Pass<T>&, ConstMatrix<T> x, Matrix<T>) const override { return x; }
  std::int64_t own_workspace() const { return places_.empty() ? 0 : 2 * padded<T>(this->inputs()); }

  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y, T* workspace) const override {
    pass.backend.nonlinearity(pass.lease, form(pass, workspace), x, y);
  }

  void backward(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T> y, Matrix<T> dy, bool, Activation,
                Matrix<T> dx, T* workspace) const override {
    if (!this->learns()) {
      if (dx) pass.backend.nonlinearity_gradient(pass.lease, form(pass, workspace), x, y, dy, dx, nullptr);
      return;
    }
    T* const alphas = this->gradient(pass, 0);
    T* const each = places_.empty() ? alphas : workspace + padded<T>(this->inputs());
    pass.backend.nonlinearity_gradient(pass.lease, form(pass, workspace), x, y, dy, dx, each);
    const Parameter& alpha = this->parameters_[0];
    if (!places_.empty()) {
      pass.backend.finish();
      std::fill_n(alphas, alpha.cols, T(0));
      for (std::size_t i = 0; i < places_.size(); ++i) alphas[places_[i]] += each[i];
    }
    finish_gradient(pass, alphas, alpha.cols);
    if (pass.update != nullptr) pass.backend.update(pass.lease, *pass.update, alphas, alpha.cols);
  }

 protected:
  // The alphas as they are computed with; what is passed lies behind the workspace of this class.
  virtual const T* alphas(const Pass<T>& pass, T*) const { return this->value(pass, 0); }
  virtual void finish_gradient(const Pass<T>&, T*, std::int64_t) const {}

 private:
  Nonlinearity<T> form(const Pass<T>& pass, T* workspace) const {
    const T* const alphas = this->alphas(pass, workspace + own_workspace());
    Nonlinearity<T> f{NonlinearKind::kPrelu};
    f.slopes = places_.empty() ? alphas : workspace;
    if (!places_.empty())
      pass.backend.gather_columns(pass.lease, {alphas, 1, this->parameters_[0].cols}, alpha_of_.data(),
                                  {workspace, 1, this->inputs()});
    return f;
  }

  std::vector<std::int64_t> places_;
  Buffer<std::int64_t> alpha_of_;
};

}  // namespace lamina
