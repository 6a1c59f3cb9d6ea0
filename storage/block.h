// Block: sorted entries of a table, prefix-compressed, version 1. An entry is
//
//   shared varint, unshared varint   bytes of the key taken from the entry before, and bytes that
//   follow here value varint                     2 × length of the value + 1 when the key is
//   removed lsn varint                       the batch that said so, less the table's first LSN key
//   bytes, value bytes
//
// The first entry is a restart and shares nothing, and so is what follows 16 entries or a KiB after
// one, so that a look-up walks over little. After the entries come the restarts' offsets (u32 each)
// and their number (u32). The block's checksum is kept outside it, in the table's index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringside {

class BlockBuilder {
 public:
  void add(std::string_view key, std::string_view value, bool removed, uint64_t lsn_delta);
  bool empty() const { return entries_ == 0; }
  std::size_t bytes() const { return bytes_.size() + 4 * restarts_.size() + 4; }
  std::string_view last_key() const { return last_key_; }
  // Appends the block to `out` and starts the next one.
  void finish(std::string& out);

 private:
  static constexpr uint32_t kRestartEntries = 16;
  static constexpr std::size_t kRestartBytes = 1024;

  std::string bytes_;
  std::vector<uint32_t> restarts_;
  std::string last_key_;
  uint32_t entries_ = 0;
  uint32_t since_restart_ = 0;  // entries
};

// Walks a block that it does not own. Malformed bytes end the walk with `corrupt`.
class BlockCursor {
 public:
  BlockCursor() = default;
  explicit BlockCursor(std::string_view block);

  bool valid() const { return valid_; }
  bool corrupt() const { return corrupt_; }
  void seek_first() { go_to_restart(0); }
  void seek(std::string_view key);  // the first entry at or after `key`
  void next();

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  bool removed() const { return removed_; }
  uint64_t lsn_delta() const { return lsn_delta_; }

 private:
  void go_to_restart(uint32_t restart);
  bool key_at_restart(uint32_t restart, std::string_view& key) const;
  void parse();

  std::string_view entries_;
  std::string_view restarts_;
  uint32_t restart_count_ = 0;
  std::size_t at_ = 0;  // of the entry after this one
  std::string key_;
  std::string_view value_;
  uint64_t lsn_delta_ = 0;
  bool removed_ = false;
  bool valid_ = false;
  bool corrupt_ = false;
};

}  // namespace ringside
