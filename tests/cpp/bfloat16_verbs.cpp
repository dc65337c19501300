// The verbs for bfloat16 on the CPU and on an emulated GPU, against the reference: bit for bit where each
// operation has one right result, and else but for numbers that lie so near a tie that float and double
// decide it differently.
#include <bit>
#include <iterator>
#include <limits>

#include "alike.h"
#include "backend/cuda/bfloat16.h"
#include "backend/cuda/cublas.h"
#include "checks.h"
#include "kernels/bfloat16_number.h"

namespace lamina {
namespace {

const Bfloat16Backend& tested_verbs(const std::string& name) {
  static const CudaBfloat16 emulated(0);
  return name == "emulated" ? emulated : bfloat16_backend_named(name);
}

Values<float> rounded_values(std::int64_t size, std::uint64_t seed) {
  auto values = random_values<float>(size, seed);
  for (float& value : values) value = nearest_bfloat16(value);
  return values;
}

// Multiples of 1/8, of whose products sums are exact.
Values<float> exact_values(std::int64_t size, std::int64_t step) {
  Values<float> values(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<float>(i * step % 33 - 16) / 8;
  return values;
}

// What a verb gives on the tested backend and on one that is known to be right.
struct Found {
  Values<float> got, expected;
};
const char* right_one = "reference";
template <class Verb>
Found found(const std::string& what, Verb&& verb) {
  Lease lease;
  const auto on = [&](const std::string& name) {
    Values<float> values = verb(tested_verbs(name), lease);
    tested_backend<float>(name).finish();
    return values;
  };
  Found both{on(verbs_of), on(right_one)};
  if (std::string(verbs_of) == "emulated") {
    cuda::backwards() = true;
    const Values<float> again = on(verbs_of);
    cuda::backwards() = false;
    expect(std::equal(again.begin(), again.end(), both.got.begin(),
                      [](float a, float b) { return a == b || (a != a && b != b); }),
           where() + what + ": the order of blocks and threads counts");
  }
  return both;
}

template <class Verb>
void expect_same(const std::string& what, Verb&& verb) {
  const auto [got, expected] = found(what, verb);
  expect(got.size() == expected.size() && !got.empty(), what + ": as many numbers");
  for (std::size_t i = 0; i < got.size(); ++i)
    expect(std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(expected[i]) ||
               (got[i] != got[i] && expected[i] != expected[i]),
           where() + what + ": number " + std::to_string(i) + ": " + std::to_string(got[i]) + " is not " +
               std::to_string(expected[i]));
}

// An elementary function is within 2 units in the last place of float, of which a bfloat16 number's unit has
// 2^16: of a few operations in a row one number in 2^13 may be rounded otherwise. It is then a unit off, of
// what was rounded; numbers here are at most a few units of 1, and so is what they are summed from.
template <class Verb>
void expect_near(const std::string& what, Verb&& verb) {
  const auto [got, expected] = found(what, verb);
  expect(got.size() == expected.size() && !got.empty(), what + ": as many numbers");
  std::size_t others = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == expected[i] || (got[i] != got[i] && expected[i] != expected[i])) continue;
    ++others;
    expect(std::abs(got[i] - expected[i]) <= 0x1p-5f * std::max(1.0f, std::abs(expected[i])),
           where() + what + ": number " + std::to_string(i) + ": " + std::to_string(got[i]) + " is not " +
               std::to_string(expected[i]));
  }
  expect(others <= 3 + got.size() / 1024, where() + what + ": " + std::to_string(others) + " of " +
                                              std::to_string(got.size()) + " numbers are others");
}

struct LayerSize {
  std::int64_t rows, inputs, units;
};

// A layer's three products, weights' rows apart. y is wanted as a(z) and with each operation rounded.
template <class Expect>
void check_layer(const LayerSize& size, const Values<float>& x, const Values<float>& w,
                 const Values<float>& b, const Values<float>& dz, Activation a, bool fused, bool bias,
                 Expect&& expect_of) {
  const auto [rows, inputs, units] = size;
  const std::int64_t stride = row_stride<float>(inputs);
  Values<float> apart(static_cast<std::size_t>(units * stride));
  for (std::int64_t i = 0; i < units; ++i)
    std::copy_n(w.data() + i * inputs, inputs, apart.data() + i * stride);
  expect_of("a layer of bfloat16, " + std::to_string(rows) + " by " + std::to_string(inputs) + " by " +
                std::to_string(units),
            [&, rows = rows, inputs = inputs, units = units](const auto& verbs, Lease& lease) {
              Values<float> y(static_cast<std::size_t>(rows * units)), dw(apart.size()),
                  db(static_cast<std::size_t>(units)), dx(x.size());
              Values<float> scratch(static_cast<std::size_t>(verbs.dense_scratch(rows, inputs, units)));
              const ConstMatrix<float> of_x(x.data(), rows, inputs),
                  of_w(apart.data(), units, inputs, stride), of_dz(dz.data(), rows, units);
              verbs.dense(lease, of_x, of_w, bias ? b.data() : nullptr, a, fused, {y.data(), rows, units},
                          scratch.data());
              const Activation below = bias ? Activation::kRelu : Activation::kLinear;
              verbs.dense_gradient(lease, of_x, of_w, of_dz, below, {dw.data(), units, inputs, stride},
                                   bias ? db.data() : nullptr, {dx.data(), rows, inputs}, nullptr,
                                   scratch.data());
              tested_backend<float>("emulated").finish();
              for (const auto* more : {&dw, &db, &dx}) y.insert(y.end(), more->begin(), more->end());
              return y;
            });
}

void check_products() {
  const auto same = [](const std::string& what, const auto& verb) { expect_same(what, verb); };
  // Sums of 784 random terms, of either type: they differ by some 2^-20 of their terms, and at a tie so by a
  // unit of the sum, which is at most some 100. Few are near one.
  const auto near = [](const std::string& what, const auto& verb) {
    const auto [got, expected] = found(what, verb);
    std::size_t others = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      others += got[i] != expected[i];
      expect(std::abs(got[i] - expected[i]) <= 0x1p-7f * std::abs(expected[i]) + 0x1p-10f, where() + what);
    }
    expect(others <= 3 + got.size() / 64, where() + what + ": too many are others");
  };
  const auto check = [&](const LayerSize& size, const auto& exact_ones, const auto& others) {
    const auto [rows, inputs, units] = size;
    const auto x = exact_values(rows * inputs, 7919), w = exact_values(units * inputs, 7907),
               b = exact_values(units, 7901), dz = exact_values(rows * units, 7883);
    const auto rx = random_values<float>(rows * inputs, 61), rw = random_values<float>(units * inputs, 62),
               rb = random_values<float>(units, 63), rdz = rounded_values(rows * units, 64);
    for (const auto& [a, fused, bias] : exact_ones) check_layer(size, x, w, b, dz, a, fused, bias, same);
    for (const auto& [a, fused, bias] : others) check_layer(size, rx, rw, rb, rdz, a, fused, bias, near);
  };
  struct Way {
    Activation a;
    bool fused, bias;
  };
  const std::vector<Way> exact{{Activation::kLinear, true, true},
                               {Activation::kRelu, true, true},
                               {Activation::kRelu, false, true},
                               {Activation::kLinear, true, false}},
      random{{Activation::kSigmoid, true, true},
             {Activation::kTanh, true, true},
             {Activation::kTanh, false, true},
             {Activation::kSigmoid, true, false},
             {Activation::kSoftmax, false, true}};
  for (const LayerSize& size :
       {LayerSize{1, 1, 1}, {13, 33, 10}, {17, 257, 1}, {64, 65, 63}, {5, 784, 33}, {300, 7, 33}})
    check(size, exact, random);
  if (std::string(verbs_of) != "emulated") return;
  right_one = "cpu";  // the reference takes its time
  check({160, 330, 322}, std::vector<Way>{{Activation::kRelu, true, true}},
        std::vector<Way>{{Activation::kTanh, true, true}});  // the library's
  right_one = "reference";
}

