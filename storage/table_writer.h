// TableWriter: writes one sorted table. Entries come in order, key ascending, LSN descending within
// a key, none twice. `add` only fills memory; whoever adds calls `write` when the writer wants it,
// which is also where long work lets others run. The leaves of the index (about a hundredth of the
// table) and a hash for each key wait in memory for the end.
#pragma once

#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/block.h"
#include "storage/index_block.h"
#include "storage/table_format.h"

namespace ringside {

class TableWriter {
 public:
  // No entry is older than `first_lsn`. Draws the salt of a sealed table from "storage.table_salt".
  TableWriter(Host& host, std::string directory, uint64_t id, TableOptions options, Lsn first_lsn);

  Task<Result<void>> open();
  void add(const StoredEntry& entry);
  bool wants_write() const { return ready_.size() >= kWriteBytes; }
  Task<Result<void>> write();
  // Of the file so far, for splitting; the filter is not in it.
  uint64_t bytes() const;
  uint64_t entries() const { return index_.properties.entries; }
  // Writes the rest, syncs the file and its name.
  Task<Result<TableDescription>> finish();
  // Gives the space back after a failure; nobody may know of the table.
  Task<void> discard();

 private:
  static constexpr std::size_t kWriteBytes = 64u << 10;
  static constexpr std::size_t kLeafBytes = 4096;

  struct Leaf {
    std::string bytes;
    std::string separator;
  };

  uint64_t offset() const { return written_ + ready_.size(); }
  BlockHandle append_piece(std::string_view text, Compression compression);
  void finish_block();
  void add_to_leaf(std::string_view separator);
  void finish_leaf();
  Task<void> append_filter();

  Host& host_;
  std::string directory_;
  uint64_t id_;
  TableOptions options_;
  FileCipher cipher_;
  FileId file_ = 0;
  BlockBuilder block_;
  BlockEncoder encoder_;
  std::string text_;        // of a block
  BlockHandle last_block_;  // not yet in a leaf: its separator depends on what follows
  bool has_last_block_ = false;
  std::string last_key_;  // of the entry before
  Lsn last_lsn_ = 0;
  IndexBlockBuilder leaf_;
  std::vector<Leaf> leaves_;
  uint64_t leaves_bytes_ = 0;
  std::vector<uint64_t> hashes_;
  TableIndex index_;
  std::string ready_;     // whole blocks, not yet written
  uint64_t written_ = 0;  // bytes in the file
};

}  // namespace ringside
