// A vector of T as wide as the instruction set's registers, by the compilers' vector extension: + - * / and
// comparisons work lane by lane. A multiplication that feeds an addition becomes one fused instruction where
// the set has it. Included only by kernels/isa.cpp.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::int32_t lane;
  typedef lane bits __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  static constexpr std::int64_t kLanes = LAMINA_VECTOR_BYTES / sizeof(float);
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::int64_t lane;
  typedef lane bits __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
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
  return x - Vec<T>{};  // x - 0 is x, whatever x is: the compiler need not compute it
}

template <class T>
Vec<T> load(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
void store(T* p, Vec<T> v) {
  std::memcpy(p, &v, sizeof v);
}

// Unsigned numbers of 64 bits.
typedef std::uint64_t WideWords __attribute__((vector_size(LAMINA_VECTOR_BYTES)));

// The whole product of the lower halves of each two lanes. The vector extension only has that of whole lanes,
// which takes three of this.
inline WideWords multiply_lower_halves(WideWords a, WideWords b) {
#if defined(__AVX512F__)
  return reinterpret_cast<WideWords>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<WideWords>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<WideWords>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

// The first n lanes, 0 <= n <= kLanes; what is not loaded is 0. The vector extension has no word for a mask.
#if defined(__AVX512F__)
inline Vec<float> load(const float* p, std::int64_t n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
inline Vec<double> load(const double* p, std::int64_t n) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
}
inline void store(float* p, Vec<float> v, std::int64_t n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
}
inline void store(double* p, Vec<double> v, std::int64_t n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), v);
}
// n bytes as numbers. (With a full mask: GCC 12 warns of the other forms' undefined operand.)
template <class T>
Vec<T> from_bytes(const std::uint8_t* p, std::int64_t n) {
  const __m128i bytes = _mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << n) - 1), p);
  if constexpr (sizeof(T) == sizeof(float))
    return _mm512_maskz_cvtepi32_ps(0xFFFF, _mm512_maskz_cvtepu8_epi32(0xFFFF, bytes));
  else
    return _mm512_maskz_cvtepi32_pd(0xFF, _mm256_cvtepu8_epi32(bytes));
}
#elif defined(__AVX2__)
inline __m256i mask32(std::int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i mask64(std::int64_t n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
inline Vec<float> load(const float* p, std::int64_t n) { return _mm256_maskload_ps(p, mask32(n)); }
inline Vec<double> load(const double* p, std::int64_t n) { return _mm256_maskload_pd(p, mask64(n)); }
inline void store(float* p, Vec<float> v, std::int64_t n) { _mm256_maskstore_ps(p, mask32(n), v); }
inline void store(double* p, Vec<double> v, std::int64_t n) { _mm256_maskstore_pd(p, mask64(n), v); }
template <class T>
Vec<T> from_bytes(const std::uint8_t* p, std::int64_t n) {
  long long bits = 0;
  std::memcpy(&bits, p, static_cast<std::size_t>(n));
  const __m128i bytes = _mm_cvtsi64_si128(bits);
  if constexpr (sizeof(T) == sizeof(float))
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  else
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(bytes));
}
#else
template <class T>
Vec<T> load(const T* p, std::int64_t n) {
  Vec<T> v{};
  for (std::int64_t i = 0; i < n; ++i) {
    T x;
    std::memcpy(&x, p + i, sizeof x);  // p may be unaligned
    v[i] = x;
  }
  return v;
}
template <class T>
void store(T* p, Vec<T> v, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = v[i];
}
template <class T>
Vec<T> from_bytes(const std::uint8_t* p, std::int64_t n) {
  Vec<T> v{};
  for (std::int64_t i = 0; i < n; ++i) v[i] = static_cast<T>(p[i]);
  return v;
}
#endif

// n lanes, which may be all.
template <class T>
Vec<T> load_up_to(const T* p, std::int64_t n) {
  return n == kLanes<T> ? load(p) : load(p, n);
}

template <class T>
void store_up_to(T* p, Vec<T> v, std::int64_t n) {
  if (n == kLanes<T>)
    store(p, v);
  else
    store(p, v, n);
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

// y[i] = f(x[i]...): whole vectors, then the rest as one filled up with zeros, so that the arithmetic of an
// element does not depend on where it stands.
template <class T, class F, class... X>
void map(std::int64_t size, T* y, F&& f, const X*... x) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= size; i += kLanes<T>) store(y + i, f(load(x + i)...));
  if (i < size) store(y + i, f(load(x + i, size - i)...), size - i);
}

// The first n lanes; the others are `rest`.
template <class T>
Vec<T> first_lanes(Vec<T> v, std::int64_t n, T rest) {
  Bits<T> lane;  // its numbers, a constant: lane by lane through memory would stall the load of the whole
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = i;
  return lane < Bits<T>{} + static_cast<typename VectorOf<T>::lane>(n) ? v : splat(rest);
}

// sum of f(i, n), vectors of which n lanes count, over i = 0..size-1. Lanes are summed in T for kRun vectors,
// these sums in double: the error grows with kRun, not with the size.
template <class T, class F>
double sum_by_vectors(std::int64_t size, F&& f) {
  constexpr std::int64_t kRun = 64;
  double total = 0;
  for (std::int64_t i = 0; i < size;) {
    Vec<T> run{};
    for (std::int64_t k = 0; k < kRun && i < size; ++k, i += kLanes<T>) {
      const std::int64_t n = size - i;
      run += n >= kLanes<T> ? f(i, kLanes<T>) : first_lanes<T>(f(i, n), n, T(0));
    }
    for (std::int64_t j = 0; j < kLanes<T>; ++j) total += static_cast<double>(run[j]);
  }
  return total;
}

// The largest of size values, -inf of none; NaN is passed over.
template <class T>
T largest_of(const T* x, std::int64_t size) {
  constexpr T lowest = -__builtin_huge_val();
  Vec<T> most = splat(lowest);
  std::int64_t i = 0;
  for (; i + kLanes<T> <= size; i += kLanes<T>) {
    const Vec<T> v = load(x + i);
    most = v > most ? v : most;
  }
  T largest = lowest;
  if (i > 0)
    for (std::int64_t j = 0; j < kLanes<T>; ++j) largest = most[j] > largest ? most[j] : largest;
  for (; i < size; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