// A bias's gradient is rounded after every row: it has one right result for any numbers.
void check_bias_gradient() {
  for (const std::int64_t rows : {1, 127, 128, 129, 700}) {
    const auto x = exact_values(rows, 5), w = exact_values(37, 7), dz = rounded_values(rows * 37, 65);
    expect_same("a bias's gradient", [&](const auto& verbs, Lease& lease) {
      Values<float> dw(37), db(37), scratch(static_cast<std::size_t>(verbs.dense_scratch(rows, 1, 37)));
      verbs.dense_gradient(lease, {x.data(), rows, 1}, {w.data(), 37, 1}, {dz.data(), rows, 37},
                           Activation::kLinear, {dw.data(), 37, 1}, db.data(), {}, nullptr, scratch.data());
      tested_backend<float>("emulated").finish();
      return db;
    });
  }
}

// All sorts of floats, those around ties among them.
Values<float> all_sorts() {
  Values<float> x(static_cast<std::size_t>(verb_rows * verb_cols));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto bits = static_cast<std::uint32_t>(i * 2654435761u);
    x[i] = std::bit_cast<float>(
        i % 2 == 0 ? bits : (bits & 0xFFFF0000u) + 0x7FFFu + static_cast<std::uint32_t>(i % 3));
  }
  return x;
}

