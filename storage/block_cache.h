// BlockCache: table blocks that were read lately, least recently used out first. A Buffer that was
// handed out stays alive with its holder; what `find` returns is valid until the next `insert`.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <list>

#include "runtime/buffer.h"

namespace ringside {

class BlockCache {
 public:
  explicit BlockCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  const Buffer* find(uint64_t table, uint64_t block);
  void insert(uint64_t table, uint64_t block, Buffer bytes);
  uint64_t bytes() const { return bytes_; }

 private:
  struct Cached {
    uint64_t name;
    Buffer bytes;
  };
  static uint64_t name_of(uint64_t table, uint64_t block) { return table << 24 | block; }

  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::list<Cached> recent_;                                            // newest first
  absl::flat_hash_map<uint64_t, std::list<Cached>::iterator> by_name_;  // looked up, never walked
};

}  // namespace ringside
