// y = x scale + shift. Included only by kernels/isa.cpp.
#pragma once

#include "kernels/arguments.h"
#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
void rescale(const Rescale<T>& rescale, const T* x, T* y, std::int64_t size) {
  map<T>(size, y, [&](Vec<T> v) { return rescale(v); }, x);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
