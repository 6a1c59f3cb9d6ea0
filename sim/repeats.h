// Repeats: how often a frame's like was seen before, in constant memory: of each client operation,
// the frames of one kind on one link, so that a retry, which looks just like the first attempt,
// draws anew. An operation's frames lie close together, since they come one soon after the other;
// what came first to a cache line is forgotten first, after some ten thousand others.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/random.h"

namespace ringside::sim {

class Repeats {
 public:
  // How often `key`, a hash of link, operation and kind, was passed before, at most 255; then it
  // wraps. Two keys of one operation that differ are taken for one with a chance of one in a
  // million.
  uint32_t count(uint64_t operation, uint64_t key) {
    if (lines_.empty()) lines_.resize(kLines);
    Line& line = lines_[group_of(operation) + key % kGroup];
    const auto name = static_cast<uint32_t>(key >> 32) | kCount;
    // Nearly every key is new, so that all places are looked at anyway: without a branch.
    uint32_t found = 0;
    for (uint32_t way = 0; way < kWays; ++way)
      found |= static_cast<uint32_t>((line.ways[way] | kCount) == name) << way;
    if (found != 0) {
      uint32_t& place = line.ways[__builtin_ctz(found)];
      const auto seen = static_cast<uint8_t>(place);
      place = (place & ~kCount) | static_cast<uint8_t>(seen + 1);
      return seen;
    }
    line.ways[line.next] = (name & ~kCount) | 1;
    line.next = line.next + 1 == kWays ? 0 : line.next + 1;
    return 0;
  }
  // The operation will be asked about soon.
  void prefetch(uint64_t operation) const {
    if (lines_.empty()) return;
    const Line* const group = &lines_[group_of(operation)];
    for (uint64_t line = 0; line < kGroup; ++line) __builtin_prefetch(group + line, 1);
  }

 private:
  static constexpr uint32_t kCount = 0xff;      // the byte of a place that holds the count
  static constexpr uint64_t kLines = 1u << 13;  // half a MiB: it stays in the cache of a core
  static constexpr uint64_t kGroup = 4;         // lines that an operation shares with few others
  static constexpr uint32_t kWays = 15;
  struct alignas(64) Line {
    uint32_t ways[kWays] = {};
    uint32_t next = 0;
  };

  static uint64_t group_of(uint64_t operation) {
    return mix(operation) % (kLines / kGroup) * kGroup;
  }

  std::vector<Line> lines_;
};

}  // namespace ringside::sim
