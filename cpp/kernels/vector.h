// A vector of T as wide as the instruction set's registers, by the compilers' vector extension: + - * / and
// comparisons work lane by lane. A multiplication that feeds an addition becomes one fused instruction where
// the set has it. Included only by kernels/isa.cpp.
#pragma once

#include <cstdint>
#include <cstring>

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::int32_t bits __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  static constexpr std::int64_t kLanes = LAMINA_VECTOR_BYTES / sizeof(float);
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::int64_t bits __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  static constexpr std::int64_t kLanes = LAMINA_VECTOR_BYTES / sizeof(double);
};

template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
using Bits = typename VectorOf<T>::bits;
template <class T>
inline constexpr std::int64_t kLanes = VectorOf<T>::kLanes;

template <class T>
Vec<T> splat(T x) {
  return Vec<T>{} + x;  // 0 + x is x, except that -0 becomes 0
}

template <class T>
Vec<T> load(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// The first n lanes; the others are 0.
template <class T>
Vec<T> load(const T* p, std::int64_t n) {
  Vec<T> v{};
  for (std::int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}

template <class T>
void store(T* p, Vec<T> v) {
  std::memcpy(p, &v, sizeof v);
}

template <class T>
void store(T* p, Vec<T> v, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = v[i];
}

template <class T>
Bits<T> bits_of(Vec<T> v) {
  Bits<T> b;
  std::memcpy(&b, &v, sizeof b);
  return b;
}

template <class T>
Vec<T> vector_of(Bits<T> b) {
  Vec<T> v;
  std::memcpy(&v, &b, sizeof v);
  return v;
}

// Calls f(i, n) for runs of at most one vector: n is a full vector's lanes except in the last run.
template <class T, class F>
void by_vectors(std::int64_t size, F&& f) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= size; i += kLanes<T>) f(i, kLanes<T>);
  if (i < size) f(i, size - i);
}

// y[i] = f(x[i]...): whole vectors, then the rest as one filled up with zeros, so that the arithmetic of an
// element does not depend on where it stands.
template <class T, class F, class... X>
void map(std::int64_t size, T* y, F&& f, const X*... x) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= size; i += kLanes<T>) store(y + i, f(load(x + i)...));
  if (i < size) store(y + i, f(load(x + i, size - i)...), size - i);
}

template <class T>
T sum_of(Vec<T> v) {
  for (std::int64_t width = kLanes<T> / 2; width > 0; width /= 2)
    for (std::int64_t i = 0; i < width; ++i) v[i] += v[i + width];
  return v[0];
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
