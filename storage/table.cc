#include "storage/table.h"

#include <algorithm>
#include <utility>

#include "storage/bloom.h"
#include "storage/format.h"

namespace ringside {
namespace {

Error corrupt_table(const std::string& path, uint64_t offset, const char* what) {
  return Error{Code::kCorrupt, path + " at " + std::to_string(offset) + ": " + what};
}

// Exactly `bytes` bytes with this checksum.
Task<Result<Buffer>> read_checked(Host& host, FileId file, std::string path, uint64_t offset,
                                  uint64_t bytes, uint64_t checksum, const char* what) {
  Result<Buffer> read = co_await host.disk().read_at(file, offset, bytes);
  if (!read.ok()) co_return read;
  if (read->size() != bytes || hash_bytes(read->view()) != checksum) {
    host.trace().probe("table.checksum_failed");
    co_return corrupt_table(path, offset, what);
  }
  co_return read;
}

}  // namespace

Task<Result<std::shared_ptr<Table>>> Table::open(Host& host, std::string directory,
                                                 TableDescription description) {
  std::shared_ptr<Table> table(new Table);
  table->description_ = description;
  table->path_ = table_file_name(directory, description.id);
  Result<FileId> file = co_await host.disk().open(table->path_);
  if (!file.ok() && file.code() == Code::kNotFound) {
    co_return corrupt_table(table->path_, 0, "the manifest names this table and it is not there");
  }
  if (!file.ok()) co_return file.error();
  table->file_ = *file;
  Result<void> loaded = co_await table->load(host);
  if (loaded.ok()) co_return table;
  Result<void> closed = co_await host.disk().close(*file);
  co_return closed.ok() ? loaded.error() : closed.error();
}

Task<Result<void>> Table::load(Host& host) {
  const TableDescription& description = description_;
  Result<Buffer> index =
      co_await read_checked(host, file_, path_, description.index_offset, description.index_bytes,
                            description.index_checksum, "a bad table index");
  if (!index.ok()) co_return index.error();
  TableIndex& decoded = index_;
  if (!decoded.decode(index->view()) || decoded.entries != description.entries ||
      decoded.first_lsn != description.first_lsn || decoded.last_lsn != description.last_lsn) {
    co_return corrupt_table(path_, description.index_offset, "a table index of another shape");
  }
  Result<Buffer> filter =
      co_await read_checked(host, file_, path_, decoded.filter_offset, decoded.filter_bytes,
                            decoded.filter_checksum, "a bad Bloom filter");
  if (!filter.ok()) co_return filter.error();
  filter_ = filter->view();
  co_return Result<void>();
}

uint64_t Table::first_block(std::string_view key) const {
  const auto found = std::lower_bound(
      index_.blocks.begin(), index_.blocks.end(), key,
      [](const TableBlock& block, std::string_view wanted) { return block.last_key < wanted; });
  return static_cast<uint64_t>(found - index_.blocks.begin());
}

std::optional<uint64_t> Table::block_for(std::string_view key, uint64_t hash) const {
  if (key < index_.smallest || key > index_.largest || !bloom_may_contain(filter_, hash)) {
    return std::nullopt;
  }
  return first_block(key);
}

Task<Result<Buffer>> Table::read_block(Host& host, uint64_t block) const {
  const TableBlock& where = index_.blocks[block];
  co_return co_await read_checked(host, file_, path_, where.offset, where.bytes, where.checksum,
                                  "a bad table block");
}

Task<Result<void>> TableCursor::seek(std::string begin) {
  next_block_ = table_->first_block(begin);
  Result<void> done = co_await load();
  if (!done.ok() || !valid()) co_return done;
  at_.seek(begin);
  if (!valid()) co_return corrupt_table(table_->path(), 0, "an index that its blocks contradict");
  co_return done;
}

Task<Result<void>> TableCursor::load() {
  if (at_.corrupt()) co_return corrupt_table(table_->path(), 0, "a malformed table block");
  at_ = BlockCursor();
  if (next_block_ == table_->index().blocks.size()) co_return Result<void>();
  const uint64_t block = next_block_++;
  Result<Buffer> bytes = co_await table_->read_block(host_, block);
  if (!bytes.ok()) co_return bytes.error();
  bytes_ = *std::move(bytes);
  at_ = BlockCursor(bytes_.view());
  at_.seek_first();
  if (!valid()) {
    co_return corrupt_table(table_->path(), table_->index().blocks[block].offset,
                            "a malformed table block");
  }
  co_return Result<void>();
}

}  // namespace ringside
