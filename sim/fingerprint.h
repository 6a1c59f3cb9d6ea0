// Fingerprint: a rolling hash over every event that ran: its time, the machine, its kind and a hash
// of its content. Two runs are the same when their fingerprints are. It takes two multiplications
// an event, one of them off the critical path.
#pragma once

#include <cstdint>

#include "runtime/time.h"

namespace ringside::sim {

class Fingerprint {
 public:
  explicit Fingerprint(uint64_t seed) : hash_(seed ^ 0x9ae16a3b2f90404fULL) {}

  void add(Time time, uint32_t machine, uint32_t kind, uint64_t payload) {
    const uint64_t place = static_cast<uint64_t>(machine) << 8 | kind;
    const uint64_t a = static_cast<uint64_t>(time) + place * 0xc2b2ae3d27d4eb4fULL;
    const uint64_t b = payload ^ 0x165667b19e3779f9ULL;
    hash_ = rotate(hash_ ^ fold(a ^ 0x27d4eb2f165667c5ULL, b) ^ payload) * 0x9fb21c651e98df25ULL;
  }
  // Content that no event of its own carries: bytes handed to a disk.
  void add_content(uint64_t hash) { hash_ = rotate(hash_ ^ hash) * 0x9fb21c651e98df25ULL; }
  uint64_t value() const { return hash_ ^ (hash_ >> 32); }

 private:
  static uint64_t fold(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  static uint64_t rotate(uint64_t word) { return word << 29 | word >> 35; }

  uint64_t hash_;
};

}  // namespace ringside::sim
