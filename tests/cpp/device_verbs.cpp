// The verbs of a GPU, emulated: kernels' index arithmetic, their sums and what they wait for, over sizes
// around the edges of their blocks. What needs a real device is its compiler and its memory.
#include <cmath>
#include <cstdlib>

#include "alike.h"
#include "backend/cuda/cublas.h"
#include "base/packed_rows.h"
#include "checks.h"

namespace lamina {
namespace {

struct ProductSize {
  std::int64_t rows, inputs, units;
};

// Rows of weights lie apart; with a step, which leaves the ends of the rows 0.
template <class T>
void check_products(const ProductSize& size, Activation a) {
  const auto [rows, inputs, units] = size;
  const std::int64_t stride = row_stride<T>(inputs);
  const auto x = random_values<T>(rows * inputs, 51), dz = random_values<T>(rows * units, 52),
             b = random_values<T>(units, 53), below = random_values<T>(rows * inputs, 54);
  verb_rows = std::max(rows, units);  // of sums, for the tolerance
  verb_cols = inputs;
  expect_alike<T>(
      "products", [&, rows = rows, inputs = inputs, units = units](const auto& backend, Lease& lease) {
        auto w = random_values<T>(units * stride, 55);
        for (std::int64_t i = 0; i < units * stride; ++i)
          if (i % stride >= inputs) w[static_cast<std::size_t>(i)] = T(0);
        Values<T> y(dz.size()), dx(x.size()), gradients(static_cast<std::size_t>(units * stride + units));
        Values<T> parameters(w);
        parameters.insert(parameters.end(), b.begin(), b.end());
        const Matrix<T> dw(gradients.data(), units, inputs, stride);
        T* const db = gradients.data() + units * stride;
        Update<T> update;
        update.form.lr = T(0.125);
        update.dw = gradients.data();
        update.w = parameters.data();
        backend.dense(lease, {{x.data(), rows, inputs}}, {w.data(), units, inputs, stride}, b.data(), a,
                      {y.data(), rows, units});
        backend.dense_input_gradient(lease, {dz.data(), rows, units}, {w.data(), units, inputs, stride}, a,
                                     {{below.data(), rows, inputs}}, {dx.data(), rows, inputs});
        backend.dense_weight_gradient(lease, {{x.data(), rows, inputs}}, {dz.data(), rows, units}, dw, db,
                                      &update);
        backend.finish();
        for (std::int64_t i = 0; i < units * stride; ++i)
          if (i % stride >= inputs)
            expect(parameters[static_cast<std::size_t>(i)] == T(0), where() + "the end of a row is not 0");
        for (const auto* more : {&dx, &gradients, &parameters}) y.insert(y.end(), more->begin(), more->end());
        return y;
      });
}

// Tiles of each size over the three ways in which factors lie. A sum is one chain in the order of the depth.
template <class T, int kEach>
void check_tiles(const ProductSize& size) {
  const auto [rows, depth, cols] = size;
  const auto a = random_values<T>(rows * depth, 56), b = random_values<T>(depth * cols, 57);
  const cuda::Device device(0);
  for (const bool a_lies : {false, true})
    for (const bool b_lies : {false, true}) {
      const cuda::Strided<T> left{a.data(), a_lies ? 1 : depth, a_lies ? rows : 1};
      const cuda::Strided<T> right{b.data(), b_lies ? 1 : cols, b_lies ? depth : 1};
      Values<T> got(static_cast<std::size_t>(rows * cols));
      T* const out = got.data();
      const std::int64_t stride = cols;
      cuda::multiply_by<T, kEach>(device, left, right, rows, cols, depth,
                                  [=](std::int64_t i, std::int64_t j, T sum) { out[i * stride + j] = sum; });
      device.finish();
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < cols; ++j) {
          double sum = 0, size_of_terms = 0;
          for (std::int64_t k = 0; k < depth; ++k) {
            sum += static_cast<double>(left.at(i, k)) * static_cast<double>(right.at(k, j));
            size_of_terms +=
                std::abs(static_cast<double>(left.at(i, k)) * static_cast<double>(right.at(k, j)));
          }
          const double unit = sizeof(T) == sizeof(float) ? 0x1p-24 : 0x1p-53;
          expect(std::abs(static_cast<double>(out[i * cols + j]) - sum) <=
                     static_cast<double>(2 * depth) * unit * size_of_terms,
                 "emulated: a product by tiles of " + std::to_string(kEach));
        }
    }
}

// Factors that lie either way, with gaps between their rows; TF32's rounding where it is asked for.
template <class T>
void check_library(const ProductSize& size, bool tf32) {
  const auto [rows, depth, cols] = size;
  const cuda::Device device(0);
  cuda::allow_tf32(tf32);
  for (const bool a_lies : {false, true})
    for (const bool b_lies : {false, true}) {
      const std::int64_t a_row = a_lies ? rows + 3 : depth + 5, b_row = b_lies ? depth + 1 : cols + 2,
                         stride = cols + 4;
      const auto a = random_values<T>((a_lies ? depth : rows) * a_row, 58),
                 b = random_values<T>((b_lies ? cols : depth) * b_row, 59);
      const cuda::Strided<T> left{a.data(), a_lies ? 1 : a_row, a_lies ? a_row : 1};
      const cuda::Strided<T> right{b.data(), b_lies ? 1 : b_row, b_lies ? b_row : 1};
      Values<T> got(static_cast<std::size_t>(rows * stride), T(7)), expected(got);
      T* const out = expected.data();
      expect(cuda::multiply_by_library(device, left, right, rows, cols, depth, got.data(), stride),
             "a product that the library takes");
      cuda::multiply_by<T, 1>(
          device, left, right, rows, cols, depth,
          [=, stride = stride](std::int64_t i, std::int64_t j, T sum) { out[i * stride + j] = sum; });
      expect(got[0] == T(7), "it waits in the queue");
      device.finish();
      double worst = 0;
      for (std::size_t i = 0; i < got.size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i])));
      const double unit = sizeof(T) == sizeof(double) ? 0x1p-53 : 0x1p-24;
      const double near = 64 * unit * static_cast<double>(depth);
      expect(worst <= (tf32 ? 0x1p-6 * std::sqrt(static_cast<double>(depth)) : near),
             "a product by the library is that by tiles");
      expect(!tf32 || sizeof(T) == sizeof(double) || worst > near, "TF32 rounds");
    }
  cuda::allow_tf32(false);
}

