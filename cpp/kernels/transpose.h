// Square blocks of a matrix transposed in registers. Included only by kernels/isa.cpp and
// kernels/bfloat16.cpp.
#pragma once

#include <cstddef>
#include <utility>

#include "kernels/vector.h"

namespace lamina::LAMINA_ISA {
namespace {

// Of a and b in blocks of `Size` lanes: the even blocks (Odd 0) or the odd ones (Odd 1), in turns.
template <class T, std::size_t Size, std::size_t Odd, std::size_t... Lane>
[[gnu::always_inline]] inline Vec<T> blocks_in_turn(Vec<T> a, Vec<T> b, std::index_sequence<Lane...>) {
  constexpr std::size_t lanes = sizeof...(Lane);
  return __builtin_shufflevector(
      a, b, ((Lane / Size % 2 * lanes) + Lane / (2 * Size) * 2 * Size + Odd * Size + Lane % Size)...);
}

// Each stage exchanges bit `Size` of the row number with that of the column number.
template <class T, std::size_t Size>
[[gnu::always_inline]] inline void transpose_stage(Vec<T>* rows) {
  constexpr auto lanes = static_cast<std::size_t>(kLanes<T>);
  if constexpr (Size < lanes) {
    using All = std::make_index_sequence<lanes>;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < lanes; ++i) {
      if ((i & Size) != 0) continue;
      const Vec<T> a = rows[i], b = rows[i + Size];
      rows[i] = blocks_in_turn<T, Size, 0>(a, b, All{});
      rows[i + Size] = blocks_in_turn<T, Size, 1>(a, b, All{});
    }
    transpose_stage<T, 2 * Size>(rows);
  }
}

// kLanes rows of kLanes values each.
template <class T>
[[gnu::always_inline]] inline void transpose(Vec<T> (&rows)[kLanes<T>]) {
  transpose_stage<T, 1>(rows);
}

}  // namespace
}  // namespace lamina::LAMINA_ISA
