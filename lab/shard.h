// Shards: work dealt by turns to processes that do not speak to each other. Shard i of n has what
// stands at place k with k mod n = i - 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace ringside::lab {

inline constexpr uint32_t kShardsMax = 100'000;

struct Shard {
  uint32_t number = 1;  // from 1
  uint32_t of = 1;
};

// "3/8". The error's message says what would be right.
Result<Shard> parse_shard(std::string_view text);

std::vector<uint64_t> part_of(const std::vector<uint64_t>& all, const Shard& shard);

// Which shard a file is.
struct ShardOf {
  std::string path;
  uint32_t number = 1;
  uint32_t of = 1;
};
// Whether every shard is there, once. The error names the one that is missing or there twice.
Result<void> check_whole(std::vector<ShardOf> parts);

}  // namespace ringside::lab