void check_numbers() {
  const std::int64_t size = verb_rows * verb_cols;
  const auto x = all_sorts(), z = rounded_values(size, 66), d = random_values<float>(size, 67),
             mean = rounded_values(verb_cols, 68), scale = random_values<float>(verb_cols, 69);
  const auto into = [&](const auto& verb) {  // verb(verbs, lease, y)
    return [&, verb](const auto& verbs, Lease& lease) {
      Values<float> y(x.size());
      verb(verbs, lease, verb_matrix(y));
      tested_backend<float>("emulated").finish();
      return y;
    };
  };
  expect_same("rounding", into([&](const auto& verbs, Lease& lease, Matrix<float> y) {
                verbs.round(lease, verb_matrix(x), y);
              }));
  for (int without = 0; without < 4; ++without)
    expect_same("standardise", into([&](const auto& verbs, Lease& lease, Matrix<float> y) {
                  verbs.standardise(lease, verb_matrix(z), without == 1 ? nullptr : mean.data(),
                                    without == 2 ? nullptr : scale.data(),
                                    without == 3 ? nullptr : mean.data(), y);
                }));
  for (const auto a : {Activation::kLinear, Activation::kRelu, Activation::kSigmoid, Activation::kTanh,
                       Activation::kSoftmax, Activation::kExp}) {
    const std::string name = "bfloat16 activation " + std::to_string(static_cast<int>(a));
    const auto value = into([&](const auto& verbs, Lease& lease, Matrix<float> y) {
      verbs.activation(lease, a, verb_matrix(d), y);
    });
    const auto gradient = into([&](const auto& verbs, Lease& lease, Matrix<float> y) {
      verbs.activation_gradient(lease, a, verb_matrix(z), verb_matrix(d), y);
    });
    if (a == Activation::kLinear || a == Activation::kRelu)
      expect_same(name, value);
    else
      expect_near(name, value);
    if (a == Activation::kSoftmax && std::string(verbs_of) == "cpu")  // whose sum is in float
      expect_near(name + "'s gradient", gradient);
    else
      expect_same(name + "'s gradient", gradient);
  }
  for (std::size_t k = 0; k < std::size(kNonlinearNames); ++k)
    for (const float b : {2.0f, std::numeric_limits<float>::quiet_NaN()}) {
      const Nonlinearity<float> f{static_cast<NonlinearKind>(k), 0.5f, b, 0.25f, 0.125f};
      if (f.by_rows() || f.kind == NonlinearKind::kPrelu || (b != b && f.kind != NonlinearKind::kRelu))
        continue;
      const std::string name = "bfloat16 " + std::string(kNonlinearNames[k]);
      Values<float> out;
      expect_near(name, into([&](const auto& verbs, Lease& lease, Matrix<float> y) {
                    verbs.nonlinearity(lease, f, verb_matrix(z), y);
                  }));
      Lease lease;
      out.resize(z.size());
      tested_verbs("reference").nonlinearity(lease, f, verb_matrix(z), verb_matrix(out));
      expect_near(name + "'s gradient", into([&](const auto& verbs, Lease& with, Matrix<float> y) {
                    verbs.nonlinearity_gradient(with, f, verb_matrix(z),
                                                verb_matrix<float>(std::as_const(out)), verb_matrix(d), y);
                  }));
    }
}

// Factors of two bytes that lie either way, by the library.
void check_library() {
  constexpr std::int64_t rows = 19, depth = 40, cols = 23;
  const cuda::Device device(0);
  for (const bool a_lies : {false, true})
    for (const bool b_lies : {false, true}) {
      const auto a = exact_values(rows * depth, 7919), b = exact_values(depth * cols, 7907);
      Values<cuda::HalfFloat> ha(a.size()), hb(b.size());
      for (const auto& [from, to] : {std::pair(&a, &ha), std::pair(&b, &hb)})
        for (std::size_t i = 0; i < from->size(); ++i)
          (*to)[i].bits = static_cast<std::uint16_t>(bfloat16_bits((*from)[i]) >> 16);
      const auto at = [](bool lies, const auto* data, std::int64_t down, std::int64_t across) {
        using T = std::remove_cv_t<std::remove_pointer_t<decltype(data)>>;
        return lies ? cuda::Strided<T>{data, 1, down} : cuda::Strided<T>{data, across, 1};
      };
      Values<float> got(static_cast<std::size_t>(rows * cols)), expected(got);
      float* const out = expected.data();
      expect(cuda::multiply_by_library(device, at(a_lies, std::as_const(ha).data(), rows, depth),
                                       at(b_lies, std::as_const(hb).data(), depth, cols), rows, cols, depth,
                                       got.data(), cols),
             "a product of bfloat16 that the library takes");
      cuda::multiply_by<float, 1>(
          device, at(a_lies, a.data(), rows, depth), at(b_lies, b.data(), depth, cols), rows, cols, depth,
          [=](std::int64_t i, std::int64_t j, float sum) { out[i * cols + j] = sum; });
      device.finish();
      expect(got == expected, "a product of bfloat16 by the library is that by tiles");
    }
}

}  // namespace

void check_bfloat16_verbs() {
  check_products();
  check_bias_gradient();
  for (const std::int64_t cols : {1, 33, 42}) {
    verb_cols = cols;
    check_numbers();
  }
  verb_cols = 42;
  if (std::string(verbs_of) == "emulated") check_library();
}

}  // namespace lamina
