// Table: one sorted table that is open for reading. Its index and Bloom filter stay in memory;
// blocks come from the block cache or the disk, and are checked against the index before anyone
// sees them. A bad block fails that read alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/block.h"
#include "storage/block_cache.h"
#include "storage/engine.h"
#include "storage/table_format.h"

namespace ringside {

class Table {
 public:
  // kCorrupt when the file is not what the manifest describes.
  static Task<Result<std::shared_ptr<Table>>> open(Host& host, std::string directory,
                                                   TableDescription description);

  const TableDescription& description() const { return description_; }
  const TableIndex& index() const { return index_; }
  FileId file() const { return file_; }
  const std::string& path() const { return path_; }

  // The block that holds `key` if any does.
  std::optional<uint64_t> block_for(std::string_view key, uint64_t hash) const;
  // The first block with a key at or after `key`; the number of blocks when there is none.
  uint64_t first_block(std::string_view key) const;
  Task<Result<Buffer>> read_block(Host& host, uint64_t block) const;

 private:
  Table() = default;
  Task<Result<void>> load(Host& host);

  TableDescription description_;
  TableIndex index_;
  std::string filter_;
  std::string path_;
  FileId file_ = 0;
};

// Newest first. Shared by those who read, so that a merge does not pull a table from under them.
using TableSet = std::vector<std::shared_ptr<Table>>;

// Walks a table block by block. `step` stays within a block; when it says false, `load` brings the
// next one.
//
//   Result<void> done = co_await cursor.seek(begin);
//   while (done.ok() && cursor.valid()) { …; if (!cursor.step()) done = co_await cursor.load(); }
class TableCursor {
 public:
  TableCursor(Host& host, std::shared_ptr<Table> table) : host_(host), table_(std::move(table)) {}

  Task<Result<void>> seek(std::string begin);
  Task<Result<void>> load();
  bool step() {
    at_.next();
    return at_.valid();
  }
  bool valid() const { return at_.valid(); }
  const BlockCursor& entry() const { return at_; }
  Lsn lsn() const { return table_->description().first_lsn + at_.lsn_delta(); }

 private:
  Host& host_;
  std::shared_ptr<Table> table_;
  uint64_t next_block_ = 0;
  Buffer bytes_;
  BlockCursor at_;
};

}  // namespace ringside
