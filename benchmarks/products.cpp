// A dense layer's three products and those of lamina.ops, by Lamina and by OpenBLAS with as many threads,
// which adds no bias, slope or step: what backend/cpu/plan.cpp was chosen with. Usage: products [threads];
// build with -DLAMINA_PRODUCTS=ON.
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "backend/backend.h"
#include "backend/cpu/product.h"
#include "base/memory.h"
#include "base/sampling.h"
#include "kernels/select.h"

namespace lamina {
namespace {

using Clock = std::chrono::steady_clock;

// The shortest of many calls, in seconds: what disturbs can only make them longer.
template <class F>
double shortest(F&& f) {
  double best = 1e9, total = 0;
  for (int n = 0; total < 0.25 || n < 5; ++n) {
    const auto begin = Clock::now();
    f();
    const double taken = std::chrono::duration<double>(Clock::now() - begin).count();
    total += taken;
    best = std::min(best, taken);
  }
  return best;
}

Buffer<float> random_values(std::int64_t size, double scale) {
  Buffer<float> values(size);
  fill_uniform(values.data(), size, {1, Purpose::kInitialise, 0, 0}, -scale, scale);
  return values;
}

// c = a b, by BLAS.
void by_blas(Factor<float> a, Factor<float> b, Matrix<float> c) {
  const auto order = [](const Factor<float>& f) { return f.transposed ? CblasTrans : CblasNoTrans; };
  const auto size = [](std::int64_t n) { return static_cast<int>(n); };
  scipy_cblas_sgemm(CblasRowMajor, order(a), order(b), size(c.rows), size(c.cols), size(a.cols()), 1.0f,
                    a.matrix.data, size(a.matrix.stride), b.matrix.data, size(b.matrix.stride), 0.0f, c.data,
                    size(c.stride));
}

void measure(Lease& lease, std::int64_t rows, std::int64_t inputs, std::int64_t units) {
  const auto& backend = backend_named<float>("cpu");
  const std::int64_t stride = row_stride<float>(inputs), size = units * stride + padded<float>(units);
  const auto x = random_values(rows * inputs, 1), dz = random_values(rows * units, 1e-6);
  const auto w = random_values(size, 0.05), dw = random_values(size, 0);
  Buffer<float> y(rows * units), dx(rows * inputs);
  const Matrix<float> X(x.data(), rows, inputs), W(w.data(), units, inputs, stride), Y(y.data(), rows, units),
      DZ(dz.data(), rows, units), DX(dx.data(), rows, inputs), DW(dw.data(), units, inputs, stride);
  float *const b = w.data() + units * stride, *const db = dw.data() + units * stride;
  Update<float> update;
  update.form.lr = 1e-9f;
  update.dw = dw.data();
  update.w = w.data();
  constexpr auto relu = Activation::kRelu;
  const double times[] = {
      shortest([&] { backend.dense(lease, {X, nullptr}, W, b, relu, Y); }),
      shortest([&] { by_blas({X}, {W, true}, Y); }),
      shortest([&] { backend.dense_input_gradient(lease, DZ, W, relu, X, DX); }),
      shortest([&] { by_blas({DZ}, {W}, DX); }),
      shortest([&] { backend.dense_weight_gradient(lease, {X, nullptr}, DZ, DW, db, &update); }),
      shortest([&] { by_blas({DZ, true}, {X}, DW); }),
  };
  std::printf("%5lld %5lld %5lld ", static_cast<long long>(rows), static_cast<long long>(inputs),
              static_cast<long long>(units));
  const double operations =
      2.0 * static_cast<double>(rows) * static_cast<double>(inputs) * static_cast<double>(units);
  for (const double seconds : times)
    std::printf(" %9.1f us %4.0f", seconds * 1e6, operations / seconds / 1e9);
  std::printf("\n");
}

// The products of lamina.ops, of matrices as they lie.
void measure_as_they_lie(Lease& lease, std::int64_t rows, std::int64_t depth, std::int64_t cols) {
  const auto a = random_values(rows * depth, 1), b = random_values(depth * cols, 1);
  Buffer<float> c(rows * cols);
  const Matrix<float> C(c.data(), rows, cols);
  const auto factor = [](const Buffer<float>& values, std::int64_t n, std::int64_t m, bool transposed) {
    return transposed ? Factor<float>{{values.data(), m, n}, true} : Factor<float>{{values.data(), n, m}};
  };
  std::printf("%5lld %5lld %5lld ", static_cast<long long>(rows), static_cast<long long>(depth),
              static_cast<long long>(cols));
  const double operations =
      2.0 * static_cast<double>(rows) * static_cast<double>(depth) * static_cast<double>(cols);
  const auto print = [operations](double seconds) {
    std::printf(" %9.1f us %4.0f", seconds * 1e6, operations / seconds / 1e9);
  };
  for (const auto& [at, bt] : {std::pair{false, false}, {true, false}, {false, true}}) {
    const auto x = factor(a, rows, depth, at), y = factor(b, depth, cols, bt);
    print(shortest([&] { product<float>(lease, x, y, nullptr, Activation::kLinear, C); }));
    print(shortest([&] { by_blas(x, y, C); }));
  }
  std::printf("\n");
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  using namespace lamina;
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  set_num_threads(threads);
  scipy_openblas_set_num_threads(threads);
  std::printf("%s, threads: %d; shortest time and GFLOP/s\n", chosen_isa().c_str(), threads);
  std::printf(
      " rows inputs units  forward + bias + relu   by BLAS, bare      input gradient + relu'"
      "   by BLAS, bare      weight gradient + SGD   by BLAS, bare\n");
  Lease lease;
  const std::int64_t shapes[][3] = {{32, 784, 50},    {32, 784, 100},    {32, 784, 300},  {32, 300, 200},
                                    {32, 200, 100},   {32, 100, 10},     {256, 784, 100}, {256, 100, 10},
                                    {256, 784, 2048}, {256, 2048, 2048}, {256, 2048, 10}, {364, 30, 10}};
  for (const auto& [rows, inputs, units] : shapes) measure(lease, rows, inputs, units);
  std::printf(
      " rows depth  cols  a b                by BLAS            aT b               by BLAS            a bT   "
      "            by BLAS\n");
  const std::int64_t products[][3] = {
      {100, 784, 50},     {784, 100, 50},     {100, 50, 10},    {50, 100, 10},   {100, 10, 50},
      {1, 784, 100},      {8, 784, 100},      {64, 64, 64},     {256, 256, 256}, {512, 512, 512},
      {1024, 1024, 1024}, {2048, 2048, 2048}, {60000, 784, 50}, {10000, 100, 10}};
  for (const auto& [rows, depth, cols] : products) measure_as_they_lie(lease, rows, depth, cols);
}
