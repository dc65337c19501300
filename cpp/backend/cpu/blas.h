// The general matrix product, from a BLAS that works on the calling thread alone.
#pragma once

#include <cstdint>
#include <string>

namespace lamina::blas {

// c = alpha op(a) op(b) + beta c, all row-major; op(a) is m x k, op(b) k x n. Sizes and strides fit in 31
// bits.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha,
          const T* a, std::int64_t stride_a, const T* b, std::int64_t stride_b, T beta, T* c,
          std::int64_t stride_c);

// Name and version, and the processor type whose kernels it chose.
std::string version();
std::string core_name();

}  // namespace lamina::blas
