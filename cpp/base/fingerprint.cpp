#include "base/fingerprint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace lamina {
namespace {

// Four chains of rotated products with an odd number, which each word of eight bytes joins. A step is one to
// one in the chain's state and in the word; the rotation brings what differs in high bits alone, such as
// signs, down to where products spread it.
class Chains {
 public:
  void take(const unsigned char* p, std::int64_t bytes) {
    for (; bytes >= 32; p += 32, bytes -= 32)
      for (std::size_t k = 0; k < 4; ++k) step(k, p + 8 * k, 8);
    for (std::size_t k = 0; bytes > 0; ++k, p += 8, bytes -= 8)
      step(k, p, static_cast<std::size_t>(std::min<std::int64_t>(bytes, 8)));
  }
  void take(std::uint64_t word) {
    std::uint64_t& state = states_[0];
    state = std::rotl(state ^ word, 23) * kOdd;
  }
  std::uint64_t joined() {
    for (std::size_t k = 1; k < 4; ++k) take(states_[k]);
    return states_[0] ^ states_[0] >> 32;
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
  void step(std::size_t k, const unsigned char* p, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, bytes);
    states_[k] = std::rotl(states_[k] ^ word, 23) * kOdd;
  }
  std::array<std::uint64_t, 4> states_{1, 2, 3, 4};
};

// The elements of the axes from `axis` on, in C order.
void take_axes(Chains& chains, const Rows& rows, std::size_t axis, std::int64_t item,
               const unsigned char* p) {
  if (axis == rows.shape.size()) return chains.take(p, item);
  if (axis + 1 == rows.shape.size() && rows.strides[axis] == item)
    return chains.take(p, rows.shape[axis] * item);
  for (std::int64_t i = 0; i < rows.shape[axis]; ++i)
    take_axes(chains, rows, axis + 1, item, p + i * rows.strides[axis]);
}

void take_sparse(Chains& chains, const Rows& rows, std::int64_t first, std::int64_t last, std::int64_t item) {
  for (std::int64_t i = first; i < last; ++i) {
    chains.take(static_cast<std::uint64_t>(rows.places.start(i + 1)));
    for (std::int64_t k = rows.places.start(i); k < rows.places.start(i + 1); ++k) {
      chains.take(static_cast<std::uint64_t>(rows.places.column(k)));
      chains.take(rows.data + k * rows.stride, item);
    }
  }
}

constexpr std::int64_t kTileBytes = 1 << 20;

}  // namespace

std::uint64_t fingerprint(Lease& lease, const Rows& rows) {
  const std::int64_t item = item_size(rows.dtype), bytes = std::max<std::int64_t>(rows.width() * item, 1);
  const std::int64_t each = std::max<std::int64_t>(kTileBytes / bytes, 1);
  const std::int64_t tiles = (rows.count + each - 1) / each;
  std::vector<std::uint64_t> found(static_cast<std::size_t>(tiles));
  lease.run(tiles, [&](std::int64_t tile) {
    Chains chains;
    const std::int64_t first = tile * each, last = std::min(first + each, rows.count);
    if (rows.sparse())
      take_sparse(chains, rows, first, last, item);
    else
      for (std::int64_t i = first; i < last; ++i) take_axes(chains, rows, 0, item, rows.row(i));
    found[static_cast<std::size_t>(tile)] = chains.joined();
  });
  Chains all;
  for (const std::uint64_t one : found) all.take(one);
  return all.joined();
}

}  // namespace lamina
