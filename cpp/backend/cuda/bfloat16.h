// The verbs for bfloat16 on a GPU: numbers lie in floats and are rounded as everywhere, large products are
// the library's, of factors packed into two bytes each.
#pragma once

#include "backend/bfloat16.h"
#include "backend/cuda/cuda.h"

namespace lamina {

class CudaBfloat16 final : public Bfloat16Backend {
 public:
  explicit CudaBfloat16(int number) : floats_(number), device_(number) {}

  std::int64_t dense_scratch(std::int64_t, std::int64_t, std::int64_t) const override { return 0; }
  void round(Lease& lease, ConstMatrix<float> x, Matrix<float> y) const override;
  void standardise(Lease& lease, ConstMatrix<float> x, const float* mean, const float* scale,
                   const float* shift, Matrix<float> y) const override;
  void dense(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, const float* b, Activation a,
             bool fused, Matrix<float> y, float* scratch) const override;
  void dense_gradient(Lease& lease, ConstMatrix<float> x, ConstMatrix<float> w, ConstMatrix<float> dz,
                      Activation below, Matrix<float> dw, float* db, Matrix<float> dx,
                      const Update<float>* update, float* scratch) const override;
  void activation(Lease& lease, Activation a, ConstMatrix<float> x, Matrix<float> y) const override;
  void activation_gradient(Lease& lease, Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                           Matrix<float> dx) const override;
  void nonlinearity(Lease& lease, const Nonlinearity<float>& f, ConstMatrix<float> x,
                    Matrix<float> y) const override;
  void nonlinearity_gradient(Lease& lease, const Nonlinearity<float>& f, ConstMatrix<float> x,
                             ConstMatrix<float> y, ConstMatrix<float> dy, Matrix<float> dx) const override;

 private:
  CudaBackend<float> floats_;
  cuda::Device device_;
};

}  // namespace lamina
