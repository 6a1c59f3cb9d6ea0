// Block: sorted entries of a table, prefix-compressed, version 2. An entry is
//
//   shared varint     bytes of the key taken from the entry before
//   unshared varint   bytes of the key that follow here
//   value varint      4 × length of the value + 2 when it expires + 1 when the key is removed
//   lsn varint        the batch that said so, less the table's first LSN
//   [expires i64]     wall clock in ns, when it expires
//   key bytes, value bytes
//
// Entries are in order of key ascending, LSN descending. `shared` is as long as it can be, except
// that a restart shares nothing: the first entry is one, and so is what follows 16 entries or a KiB
// after one, so that a look-up walks over little. After the entries come the restarts' offsets (u32
// each) and their number (u32). The block's checksum is kept outside it (storage/index_block.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/entry.h"

namespace ringside {

class BlockBuilder {
 public:
  explicit BlockBuilder(Lsn first_lsn) : first_lsn_(first_lsn) {}

  void add(const StoredEntry& entry);
  bool empty() const { return entries_ == 0; }
  std::size_t bytes() const { return bytes_.size() + 4 * restarts_.size() + 4; }
  // At least what `bytes` would be with this entry.
  std::size_t bytes_with(const StoredEntry& entry) const;
  // Appends the block to `out` and starts the next one.
  void finish(std::string& out);

 private:
  static constexpr uint32_t kRestartEntries = 16;
  static constexpr std::size_t kRestartBytes = 1024;

  Lsn first_lsn_;
  std::string bytes_;
  std::vector<uint32_t> restarts_;
  std::string last_key_;
  Lsn last_lsn_ = 0;
  uint32_t entries_ = 0;
  uint32_t since_restart_ = 0;  // entries
};

// A block's bytes as they lie in it.
struct BlockEntry {
  uint64_t shared = 0;
  std::string_view unshared;
  std::string_view value;
  uint64_t lsn_delta = 0;
  int64_t expires = 0;
  bool removed = false;
};

struct BlockLayout {
  std::string_view entries;
  std::string_view restarts;
  uint32_t restart_count = 0;

  // False when there is no room for what the block says of itself.
  bool parse(std::string_view block);
  // From `at` on; then `at` is behind it. False when it is malformed or there is none.
  bool entry(std::size_t& at, BlockEntry& entry) const;
  // The last restart with a smaller key, else the first one. False when one is malformed.
  bool restart_before(std::string_view key, std::size_t& at) const;
};

enum class BlockAnswer : uint8_t {
  kAbsent,
  kFound,
  kContinues,  // all versions of the key here are too new, and the next block may have more
  kCorrupt,
};

// The newest version at or below `at`. Copies and allocates nothing: `found` points into the block,
// and its key is left alone.
BlockAnswer search_block(std::string_view block, Lsn first_lsn, std::string_view key, Lsn at,
                         StoredEntry& found);

// Walks a block that it does not own. Malformed bytes end the walk with `corrupt`.
class BlockCursor {
 public:
  BlockCursor() = default;
  BlockCursor(std::string_view block, Lsn first_lsn);

  bool valid() const { return valid_; }
  bool corrupt() const { return corrupt_; }
  void seek_first();
  void seek(std::string_view key);  // the first entry at or after `key`
  void next() { parse(); }
  // Valid until the cursor moves.
  StoredEntry entry() const {
    return {.key = key_,
            .value = at_.value,
            .lsn = first_lsn_ + at_.lsn_delta,
            .removed = at_.removed,
            .expires = at_.expires};
  }
  std::string_view key() const { return key_; }

 private:
  void parse();

  BlockLayout layout_;
  Lsn first_lsn_ = 0;
  std::size_t next_ = 0;  // of the entry after this one
  BlockEntry at_;
  std::string key_;
  bool valid_ = false;
  bool corrupt_ = false;
};

}  // namespace ringside
