#include "runtime/random.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/check.h"

namespace ringside {
namespace {

uint64_t rotate_left(uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }

}  // namespace

uint64_t hash_bytes(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Random::Random(uint64_t seed) {
  for (uint64_t i = 0; i < 4; ++i) state_[i] = mix(seed, i);
}

uint64_t Random::next() {
  const uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

// Lemire, "Fast random integer generation in an interval" (2019): a multiplication, and a rejection
// that is rare.
uint64_t Random::below(uint64_t bound) {
  CHECK(bound > 0);
  while (true) {
    const auto product = static_cast<unsigned __int128>(next()) * bound;
    const auto low = static_cast<uint64_t>(product);
    if (low >= bound || low >= (0 - bound) % bound) return static_cast<uint64_t>(product >> 64);
  }
}

}  // namespace ringside
