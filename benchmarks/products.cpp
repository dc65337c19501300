// A dense layer's three products, by the layers' own kernels and by BLAS on tiles: what backend/cpu/plan.cpp
// was chosen with. Usage: products [threads]; build with -DLAMINA_PRODUCTS=ON.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "backend/backend.h"
#include "backend/cpu/dense.h"
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
  const auto nothing = [](Matrix<float>, std::int64_t) {};
  constexpr auto relu = Activation::kRelu;
  const double times[] = {
      shortest([&] { backend.dense(lease, {X, nullptr}, W, b, relu, Y); }),
      shortest([&] { dense<float>(lease, {X}, {W, true}, b, relu, Y); }),
      shortest([&] { backend.dense_input_gradient(lease, DZ, W, relu, X, DX); }),
      shortest([&] { product<float>(lease, {DZ}, {W}, DX, nothing); }),
      shortest([&] { backend.dense_weight_gradient(lease, {X, nullptr}, DZ, DW, db, &update); }),
      shortest([&] { product<float>(lease, {DZ, true}, {X}, DW, nothing); }),
  };
  std::printf("%5lld %5lld %5lld ", static_cast<long long>(rows), static_cast<long long>(inputs),
              static_cast<long long>(units));
  const double operations =
      2.0 * static_cast<double>(rows) * static_cast<double>(inputs) * static_cast<double>(units);
  for (const double seconds : times)
    std::printf(" %9.1f us %4.0f", seconds * 1e6, operations / seconds / 1e9);
  std::printf("\n");
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  using namespace lamina;
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  set_num_threads(threads);
  std::printf("%s, threads: %d; shortest time and GFLOP/s\n", chosen_isa().c_str(), threads);
  std::printf(
      " rows inputs units  forward + bias + relu    by BLAS            input gradient + relu'"
      "   by BLAS, bare      weight gradient + SGD   by BLAS, bare\n");
  Lease lease;
  const std::int64_t shapes[][3] = {{32, 784, 50},    {32, 784, 100},    {32, 784, 300},  {32, 300, 200},
                                    {32, 200, 100},   {32, 100, 10},     {256, 784, 100}, {256, 100, 10},
                                    {256, 784, 2048}, {256, 2048, 2048}, {256, 2048, 10}, {364, 30, 10}};
  for (const auto& [rows, inputs, units] : shapes) measure(lease, rows, inputs, units);
}
