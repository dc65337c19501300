// The only file that knows BLAS.
#include "backend/cpu/blas.h"

#include <cblas.h>

#include <limits>

#include "base/error.h"

// The wheel of OpenBLAS puts `scipy_` before each name, so that it can live beside other copies in one
// process.
#ifdef LAMINA_BLAS_SCIPY
#define LAMINA_BLAS_NAME(name) scipy_##name
#else
#define LAMINA_BLAS_NAME(name) name
#endif

namespace lamina::blas {
namespace {

int blas_int(std::int64_t n) {
  require(n <= std::numeric_limits<int>::max(), "matrix: expected sizes below 2^31, got ", n);
  return static_cast<int>(n);
}

// Lamina's own threads call BLAS; its own threads would only be in their way (and versions up to 0.3.33 could
// mix up concurrent threaded products of different transposes).
void use_calling_thread_only() {
#ifdef LAMINA_BLAS_IS_OPENBLAS
  static const bool done = [] {
    LAMINA_BLAS_NAME(openblas_set_num_threads)(1);
    return true;
  }();
  static_cast<void>(done);
#endif
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha,
          const T* a, std::int64_t stride_a, const T* b, std::int64_t stride_b, T beta, T* c,
          std::int64_t stride_c) {
  use_calling_thread_only();
  const auto ta = transpose_a ? CblasTrans : CblasNoTrans, tb = transpose_b ? CblasTrans : CblasNoTrans;
  if constexpr (sizeof(T) == sizeof(float))
    LAMINA_BLAS_NAME(cblas_sgemm)(CblasRowMajor, ta, tb, blas_int(m), blas_int(n), blas_int(k), alpha, a,
                                  blas_int(stride_a), b, blas_int(stride_b), beta, c, blas_int(stride_c));
  else
    LAMINA_BLAS_NAME(cblas_dgemm)(CblasRowMajor, ta, tb, blas_int(m), blas_int(n), blas_int(k), alpha, a,
                                  blas_int(stride_a), b, blas_int(stride_b), beta, c, blas_int(stride_c));
}

template void gemm<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t, float, const float*,
                          std::int64_t, const float*, std::int64_t, float, float*, std::int64_t);
template void gemm<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t, double, const double*,
                           std::int64_t, const double*, std::int64_t, double, double*, std::int64_t);

#ifdef LAMINA_BLAS_IS_OPENBLAS
std::string version() {
  const std::string config = LAMINA_BLAS_NAME(openblas_get_config)();  // "OpenBLAS 0.3.34 DYNAMIC_ARCH ..."
  return config.substr(0, config.find(' ', config.find(' ') + 1));
}
std::string core_name() { return LAMINA_BLAS_NAME(openblas_get_corename)(); }
#else
std::string version() { return "system BLAS"; }
std::string core_name() { return "unknown"; }
#endif

}  // namespace lamina::blas