// What does not lie as the library has it is left to the tiles, and so are small products.
void check_library_limits() {
  const cuda::Device device(0);
  const auto a = random_values<float>(400, 60);
  Values<float> c(100);
  const cuda::Strided<float> plain{a.data(), 10, 1}, every_other{a.data(), 20, 2},
      overlapping{a.data(), 4, 1};
  for (const auto& other : {every_other, overlapping})
    expect(!cuda::multiply_by_library(device, plain, other, 10, 10, 10, c.data(), 10) &&
               !cuda::multiply_by_library(device, other, plain, 10, 10, 10, c.data(), 10),
           "the library is not given what it can't take");
  expect(!cuda::multiply_by_library(device, plain, plain, 10, 10, 10, c.data(), std::int64_t{1} << 31),
         "nor strides beyond its integers");
  expect(!cuda::suits_library(32, 784, 100) && !cuda::suits_library(16, 4096, 4096) &&
             cuda::suits_library(256, 256, 256) && cuda::suits_library(32, 2048, 2048),
         "large products are the library's");
}

// Rows of every number type and layout, by order and one after another.
template <class T>
void check_rows() {
  constexpr std::int64_t count = 300, width = 13;
  Values<std::int64_t> order(count);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i * 7) % count;
  std::vector<unsigned char> bytes(2 * count * width * 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 7919 >> 3);
  for (int kind = 0; kind <= static_cast<int>(DType::kUint64); ++kind)
    for (const bool swapped : {false, true})
      for (const std::int64_t apart : {1, 2}) {
        const auto dtype = static_cast<DType>(kind);
        const std::int64_t item = kind == 0 ? 1 : std::int64_t{1} << (kind - 1) % 4;
        Rows rows{bytes.data(), dtype, swapped, count, width * apart * item, {width}, {apart * item}, {}};
        PackedRows packed;
        packed.hold(rows, 5, count - 5, tested_backend<T>("emulated").memory());
        Values<T> got(static_cast<std::size_t>((count - 5) * width)), one(width);
        Lease lease;
        tested_backend<T>("emulated")
            .gather(lease, packed.rows(), nullptr, 0, {got.data(), count - 5, width});
        tested_backend<T>("emulated").finish();
        for (std::int64_t i = 0; i < count - 5; ++i) {
          read_row(rows, i + 5, one.data());
          for (std::int64_t j = 0; j < width; ++j)
            expect(got[static_cast<std::size_t>(i * width + j)] == one[static_cast<std::size_t>(j)],
                   "emulated: a gathered number of type " + std::to_string(kind));
        }
      }
  Values<T> labels(count);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<T>(static_cast<int>(i) - 7);
  for (const LabelRange& range : {LabelRange{}, LabelRange{true}, LabelRange{false, 200, true, -3}}) {
    LabelRange held = range;
    if (held.classes == 0) held.classes = 9;
    std::vector<Values<std::int64_t>> found;
    for (const char* name : {"emulated", "cpu", "reference"}) {
      Lease lease;
      found.emplace_back(count);
      tested_backend<T>(name).gather_labels(lease, rows_of(labels, count), order.data(), 0, held,
                                            {found.back().data(), count, 1});
      tested_backend<T>(name).finish();
    }
    expect(found[0] == found[2] && found[1] == found[2], "labels of all backends are the same");
  }
}

