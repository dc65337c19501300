// What a verb gives on both backends.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "expect.h"
#include "kernels/select.h"

namespace lamina {

// Rows of two tiles, off every vector, and as many columns as three groups, two halves and no vector
// make.
inline constexpr std::int64_t kVerbRows = 402, kVerbCols = 42;

template <class T>
ConstMatrix<T> verb_matrix(const std::vector<T>& values, std::int64_t cols = kVerbCols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}
template <class T>
Matrix<T> verb_matrix(std::vector<T>& values, std::int64_t cols = kVerbCols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}

// `verb` of a backend and a lease returns numbers: the two backends' agree to the rounding of sums over all
// rows, relative to the largest of them. An error in a formula is larger by far.
template <class T, class Verb>
void expect_alike(const std::string& what, Verb&& verb) {
  Lease lease;
  const std::vector<T> got = verb(backend_named<T>("cpu"), lease),
                       expected = verb(backend_named<T>("reference"), lease);
  expect(got.size() == expected.size() && !got.empty(), what + ": as many numbers");
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool finite = std::isfinite(got[i]) && std::isfinite(expected[i]);
    expect(finite, chosen_isa() + ": " + what + ": number " + std::to_string(i) + " is not finite");
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i])));
  }
  const double unit = sizeof(T) == sizeof(float) ? 0x1p-24 : 0x1p-53;
  expect(worst <= kVerbRows * unit * largest,
         chosen_isa() + ": " + what + ": off by " + std::to_string(worst / (unit * largest)) + " roundings");
}

}  // namespace lamina
