#include "storage/table_writer.h"

#include <algorithm>
#include <utility>

#include "storage/bloom.h"

namespace ringside {

TableWriter::TableWriter(Host& host, std::string directory, uint64_t id, Lsn first_lsn)
    : host_(host), directory_(std::move(directory)), id_(id) {
  index_.first_lsn = first_lsn;
}

Task<Result<void>> TableWriter::open() {
  Result<FileId> file =
      co_await host_.disk().open(table_file_name(directory_, id_), Disk::kCreate | Disk::kTruncate);
  if (!file.ok()) co_return file.error();
  file_ = *file;
  co_return Result<void>();
}

void TableWriter::add(std::string_view key, std::string_view value, bool removed, Lsn lsn) {
  CHECK(lsn >= index_.first_lsn);
  if (index_.entries == 0) index_.smallest = key;
  block_.add(key, value, removed, lsn - index_.first_lsn);
  hashes_.push_back(hash_bytes(key));
  index_.last_lsn = std::max(index_.last_lsn, lsn);
  ++index_.entries;
  if (block_.bytes() >= kTableBlockBytes) finish_block();
}

void TableWriter::finish_block() {
  TableBlock block;
  block.last_key = block_.last_key();
  block.offset = written_ + ready_.size();
  const std::size_t start = ready_.size();
  block_.finish(ready_);
  block.bytes = ready_.size() - start;
  block.checksum = hash_bytes(std::string_view(ready_).substr(start));
  index_.blocks.push_back(std::move(block));
}

Task<Result<void>> TableWriter::write() {
  Buffer bytes = Buffer::copy_of(ready_);
  ready_.clear();
  const uint64_t offset = std::exchange(written_, written_ + bytes.size());
  co_return co_await host_.disk().write_at(file_, offset, std::move(bytes));
}

Task<Result<TableDescription>> TableWriter::finish() {
  CHECK(index_.entries > 0);
  if (!block_.empty()) finish_block();
  index_.largest = index_.blocks.back().last_key;
  const std::string filter = build_bloom(hashes_);
  index_.filter_offset = written_ + ready_.size();
  index_.filter_bytes = filter.size();
  index_.filter_checksum = hash_bytes(filter);
  ready_ += filter;

  TableDescription table;
  const std::string index = index_.encode();
  table.id = id_;
  table.index_offset = written_ + ready_.size();
  table.index_bytes = index.size();
  table.index_checksum = hash_bytes(index);
  table.entries = index_.entries;
  table.first_lsn = index_.first_lsn;
  table.last_lsn = index_.last_lsn;
  ready_ += index;
  ready_ += encode_table_footer(table);
  table.file_bytes = written_ + ready_.size();

  Result<void> done = co_await write();
  if (done.ok()) done = co_await host_.disk().sync(file_);
  if (done.ok()) done = co_await host_.disk().close(std::exchange(file_, 0));
  if (done.ok()) done = co_await host_.disk().sync_directory(directory_);
  if (!done.ok()) co_return done.error();
  co_return table;
}

Task<void> TableWriter::discard() {
  if (file_ != 0) {
    Result<void> closed = co_await host_.disk().close(std::exchange(file_, 0));
    if (!closed.ok()) host_.trace().probe("table.not_discarded");
  }
  Result<void> removed = co_await host_.disk().remove(table_file_name(directory_, id_));
  if (!removed.ok()) host_.trace().probe("table.not_discarded");  // the next start removes it
}

}  // namespace ringside
