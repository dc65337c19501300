// Stands in for NVIDIA's library of products where a device is emulated: the few functions that are called,
// by their names and arguments, computing plainly what its documentation says of matrices that lie column by
// column. It refuses what the library would refuse.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace {

constexpr int kDone = 0, kInvalidValue = 7, kNotSupported = 15;
constexpr int kTf32 = 3;
constexpr int kOfFloats = 0, kOfHalfFloats = 14, kInFloats = 68, kItsChoice = -1;

struct Context {
  bool has_stream = false;
  const void* workspace = nullptr;
  int mode = 0;
};

// A bfloat16 number: the upper half of a float.
struct HalfFloat {
  std::uint16_t bits;
};
float narrowed(HalfFloat value) {
  const auto bits = static_cast<std::uint32_t>(value.bits) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

// The nearest number of 11 bits.
float narrowed(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0xFFFu + (bits >> 13 & 1u)) & ~0x1FFFu;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}
double narrowed(double value) { return value; }

// Factors of F, sums of T.
template <class T, class F>
int multiply(const void* handle, int transposes_a, int transposes_b, int m, int n, int k, const T* alpha,
             const F* a, int lda, const F* b, int ldb, const T* beta, T* c, int ldc) {
  const auto* const context = static_cast<const Context*>(handle);
  if (!context->has_stream || context->workspace == nullptr) return kInvalidValue;
  if (m < 0 || n < 0 || k < 0 || lda < (transposes_a != 0 ? k : m) || ldb < (transposes_b != 0 ? n : k) ||
      ldc < m)
    return kInvalidValue;
  const bool narrow = context->mode == kTf32;
  const auto factor = [&](F value) {
    if constexpr (std::is_same_v<F, T>)
      return narrow ? narrowed(value) : value;
    else
      return narrowed(value);
  };
  const auto at = [](const F* of, std::ptrdiff_t i, std::ptrdiff_t j, int ld) { return of[i + j * ld]; };
  for (std::ptrdiff_t j = 0; j < n; ++j)
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      T sum = 0;
      for (std::ptrdiff_t l = 0; l < k; ++l)
        sum += factor(transposes_a != 0 ? at(a, l, i, lda) : at(a, i, l, lda)) *
               factor(transposes_b != 0 ? at(b, j, l, ldb) : at(b, l, j, ldb));
      T& out = c[i + j * ldc];
      out = *alpha * sum + (*beta != T(0) ? *beta * out : T(0));
    }
  return kDone;
}

}  // namespace

#define LAMINA_EXPORTED extern "C" __attribute__((visibility("default")))

LAMINA_EXPORTED int cublasCreate_v2(void** handle) {
  *handle = new Context;
  return kDone;
}
LAMINA_EXPORTED int cublasSetStream_v2(void* handle, void*) {
  auto* const context = static_cast<Context*>(handle);
  context->has_stream = true;
  context->workspace = nullptr;  // the library takes back its own
  return kDone;
}
LAMINA_EXPORTED int cublasSetWorkspace_v2(void* handle, void* workspace, std::size_t) {
  static_cast<Context*>(handle)->workspace = workspace;
  return kDone;
}
LAMINA_EXPORTED int cublasSetMathMode(void* handle, int mode) {
  static_cast<Context*>(handle)->mode = mode;
  return kDone;
}
LAMINA_EXPORTED int cublasSgemm_v2(void* handle, int transposes_a, int transposes_b, int m, int n, int k,
                                   const float* alpha, const float* a, int lda, const float* b, int ldb,
                                   const float* beta, float* c, int ldc) {
  return multiply(handle, transposes_a, transposes_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
LAMINA_EXPORTED int cublasDgemm_v2(void* handle, int transposes_a, int transposes_b, int m, int n, int k,
                                   const double* alpha, const double* a, int lda, const double* b, int ldb,
                                   const double* beta, double* c, int ldc) {
  return multiply(handle, transposes_a, transposes_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// Of the kinds of numbers that it takes only factors of bfloat16 with sums of float stand here.
LAMINA_EXPORTED int cublasGemmEx(void* handle, int transposes_a, int transposes_b, int m, int n, int k,
                                 const void* alpha, const void* a, int a_kind, int lda, const void* b,
                                 int b_kind, int ldb, const void* beta, void* c, int c_kind, int ldc,
                                 int arithmetic, int algorithm) {
  if (a_kind != kOfHalfFloats || b_kind != kOfHalfFloats || c_kind != kOfFloats || arithmetic != kInFloats ||
      algorithm != kItsChoice)
    return kNotSupported;
  return multiply(handle, transposes_a, transposes_b, m, n, k, static_cast<const float*>(alpha),
                  static_cast<const HalfFloat*>(a), lda, static_cast<const HalfFloat*>(b), ldb,
                  static_cast<const float*>(beta), static_cast<float*>(c), ldc);
}
