// Repeats: how often a key was seen before, in constant memory: the least recently seen keys of a
// cache line are forgotten, after some sixty thousand others. Keys are hashes. It counts a client
// operation's frames of one kind on one link, so that a retry, which looks just like the first
// attempt, draws anew.
#pragma once

#include <cstdint>
#include <vector>

namespace ringside::sim {

class Repeats {
 public:
  // How often `key` was passed before, at most 255; then it wraps.
  uint32_t count(uint64_t key) {
    if (lines_.empty()) lines_.resize(kLines);
    Line& line = lines_[key & (kLines - 1)];
    const uint64_t name = key >> 8 << 8;  // the low byte holds the count
    uint32_t at = 0;
    while (at < kWays - 1 && (line.ways[at] >> 8 << 8) != name) ++at;
    uint64_t found = line.ways[at];
    if ((found >> 8 << 8) != name) found = name;  // the last one makes room
    const auto seen = static_cast<uint8_t>(found);
    for (; at > 0; --at) line.ways[at] = line.ways[at - 1];
    line.ways[0] = name | static_cast<uint8_t>(seen + 1);
    return seen;
  }

 private:
  static constexpr uint64_t kLines = 1u << 13;  // half a MiB: it stays in the cache of a core
  static constexpr uint32_t kWays = 8;
  struct alignas(64) Line {
    uint64_t ways[kWays] = {};
  };
  std::vector<Line> lines_;
};

}  // namespace ringside::sim
