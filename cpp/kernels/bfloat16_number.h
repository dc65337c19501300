// One bfloat16 number: what host and devices share of the rounding. That of vectors is in
// kernels/bfloat16_elementwise.h.
#pragma once

#include <bit>
#include <cstdint>

#include "base/host_device.h"

namespace lamina {

// The bits of the float that is the bfloat16 number nearest to x, ties to even: their lower half is 0. Half a
// unit less one, and one more where the last kept bit is 1, carries into that bit just when the dropped half
// asks for it; infinities stay, NaN is kept apart.
LAMINA_HOST_DEVICE inline std::uint32_t bfloat16_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return (x == x ? bits + 0x7FFFu + (bits >> 16 & 1u) : bits | 0x00400000u) & 0xFFFF0000u;
}

LAMINA_HOST_DEVICE inline float nearest_bfloat16(float x) { return std::bit_cast<float>(bfloat16_bits(x)); }

}  // namespace lamina
