#include "nn/network.h"

#include <algorithm>

#include "base/error.h"
#include "base/unique_number.h"

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
  for (const auto& layer : layers_) layer->settle(backend_.memory());
  block_ = std::make_shared<Buffer<T>>(place(), backend_.memory());
  layout_ = unique_number();
  built_ = true;
}

template <class T>
std::int64_t Network<T>::place() {
  std::int64_t end = 0;
  for (const bool first : {true, false}) {
    for (const auto& layer : layers_)
      for (std::size_t k = 0; k < layer->parameters().size(); ++k) {
        const Parameter& p = layer->parameters()[k];
        if (layer->gives_gradient(p) != first) continue;
        layer->place(k, end);
        end += p.extent();
      }
    if (first) trainable_size_ = end;
  }
  return end;
}

template <class T>
void Network<T>::freeze(const std::vector<bool>& parameters, const std::vector<bool>& statistics) {
  require_built();
  const auto block = std::make_shared<Buffer<T>>(block_->size(), backend_.memory());
  std::vector<Parameter> before;
  for (const auto& layer : layers_)
    before.insert(before.end(), layer->parameters().begin(), layer->parameters().end());
  require(parameters.size() == before.size() && statistics.size() == layers_.size(),
          "freeze: expected a word for each of ", before.size(), " parameters and ", layers_.size(),
          " layers, got ", parameters.size(), " and ", statistics.size());
  auto frozen = parameters.begin();
  for (const auto& layer : layers_)
    for (std::size_t k = 0; k < layer->parameters().size(); ++k) layer->freeze(k, *frozen++);
  freeze_statistics(statistics);
  place();
  auto from = before.begin();
  for (const auto& layer : layers_)
    for (const Parameter& to : layer->parameters()) {
      std::copy_n(block_->data() + from->offset, from->extent(), block->data() + to.offset);
      ++from;
    }
  block_ = block;
  layout_ = unique_number();
}

template <class T>
std::vector<bool> Network<T>::freeze_statistics(const std::vector<bool>& statistics) {
  std::vector<bool> before;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    before.push_back(layers_[i]->frozen_statistics());
    layers_[i]->freeze_statistics(statistics[i]);
  }
  return before;
}

template <class T>
void Network<T>::require_built() const {
  require(built_, "network: build() comes first");
}

template <class T>
std::vector<const Parameter*> Network<T>::parameter_list() const {
  std::vector<const Parameter*> all;
  for (const auto& layer : layers_)
    for (const Parameter& p : layer->parameters()) all.push_back(&p);
  return all;
}

template <class T>
bool Network<T>::steps_as_one() const {
  for (const auto& layer : layers_)
    for (const Parameter& p : layer->parameters())
      if (layer->gives_gradient(p) && !p.learns()) return false;
  return true;
}

template class Network<float>;
template class Network<double>;

}  // namespace lamina