// A sparse matrix, a place that comes twice among its values.
template <class T>
void check_sparse() {
  const std::vector<std::int32_t> starts{0, 2, 2, 5}, columns{1, 4, 0, 3, 3};
  const std::vector<float> values{1.5f, -2, 3, 4, 0.25f};
  Rows rows;
  rows.data = reinterpret_cast<const unsigned char*>(values.data());
  rows.count = 3;
  rows.stride = sizeof(float);
  rows.shape = {6};
  rows.strides = {sizeof(float)};
  rows.places = {starts.data(), columns.data(), false};
  const Backend<T>& backend = tested_backend<T>("emulated");
  PackedRows packed;
  packed.hold(rows, 1, 2, backend.memory());
  Values<T> got(12), expected(12);
  Lease lease;
  backend.gather(lease, packed.rows(), nullptr, 0, {got.data(), 2, 6});
  backend.finish();
  read_row(rows, 1, expected.data());
  read_row(rows, 2, expected.data() + 6);
  expect(got == expected, "emulated: rows of a sparse matrix");
}

// The CPU's numbers, bit for bit.
template <class T>
void check_masks() {
  for (const std::int64_t size : {1, 2, 3, 5, 1023, 4099}) {
    const RandomStream stream{5, Purpose::kDropout, 1, 7};
    std::vector<Values<T>> masks;
    for (const char* name : {"emulated", "cpu"}) {
      Lease lease;
      masks.emplace_back(static_cast<std::size_t>(size));
      tested_backend<T>(name).dropout_mask(lease, stream, 0.3, {masks.back().data(), 1, size});
      tested_backend<T>(name).finish();
    }
    expect(masks[0] == masks[1], "emulated: dropout masks are the CPU's");
  }
}

// Code that does not wait reads what was there before; memory that is the host's alone is refused.
void check_emulation() {
  const Backend<float>& backend = tested_backend<float>("emulated");
  Lease lease;
  Values<float> x(3, 1.0f), y(3, 2.0f);
  backend.blend(lease, Blend::kAdd, 0, 0, x.data(), y.data(), 3);
  expect(y[0] == 2.0f, "a launched kernel waits for finish()");
  backend.finish();
  expect(y[0] == 3.0f, "finish() has it done");
  const std::vector<float> host(3);
  bool refused = false;
  try {
    backend.blend(lease, Blend::kCopy, 0, 0, host.data(), y.data(), 3);
  } catch (const std::runtime_error&) {
    refused = true;
  }
  expect(refused, "memory of the host alone is refused");
}

template <class T>
void check() {
  for (const Activation a : {Activation::kRelu, Activation::kTanh, Activation::kSoftmax})
    for (const ProductSize& size :
         {ProductSize{1, 1, 1}, {13, 33, 10}, {16, 16, 16}, {17, 257, 1}, {64, 65, 63}, {5, 784, 33}})
      check_products<T>(size, a);
  check_products<T>({640, 40, 640}, Activation::kSigmoid);
  for (const Activation a : {Activation::kLinear, Activation::kTanh, Activation::kSoftmax})
    check_products<T>({160, 330, 322}, a);  // the library's
  for (const ProductSize& size : {ProductSize{1, 1, 1}, {1, 9, 5}, {8, 1, 3}, {37, 20, 1}, {19, 40, 23}})
    for (const bool tf32 : {false, true}) check_library<T>(size, tf32 && size.inputs > 9);
  for (const ProductSize& size : {ProductSize{1, 1, 1}, {16, 64, 16}, {17, 65, 129}, {130, 33, 63}}) {
    check_tiles<T, 1>(size);
    check_tiles<T, 4>(size);
    check_tiles<T, 8>(size);
  }
  check_rows<T>();
  check_sparse<T>();
  check_masks<T>();
}

}  // namespace

void check_device_verbs() {
  setenv("LAMINA_CUBLAS", LAMINA_STANDIN, 1);
  expect(cuda::library_path() == LAMINA_STANDIN, "the library is found");
  check_emulation();
  check_library_limits();
  verbs_of = "emulated";
  check<float>();
  check<double>();
  // One of everything, around a block's edges, and several blocks to a row and a column.
  constexpr std::int64_t sizes[][2] = {{2, 6}, {34, 42}, {256, 6}, {258, 18}, {6, 258}, {402, 42}, {2, 774}};
  for (const auto& size : sizes) {
    verb_rows = size[0];
    verb_cols = size[1];
    check_activations();
    check_sample_verbs();
    check_weight_verbs();
    check_loss_verbs();
  }
  verb_rows = 402;
  verb_cols = 42;
  check_bfloat16_verbs();
  verbs_of = "cpu";
}

}  // namespace lamina
