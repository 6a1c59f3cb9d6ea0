// BlockCache: blocks and index leaves of all tables of an engine that were read lately. What is new
// queues in a small queue, a tenth of the room, and leaves it again for good unless it is asked for
// twice meanwhile: so a scan passes through and the rest stays. What was asked for moves to the
// main queue, where the hand goes round: a block that was used since is passed over, once for each
// use up to three, the others go. A block that comes back soon after it left the small queue goes
// to the main queue at once. (S3-FIFO: Yang, Zhang, Qiu, Yue & Vinayak, "FIFO queues are all you
// need for cache eviction", SOSP 2023.) A hit is one hash look-up and a counter; it moves and
// allocates nothing.
//
// A Buffer that was handed out stays alive with its holder; what `find` and `peek` return is valid
// until the next `insert`.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/list.h"
#include "runtime/random.h"
#include "storage/block_codec.h"

namespace ringside {

struct BlockCacheStats {
  uint64_t hits = 0, misses = 0;
  uint64_t admissions = 0;  // to the main queue
  uint64_t rejections = 0;  // left the small queue unused
};

class BlockCache {
 public:
  explicit BlockCache(uint64_t bytes_max);

  // A use. `offset` names the block within the table's file.
  const Buffer* find(uint64_t table, uint64_t offset) {
    const auto found = by_name_.find(Name{table, offset});
    if (found == by_name_.end()) {
      ++stats_.misses;
      return nullptr;
    }
    ++stats_.hits;
    Cached& cached = *found->second;
    if (cached.uses < kUsesMax) ++cached.uses;
    return &cached.bytes;
  }
  // A look that counts for nothing.
  const Buffer* peek(uint64_t table, uint64_t offset) const {
    const auto found = by_name_.find(Name{table, offset});
    return found == by_name_.end() ? nullptr : &found->second->bytes;
  }
  void insert(uint64_t table, uint64_t offset, Buffer bytes);

  uint64_t bytes() const { return main_bytes_ + small_bytes_; }
  const BlockCacheStats& stats() const { return stats_; }
  // Shared by the tables, as the cache is: it holds memory to work in.
  BlockDecoder& decoder() { return decoder_; }

 private:
  static constexpr uint8_t kUsesMax = 3;
  static constexpr uint8_t kUsesToStay = 2;

  struct Name {
    uint64_t table;
    uint64_t offset;
    bool operator==(const Name&) const = default;
  };
  struct HashName {
    std::size_t operator()(const Name& name) const { return mix(name.offset, name.table); }
  };
  struct Cached : Link {
    Name name;
    Buffer bytes;
    uint8_t uses = 0;  // since it came, or since the hand went by
  };
  // What left the small queue lately: by hash, one a slot, the newest stays.
  struct Ghost {
    uint32_t fingerprint = 0;
    uint32_t left = 0;  // the count of those that left before it
  };

  void make_room();
  void shrink_small();
  void shrink_main();
  void to_main(Cached& cached);
  bool was_here(const Name& name) const;

  uint64_t bytes_max_;
  uint64_t small_bytes_ = 0;
  uint64_t main_bytes_ = 0;
  absl::flat_hash_map<Name, std::unique_ptr<Cached>, HashName> by_name_;  // never walked
  List<Cached> small_;                                                    // oldest first
  List<Cached> main_;  // the hand is at its front
  std::vector<Ghost> ghosts_;
  uint32_t left_ = 0;
  BlockCacheStats stats_;
  BlockDecoder decoder_;
};

}  // namespace ringside
