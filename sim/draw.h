// Draw: random numbers keyed by what they are for. A draw is a hash of (key, n-th number asked), so
// two worlds that ask the same question get the same answer, whatever else they asked before. The
// key is a hash of seed, purpose and identity; a Draw is two words on the stack and is thrown away
// after use.
#pragma once

#include <cstdint>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside::sim {

class Draw {
 public:
  explicit Draw(uint64_t key) : key_(key) {}
  // draw_key(seed, purpose, machine, n): folds any number of words into one key.
  template <class... Words>
  static Draw of(uint64_t seed, Words... words) {
    ((seed = mix(seed, static_cast<uint64_t>(words))), ...);
    return Draw(seed);
  }

  uint64_t next() { return mix(key_, asked_++); }
  // Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return Random::to_unit(next()); }
  // Uniform in (0, 1): the middle of one of 2^52 equal steps, so that a logarithm of it is always
  // finite.
  double open_uniform() { return (static_cast<double>(next() >> 12) + 0.5) * 0x1.0p-52; }
  // Uniform in [0, bound) by multiplication; the bias is below bound / 2^64. bound > 0.
  uint64_t below(uint64_t bound) {
    CHECK(bound > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  // Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    CHECK(low <= high);
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  bool chance(double probability) { return uniform() < probability; }

 private:
  uint64_t key_;
  uint64_t asked_ = 0;
};

}  // namespace ringside::sim
