#include "storage/table_writer.h"

#include <algorithm>
#include <utility>

#include "runtime/bug.h"
#include "storage/bloom.h"
#include "storage/slice.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerFilterKey = 5;

}  // namespace

TableWriter::TableWriter(Host& host, std::string directory, uint64_t id, TableOptions options,
                         Lsn first_lsn)
    : host_(host), directory_(std::move(directory)), id_(id), options_(options), block_(first_lsn) {
  index_.properties.first_lsn = first_lsn;
  index_.properties.last_lsn = first_lsn;
  index_.compression = options.compression;
  if (options.cipher == nullptr) return;
  Random& random = host.random("storage.table_salt");
  const uint64_t high = random.next();
  const uint64_t low = random.next();
  cipher_ = {.cipher = options.cipher, .salt = {.high = high, .low = low}};
}

Task<Result<void>> TableWriter::open() {
  Result<FileId> file =
      co_await host_.disk().open(table_file_name(directory_, id_), Disk::kCreate | Disk::kTruncate);
  if (!file.ok()) co_return file.error();
  file_ = *file;
  co_return Result<void>();
}

void TableWriter::add(const StoredEntry& entry) {
  TableDescription& table = index_.properties;
  const bool new_key = table.entries == 0 || entry.key != last_key_;
  CHECK(table.entries == 0 || (new_key ? entry.key > last_key_ : entry.lsn < last_lsn_));
  last_lsn_ = entry.lsn;
  if (!block_.empty() && block_.bytes_with(entry) > options_.block_bytes) finish_block();
  if (has_last_block_) add_to_leaf(separator_between(last_key_, entry.key));
  if (table.entries == 0) table.smallest = entry.key;
  block_.add(entry);
  if (new_key) {
    if (options_.filter_bits_per_key > 0) hashes_.push_back(hash_bytes(entry.key));
    last_key_.assign(entry.key);
  }
  ++table.entries;
  table.removes += entry.removed ? 1 : 0;
  table.data_bytes += entry.key.size() + entry.value.size();
  table.last_lsn = std::max(table.last_lsn, entry.lsn);
  if (entry.expires != 0 && (table.first_expiry == 0 || entry.expires < table.first_expiry)) {
    table.first_expiry = entry.expires;
  }
}

uint64_t TableWriter::bytes() const {
  return offset() + block_.bytes() + leaves_bytes_ + leaf_.bytes();
}

BlockHandle TableWriter::append_piece(std::string_view text, Compression compression) {
  host_.cpu().charge(encode_units(text.size(), compression, cipher_.cipher != nullptr));
  return encoder_.encode(text, offset(), compression, cipher_, ready_);
}

void TableWriter::finish_block() {
  CHECK(!has_last_block_);
  text_.clear();
  block_.finish(text_);
  last_block_ = append_piece(text_, options_.compression);
  has_last_block_ = true;
}

void TableWriter::add_to_leaf(std::string_view separator) {
  leaf_.add(separator, last_block_);
  has_last_block_ = false;
  if (leaf_.bytes() >= kLeafBytes) finish_leaf();
}

void TableWriter::finish_leaf() {
  Leaf& leaf = leaves_.emplace_back();
  leaf.separator = leaf_.last_separator();
  leaf_.finish(leaf.bytes);
  leaves_bytes_ += leaf.bytes.size();
}

Task<Result<void>> TableWriter::write() {
  Buffer bytes = Buffer::copy_of(ready_);
  ready_.clear();
  const uint64_t offset = std::exchange(written_, written_ + bytes.size());
  co_return co_await host_.disk().write_at(file_, offset, std::move(bytes));
}

Task<Result<TableDescription>> TableWriter::finish() {
  CHECK(index_.properties.entries > 0);
  if (!block_.empty()) finish_block();
  if (has_last_block_) add_to_leaf(last_key_);
  if (!leaf_.empty()) finish_leaf();
  index_.properties.largest = last_key_;
  index_.blocks_end = offset();
  IndexBlockBuilder top;
  for (const Leaf& leaf : leaves_) {
    top.add(leaf.separator, append_piece(leaf.bytes, Compression::kNone));
    if (!wants_write()) continue;
    Result<void> done = co_await write();
    if (!done.ok()) co_return done.error();
  }
  leaves_.clear();
  top.finish(index_.top);
  co_await append_filter();

  TableDescription table = index_.properties;
  table.id = id_;
  table.index_offset = offset();
  const std::string index = index_.encode(table.index_offset, cipher_);
  table.index_bytes = index.size();
  table.index_checksum = hash_bytes(index);
  ready_ += index;
  ready_ += encode_table_footer(table);
  table.file_bytes = offset();

  Result<void> done = co_await write();
  if (done.ok() && !RINGSIDE_BUG(manifest_before_table_sync)) {
    done = co_await host_.disk().sync(file_);
  }
  if (done.ok()) done = co_await host_.disk().close(std::exchange(file_, 0));
  if (done.ok()) done = co_await host_.disk().sync_directory(directory_);
  if (!done.ok()) co_return done.error();
  co_return table;
}

Task<void> TableWriter::append_filter() {
  if (options_.filter_bits_per_key == 0) co_return;
  index_.filter_probes = bloom_probes(options_.filter_bits_per_key);
  std::string filter = empty_bloom(hashes_.size(), options_.filter_bits_per_key);
  Slice slice(host_);
  for (const uint64_t hash : hashes_) {
    bloom_add(filter, index_.filter_probes, hash);
    slice.charge(kUnitsPerFilterKey);
    if (slice.spent()) co_await slice.let_others_run();
  }
  hashes_.clear();
  index_.filter = append_piece(filter, Compression::kNone);
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
