// What is done to numbers in bfloat16 one by one, or row by row.
#include "backend/cuda/bfloat16.h"

#include "backend/cuda/bfloat16_number.h"
#include "backend/cuda/sums.h"

namespace lamina {
namespace {

using cuda::Bfloat16;

// y[i][j] = f(i, j)
template <class F>
void map(const cuda::Device& device, Matrix<float> y, const F& f) {
  device.each(y.size(), [=] LAMINA_DEVICE(std::int64_t k) {
    const std::int64_t i = k / y.cols, j = k % y.cols;
    y.row(i)[j] = f(i, j).v;
  });
}

// dx = (dy - sum y dy) y, the sum in double.
struct SoftmaxGradient {
  ConstMatrix<float> y, dy;
  Matrix<float> dx;

  LAMINA_DEVICE void operator()(const cuda::Block& block) const {
    const float* const out = y.row(block.index);
    const float* const up = dy.row(block.index);
    float* const to = dx.row(block.index);
    const auto at = [&](std::int64_t j) { return Bfloat16::exact(out[j]); };
    const double dot = cuda::over_range<double>(
        block, y.cols, [&](std::int64_t j) { return static_cast<double>((at(j) * cuda::nearest(up[j])).v); });
    const Bfloat16 sum = cuda::nearest(static_cast<float>(dot));
    block.each_thread([&](int t) {
      for (std::int64_t j = t; j < y.cols; j += block.threads)
        to[j] = ((cuda::nearest(up[j]) - sum) * at(j)).v;
    });
  }
};

}  // namespace

void CudaBfloat16::round(Lease&, ConstMatrix<float> x, Matrix<float> y) const {
  device_.check(x.data, y.data);
  map(device_, y, [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) { return cuda::nearest(x.row(i)[j]); });
}

void CudaBfloat16::standardise(Lease&, ConstMatrix<float> x, const float* mean, const float* scale,
                               const float* shift, Matrix<float> y) const {
  device_.check(x.data, mean, scale, shift, y.data);
  map(device_, y, [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
    Bfloat16 v = Bfloat16::exact(x.row(i)[j]);
    if (mean != nullptr) v = cuda::nearest(v.v - mean[j]);
    if (scale != nullptr) v = cuda::nearest(v.v * scale[j]);
    if (shift != nullptr) v = cuda::nearest(v.v + shift[j]);
    return v;
  });
}

void CudaBfloat16::activation(Lease& lease, Activation a, ConstMatrix<float> x, Matrix<float> y) const {
  device_.check(x.data, y.data);
  map(device_, y, [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
    return cuda::activated(a, cuda::nearest(x.row(i)[j]));
  });
  if (a != Activation::kSoftmax) return;
  floats_.activation(lease, a, y, y);
  round(lease, y, y);
}

void CudaBfloat16::activation_gradient(Lease&, Activation a, ConstMatrix<float> y, ConstMatrix<float> dy,
                                       Matrix<float> dx) const {
  device_.check(y.data, dy.data, dx.data);
  if (a == Activation::kSoftmax)
    return cuda::each_row<double>(device_, y.rows, y.cols, SoftmaxGradient{y, dy, dx});
  map(device_, dx, [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
    return cuda::gradient_from_output(a, Bfloat16::exact(y.row(i)[j]), cuda::nearest(dy.row(i)[j]));
  });
}

void CudaBfloat16::nonlinearity(Lease&, const Nonlinearity<float>& given, ConstMatrix<float> x,
                                Matrix<float> y) const {
  device_.check(x.data, y.data);
  const Nonlinearity<float> f = given;
  map(device_, y, [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
    return bfloat16::Form<Bfloat16>{f}.value(Bfloat16::exact(x.row(i)[j]));
  });
}

void CudaBfloat16::nonlinearity_gradient(Lease&, const Nonlinearity<float>& given, ConstMatrix<float> x,
                                         ConstMatrix<float> y, ConstMatrix<float> dy,
                                         Matrix<float> dx) const {
  device_.check(x.data, y.data, dy.data, dx.data);
  const Nonlinearity<float> f = given;
  map(device_, dx, [=] LAMINA_DEVICE(std::int64_t i, std::int64_t j) {
    return bfloat16::Form<Bfloat16>{f}.gradient(Bfloat16::exact(x.row(i)[j]), Bfloat16::exact(y.row(i)[j]),
                                                cuda::nearest(dy.row(i)[j]));
  });
}

}  // namespace lamina
