/* Stands in for NVIDIA's driver and cuBLAS in the test of the benchmarks' device.py: the functions it calls, by
   the arguments of cuda.h and cublas_api.h, on the host's memory. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const float* last_product;
const float* standin_last_product(void) { return last_product; }

int cuInit(unsigned flags) { return flags == 0 ? 0 : 1; }
int cuDriverGetVersion(int* version) {
  *version = 13020;
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = 7;
  return ordinal == 0 ? 0 : 101;
}
int cuDeviceGetName(char* name, int size, int device) {
  strncpy(name, "A stand-in", (size_t)size);
  return device == 7 ? 0 : 101;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = (size_t)80 << 30;
  return device == 7 ? 0 : 101;
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = &last_product;
  return device == 7 ? 0 : 101;
}
int cuCtxSetCurrent(void* context) { return context == &last_product ? 0 : 201; }
int cuCtxSynchronize(void) { return 0; }
int cuMemAlloc_v2(uint64_t* pointer, size_t bytes) {
  *pointer = (uint64_t)(uintptr_t)malloc(bytes);
  return 0;
}
int cuMemFree_v2(uint64_t pointer) {
  free((void*)(uintptr_t)pointer);
  return 0;
}
int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
  memcpy((void*)(uintptr_t)to, from, bytes);
  return 0;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
  memcpy((void*)(uintptr_t)to, (const void*)(uintptr_t)from, bytes);
  return stream == NULL ? 0 : 400;
}

int cublasCreate_v2(void** handle) {
  *handle = &last_product;
  return 0;
}

static float at(const void* values, int type, ptrdiff_t i) {
  if (type == 0) return ((const float*)values)[i];
  const uint32_t bits = (uint32_t)((const uint16_t*)values)[i] << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Column by column, as the library has it. c is always kept as float here, for the test to read. */
int cublasGemmEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int type_a,
                 int lda, const void* b, int type_b, int ldb, const void* beta, void* c, int type_c, int ldc,
                 int compute, int algorithm) {
  if (handle != &last_product || compute != 68 || algorithm != -1) return 7;
  if (*(const float*)alpha != 1 || *(const float*)beta != 0) return 7;
  if ((type_a != 0 && type_a != 14) || type_b != type_a || type_c != type_a) return 15;
  if (lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m) return 7;
  float* const out = c;
  last_product = out;
  for (ptrdiff_t j = 0; j < n; ++j)
    for (ptrdiff_t i = 0; i < m; ++i) {
      float sum = 0;
      for (ptrdiff_t l = 0; l < k; ++l)
        sum += at(a, type_a, ta ? l + i * lda : i + l * lda) * at(b, type_b, tb ? j + l * ldb : l + j * ldb);
      out[i + j * ldc] = sum;
    }
  return 0;
}
