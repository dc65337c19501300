#include "nn/restraints.h"

#include <algorithm>

namespace lamina {

template <class T>
Restraints<T>::Restraints(const Network<T>& network) {
  std::int64_t most = 0;
  for (const auto& layer : network.layers())
    for (std::size_t k = 0; k < layer->parameters().size(); ++k) {
      const Parameter& p = layer->parameters()[k];
      const OwnRestraint<T>* own = nullptr;
      for (const auto& each : layer->own_restraints())
        if (each.parameter == k) own = &each;
      if (!p.learns() || (!p.penalty && !p.constraint && p.orthogonality == 0 && own == nullptr)) continue;
      held_.push_back(
          {layer.get(), &p, p.penalty.template in<T>(), p.constraint.template in<T>(), own, std::nullopt});
      if (p.orthogonality != 0)
        held_.back().orthogonality.emplace(p.orthogonality, p.orthogonal_columns == p.transposed, p.rows,
                                           p.cols, network.backend().memory());
      most = std::max(most, p.rows);
    }
  rows_ = Buffer<T>(most, network.backend().memory());
}

template <class T>
bool Restraints<T>::concern(const Layer<T>& layer) const {
  return std::any_of(held_.begin(), held_.end(), [&](const Held& h) { return h.layer == &layer; });
}

template <class T>
bool Restraints<T>::may_throw() const {
  return std::any_of(held_.begin(), held_.end(), [](const Held& h) { return h.own != nullptr; });
}

template <class T>
void Restraints<T>::evaluate(const Pass<T>& pass, const Layer<T>* layer, bool gradients) const {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const Held& h = held_[i];
    if (layer != nullptr && h.layer != layer) continue;
    const Parameter& p = *h.parameter;
    const ConstMatrix<T> w(pass.parameters + p.offset, p.rows, p.cols, p.stride);
    const Matrix<T> dw =
        gradients ? Matrix<T>(pass.gradients + p.offset, p.rows, p.cols, p.stride) : Matrix<T>();
    double* const out = pass.weight_penalties + kEach * static_cast<std::int64_t>(i);
    if (h.penalty) pass.backend.penalty(pass.lease, h.penalty, w, T(1), rows_.data(), dw, out);
    if (h.orthogonality) out[1] = (*h.orthogonality)(pass, w, dw);
    if (h.own == nullptr || !h.own->penalty) continue;
    pass.backend.finish();
    out[2] = h.own->penalty(p, w.data, dw.data);
  }
}

template <class T>
double Restraints<T>::sum(const double* penalties) const {
  double sum = 0;
  for (const double* end = penalties + this->penalties(); penalties < end; penalties += kEach)
    sum += penalties[0] + penalties[1] + penalties[2];
  return sum;
}

template <class T>
void Restraints<T>::constrain(const Pass<T>& pass, const Layer<T>* layer) const {
  for (const Held& h : held_) {
    if (layer != nullptr && h.layer != layer) continue;
    const Parameter& p = *h.parameter;
    const Matrix<T> w(pass.parameters + p.offset, p.rows, p.cols, p.stride);
    if (h.constraint) pass.backend.constrain(pass.lease, h.constraint, w);
    if (h.own == nullptr || !h.own->constraint) continue;
    pass.backend.finish();
    h.own->constraint(p, w.data);
  }
}

template <class T>
void Restraints<T>::step(const Pass<T>& pass, const Layer<T>& layer, const Update<T>& update) const {
  evaluate(pass, &layer, true);
  for (const Parameter& p : layer.parameters())
    if (p.learns()) pass.backend.update(pass.lease, update, pass.gradients + p.offset, p.extent());
  constrain(pass, &layer);
}

template class Restraints<float>;
template class Restraints<double>;

}  // namespace lamina
