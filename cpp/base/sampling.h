// Arrays of random numbers with a distribution: for initialisers and for the order of rows.
#pragma once

#include <cstdint>
#include <functional>

#include "base/random.h"

namespace lamina {

// U[low, high): 24 (float) or 53 (double) random bits each.
template <class T>
void fill_uniform(T* out, std::int64_t size, const RandomStream& stream, double low, double high);

// N(mean, stddev) by Box and Muller; truncated: numbers beyond two stddev are drawn again.
template <class T>
void fill_normal(T* out, std::int64_t size, const RandomStream& stream, double mean, double stddev,
                 bool truncated);

// A uniformly random permutation of 0..size-1 (Fisher and Yates, unbiased). `poll`, if any, is called now and
// then.
void fill_permutation(std::int64_t* out, std::int64_t size, const RandomStream& stream,
                      const std::function<void()>& poll = {});

}  // namespace lamina
