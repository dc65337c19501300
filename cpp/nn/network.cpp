#include "nn/network.h"

#include "base/error.h"

namespace lamina {

template <class T>
Network<T>::Network(std::int64_t inputs, const Backend<T>& backend) : backend_(backend), inputs_(inputs) {
  require(inputs > 0, "inputs: expected a positive number of values per sample, got ", inputs);
}

template <class T>
void Network<T>::add(std::unique_ptr<Layer<T>> layer) {
  require(!built_, "network: no layer can be added once it is built");
  require(layer->inputs() == outputs(), "layer ", layers_.size(), ": expected an input of ", outputs(),
          " values per sample, as come out of the layer before it, got ", layer->inputs());
  layers_.push_back(std::move(layer));
}

template <class T>
void Network<T>::build() {
  require(!built_, "network: it is built already");
  std::int64_t end = 0;
  for (const bool trainable : {true, false}) {
    for (const auto& layer : layers_)
      for (std::size_t k = 0; k < layer->parameters().size(); ++k) {
        const Parameter& p = layer->parameters()[k];
        if (p.trainable != trainable) continue;
        layer->place(k, end);
        end += p.extent();
      }
    if (trainable) trainable_size_ = end;
  }
  block_ = Buffer<T>(end);
  built_ = true;
}

template <class T>
void Network<T>::require_built() const {
  require(built_, "network: build() comes first");
}

template <class T>
std::vector<const Parameter*> Network<T>::trainable() const {
  std::vector<const Parameter*> all;
  for (const auto& layer : layers_)
    for (const Parameter& p : layer->parameters())
      if (p.trainable) all.push_back(&p);
  return all;
}

template class Network<float>;
template class Network<double>;

}  // namespace lamina
