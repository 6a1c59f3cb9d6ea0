// Random: a small fast generator (xoshiro256**, Blackman & Vigna 2018) and our own sampling,
// identical on every compiler and CPU. A node asks its Host for named, independent streams; nobody
// shares a generator. `mix` is the hash that keyed draws use (the finaliser of SplitMix64 over a
// running state).
#pragma once

#include <cstdint>
#include <string_view>

namespace ringside {

constexpr uint64_t mix(uint64_t a, uint64_t b = 0) {
  uint64_t z = a + 0x9e3779b97f4a7c15ULL * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// 64-bit hash of bytes (XXH3).
uint64_t hash_bytes(std::string_view bytes, uint64_t seed = 0);

class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t next();
  // Uniform in [0, bound), without bias. bound > 0.
  uint64_t below(uint64_t bound);
  // Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return to_unit(next()); }
  bool chance(double probability) { return uniform() < probability; }

  static constexpr double to_unit(uint64_t bits) {
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
  }

 private:
  uint64_t state_[4];
};

}  // namespace ringside
