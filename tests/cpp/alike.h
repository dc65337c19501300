// What a verb gives on a backend and on the reference.
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
// make. Others have to be of these divisors too.
inline std::int64_t verb_rows = 402, verb_cols = 42;

// Which backend is compared: "cpu" or "emulated".
inline const char* verbs_of = "cpu";

template <class T>
ConstMatrix<T> verb_matrix(const Values<T>& values, std::int64_t cols = verb_cols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}
template <class T>
Matrix<T> verb_matrix(Values<T>& values, std::int64_t cols = verb_cols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}

inline std::string where() {
  return (std::string(verbs_of) == "cpu" ? chosen_isa() : verbs_of) + ", " + std::to_string(verb_rows) +
         " by " + std::to_string(verb_cols) + ": ";
}

// Of one number, besides sums: a correlation has some twenty.
inline constexpr std::int64_t kOperations = 32;

// `verb` of a backend and a lease returns numbers: the two backends' agree to the rounding of sums over all
// rows or columns, relative to the largest of them. An error in a formula is larger by far.
// cancelled: how much larger the terms of a sum are than the sum.
template <class T, class Verb>
void expect_alike(const std::string& what, Verb&& verb, std::int64_t cancelled = 1) {
  Lease lease;
  const Values<T> got = verb(tested_backend<T>(verbs_of), lease),
                  expected = verb(tested_backend<T>("reference"), lease);
  expect(got.size() == expected.size() && !got.empty(), what + ": as many numbers");
  if (std::string(verbs_of) == "emulated") {
    cuda::backwards() = true;
    const Values<T> again = verb(tested_backend<T>(verbs_of), lease);
    cuda::backwards() = false;
    expect(again == got, where() + what + ": the order of blocks and threads counts");
  }
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool finite = std::isfinite(got[i]) && std::isfinite(expected[i]);
    expect(finite, where() + what + ": number " + std::to_string(i) + " is not finite");
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i])));
  }
  const double unit = sizeof(T) == sizeof(float) ? 0x1p-24 : 0x1p-53;
  expect(worst <= static_cast<double>((kOperations + verb_rows + verb_cols) * cancelled) * unit * largest,
         where() + what + ": off by " + std::to_string(worst / (unit * largest)) + " roundings");
}

}  // namespace lamina
