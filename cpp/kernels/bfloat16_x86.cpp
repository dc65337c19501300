// mixed_bfloat16 by the instructions that x86-64 has for it; compiled once with AVX512-BF16 and once with AMX
// as well (LAMINA_AMX). The one file with intrinsics: a product of tiles and a conversion to bfloat16 have no
// spelling in the compilers' vector extension. Both instructions round nothing but the factors, add in float,
// take subnormal numbers for 0 and do not look at the thread's rounding mode.
#include <immintrin.h>

#include <algorithm>

#include "kernels/bfloat16_elementwise.h"
#include "kernels/bfloat16_isa.h"
#include "kernels/bfloat16_lanes.h"

namespace lamina::LAMINA_ISA {
namespace {

constexpr std::int64_t kSide = kTileSide;
constexpr std::int64_t kTile = kTileSide * kTileDepth;  // bfloat16 numbers

// Masks that leave nothing out: the intrinsics without one start from an undefined vector, which GCC reports.
constexpr __mmask16 kAll16 = 0xFFFF;
constexpr __mmask8 kAll8 = 0xFF;

__mmask16 lane_mask(std::int64_t n) {
  return static_cast<__mmask16>((1u << std::clamp<std::int64_t>(n, 0, kSide)) - 1u);
}

// A tile is what the instructions take: 16 lines of 16 words, a word being two neighbours along the depth. A
// left factor's lines are its rows and its words follow the depth; a right factor's lines follow the depth
// and its words are its columns.

// Line i of the result holds the i-th words of all lines.
void transpose(__m512i* line) {
  __m512i t[kSide];
#pragma GCC unroll 16
  for (int i = 0; i < kSide; i += 2) {
    t[i] = _mm512_maskz_unpacklo_epi32(kAll16, line[i], line[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_epi32(kAll16, line[i], line[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kSide; i += 4) {
    line[i] = _mm512_maskz_unpacklo_epi64(kAll8, t[i], t[i + 2]);
    line[i + 1] = _mm512_maskz_unpackhi_epi64(kAll8, t[i], t[i + 2]);
    line[i + 2] = _mm512_maskz_unpacklo_epi64(kAll8, t[i + 1], t[i + 3]);
    line[i + 3] = _mm512_maskz_unpackhi_epi64(kAll8, t[i + 1], t[i + 3]);
  }
  // Now line 4 g + j holds, in its quarters q, the words 4 q + j of lines 4 g .. 4 g + 3.
#pragma GCC unroll 16
  for (int j = 0; j < 4; ++j) {
    const __m512i low01 = _mm512_maskz_shuffle_i32x4(kAll16, line[j], line[4 + j], 0x44);
    const __m512i high01 = _mm512_maskz_shuffle_i32x4(kAll16, line[j], line[4 + j], 0xEE);
    const __m512i low23 = _mm512_maskz_shuffle_i32x4(kAll16, line[8 + j], line[12 + j], 0x44);
    const __m512i high23 = _mm512_maskz_shuffle_i32x4(kAll16, line[8 + j], line[12 + j], 0xEE);
    t[j] = _mm512_maskz_shuffle_i32x4(kAll16, low01, low23, 0x88);
    t[4 + j] = _mm512_maskz_shuffle_i32x4(kAll16, low01, low23, 0xDD);
    t[8 + j] = _mm512_maskz_shuffle_i32x4(kAll16, high01, high23, 0x88);
    t[12 + j] = _mm512_maskz_shuffle_i32x4(kAll16, high01, high23, 0xDD);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) line[i] = t[i];
}

// Asks for a line of the tile that comes next along the depth: it lies in so many rows that the processor
// does not foresee it.
void fetch(const float* line) { _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T0); }

// One tile of x, whose upper left corner is x's: its pairs along the depth, transposed where lines and words
// have to change places.
template <Depth depth, bool transposed>
void pack_tile(ConstMatrix<float> x, std::uint16_t* tile) {
  __m512i line[kSide];
  if constexpr (depth == Depth::kAlongRows) {
    const __mmask16 low = lane_mask(x.cols), high = lane_mask(x.cols - kSide);
#pragma GCC unroll 16
    for (int i = 0; i < kSide; ++i) {
      const float* row = i < x.rows ? x.data + i * x.stride : x.data;
      fetch(row + kTileDepth);
      fetch(row + kTileDepth + kSide);
      const __mmask16 here = i < x.rows ? __mmask16{0xFFFF} : __mmask16{0};
      const __m512 first = _mm512_maskz_loadu_ps(low & here, row);
      const __m512 second = _mm512_maskz_loadu_ps(high & here, row + kSide);
      line[i] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
    }
  } else {
    const __mmask16 wide = lane_mask(x.cols);
    const __m512i interleaved = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                                 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
#pragma GCC unroll 16
    for (int i = 0; i < kSide; ++i) {
      const float* row = 2 * i < x.rows ? x.data + 2 * i * x.stride : x.data;
      fetch(row + kTileDepth * x.stride);
      fetch(row + (kTileDepth + 1) * x.stride);
      const __m512 even = _mm512_maskz_loadu_ps(2 * i < x.rows ? wide : __mmask16{0}, row);
      const __m512 odd = _mm512_maskz_loadu_ps(2 * i + 1 < x.rows ? wide : __mmask16{0},
                                               2 * i + 1 < x.rows ? row + x.stride : row);
      const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even));
      line[i] = _mm512_permutexvar_epi16(interleaved, both);
    }
  }
  if constexpr (transposed) transpose(line);
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) _mm512_storeu_si512(tile + i * kTileDepth, line[i]);
}

template <Depth depth, bool transposed>
void pack_tiles(ConstMatrix<float> x, std::uint16_t* tiles) {
  constexpr bool along = depth == Depth::kAlongRows;
  const std::int64_t lines = along ? x.rows : x.cols, length = along ? x.cols : x.rows;
  const std::int64_t deep = tiles_of(length, kTileDepth);
  // Down columns, whole rows of a few strips are read before the next rows: they share cache lines and pages.
  constexpr std::int64_t strips = along ? 1 : 4;
  for (std::int64_t first = 0; first < lines; first += strips * kSide)
    for (std::int64_t d = 0; d < deep; ++d)
      for (std::int64_t i = first; i < std::min(lines, first + strips * kSide); i += kSide) {
        const std::int64_t last = std::min(lines, i + kSide), from = d * kTileDepth;
        const std::int64_t to = std::min(length, from + kTileDepth);
        const ConstMatrix<float> part =
            along ? x.rows_of(i, last).cols_of(from, to) : x.rows_of(from, to).cols_of(i, last);
        pack_tile<depth, transposed>(part, tiles + (i / kSide * deep + d) * kTile);
      }
}

void pack(ConstMatrix<float> x, Side side, Depth depth, float* room) {
  auto* tiles = reinterpret_cast<std::uint16_t*>(room);
  if (depth == Depth::kAlongRows)
    side == Side::kLeft ? pack_tiles<Depth::kAlongRows, false>(x, tiles)
                        : pack_tiles<Depth::kAlongRows, true>(x, tiles);
  else
    side == Side::kLeft ? pack_tiles<Depth::kDownColumns, true>(x, tiles)
                        : pack_tiles<Depth::kDownColumns, false>(x, tiles);
}

#ifdef LAMINA_AMX

// Tiles 0 to 3 hold the sums, 4 and 5 the left strips, 6 and 7 the right ones.
template <int rows, int cols>
void multiply(const std::uint16_t* left, std::int64_t left_strip, const std::uint16_t* right,
              std::int64_t right_strip, std::int64_t depth, bool begins, float* block) {
  constexpr int line = kBlockSide * sizeof(float);
  float* below = block + kSide * kBlockSide;
  if (begins) {
    _tile_zero(0);
    if constexpr (cols == 2) _tile_zero(1);
    if constexpr (rows == 2) _tile_zero(2);
    if constexpr (rows == 2 && cols == 2) _tile_zero(3);
  } else {
    _tile_loadd(0, block, line);
    if constexpr (cols == 2) _tile_loadd(1, block + kSide, line);
    if constexpr (rows == 2) _tile_loadd(2, below, line);
    if constexpr (rows == 2 && cols == 2) _tile_loadd(3, below + kSide, line);
  }
  for (std::int64_t d = 0; d < depth; ++d, left += kTile, right += kTile) {
    _tile_loadd(4, left, 64);
    _tile_loadd(6, right, 64);
    if constexpr (rows == 2) _tile_loadd(5, left + left_strip, 64);
    if constexpr (cols == 2) _tile_loadd(7, right + right_strip, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (cols == 2) _tile_dpbf16ps(1, 4, 7);
    if constexpr (rows == 2) _tile_dpbf16ps(2, 5, 6);
    if constexpr (rows == 2 && cols == 2) _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, block, line);
  if constexpr (cols == 2) _tile_stored(1, block + kSide, line);
  if constexpr (rows == 2) _tile_stored(2, below, line);
  if constexpr (rows == 2 && cols == 2) _tile_stored(3, below + kSide, line);
}

// The tiles' shapes (all 16 lines of 64 bytes), which a thread sets before it uses them; released, they cost
// a change of threads nothing.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start = 0, reserved[14] = {};
  std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t lines[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileShapes kShapes;

void begin() { _tile_loadconfig(&kShapes); }
void end() { _tile_release(); }

#else

// Eight rows and all columns: up to sixteen vectors of sums.
template <int rows, int cols>
void multiply(const std::uint16_t* left, std::int64_t left_strip, const std::uint16_t* right,
              std::int64_t right_strip, std::int64_t depth, bool begins, float* block) {
  constexpr int together = 8;
  for (int r = 0; r < rows * kSide; r += together) {
    const std::uint16_t* a = left + r / kSide * left_strip + r % kSide * kTileDepth;
    const std::uint16_t* b = right;
    float* to = block + r * kBlockSide;
    __m512 sum[together][cols] = {};
    if (!begins)
      for (int i = 0; i < together; ++i)
        for (int c = 0; c < cols; ++c) sum[i][c] = _mm512_loadu_ps(to + i * kBlockSide + c * kSide);
    for (std::int64_t d = 0; d < depth; ++d, a += kTile, b += kTile)
      for (int k = 0; k < kSide; ++k) {
        __m512bh factor[cols];
        for (int c = 0; c < cols; ++c)
          factor[c] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + c * right_strip + k * kTileDepth));
#pragma GCC unroll 8
        for (int i = 0; i < together; ++i) {
          std::int32_t word;
          std::memcpy(&word, a + i * kTileDepth + 2 * k, sizeof word);
          const auto both = reinterpret_cast<__m512bh>(_mm512_set1_epi32(word));
          for (int c = 0; c < cols; ++c) sum[i][c] = _mm512_dpbf16_ps(sum[i][c], both, factor[c]);
        }
      }
    for (int i = 0; i < together; ++i)
      for (int c = 0; c < cols; ++c) _mm512_storeu_ps(to + i * kBlockSide + c * kSide, sum[i][c]);
  }
}

void begin() {}
void end() {}

#endif

void product(const float* left, std::int64_t left_strip, const float* right, std::int64_t right_strip,
             std::int64_t depth, std::int64_t rows, std::int64_t cols, bool begins, float* block) {
  const auto* a = reinterpret_cast<const std::uint16_t*>(left);
  const auto* b = reinterpret_cast<const std::uint16_t*>(right);
  const auto run = [&](auto f) { f(a, 2 * left_strip, b, 2 * right_strip, depth, begins, block); };
  if (rows == 2)
    cols == 2 ? run(multiply<2, 2>) : run(multiply<2, 1>);
  else
    cols == 2 ? run(multiply<1, 2>) : run(multiply<1, 1>);
}

}  // namespace

extern const Bfloat16Table table_bfloat16 = {
    kTile * sizeof(std::uint16_t) / sizeof(float),
    pack,
    product,
    begin,
    end,
    finish,
    step,
    standardise,
    column_sums,
    sigmoid_of_exp,
    activation_gradient_rounded,
    nonlinearity_rounded,
    nonlinearity_gradient_rounded,
};

}  // namespace lamina::LAMINA_ISA
