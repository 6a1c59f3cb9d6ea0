// TableWriter: writes one sorted table. Entries come in key order, each key once. `add` only fills
// memory; whoever adds calls `write` when the writer wants it, which is also where long work lets
// others run.
#pragma once

#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/block.h"
#include "storage/table_format.h"

namespace ringside {

class TableWriter {
 public:
  // No entry is older than `first_lsn`.
  TableWriter(Host& host, std::string directory, uint64_t id, Lsn first_lsn);

  Task<Result<void>> open();
  void add(std::string_view key, std::string_view value, bool removed, Lsn lsn);
  bool wants_write() const { return ready_.size() >= kWriteBytes; }
  Task<Result<void>> write();
  // Writes the rest, syncs the file and its name.
  Task<Result<TableDescription>> finish();
  // Gives the space back after a failure; nobody may know of the table.
  Task<void> discard();
  uint64_t entries() const { return index_.entries; }

 private:
  static constexpr std::size_t kWriteBytes = 64u << 10;

  void finish_block();

  Host& host_;
  std::string directory_;
  uint64_t id_;
  FileId file_ = 0;
  BlockBuilder block_;
  TableIndex index_;
  std::vector<uint64_t> hashes_;
  std::string ready_;     // whole blocks, not yet written
  uint64_t written_ = 0;  // bytes in the file
};

}  // namespace ringside
