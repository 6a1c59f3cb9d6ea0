#include "storage/table.h"

#include <utility>

#include "runtime/bug.h"
#include "storage/bloom.h"

namespace ringside {

Error Table::corrupt(uint64_t offset, const char* what) const {
  return Error{Code::kCorrupt, path_ + " at " + std::to_string(offset) + ": " + what};
}

Task<Result<std::shared_ptr<Table>>> Table::open(Host& host, std::string directory,
                                                 TableDescription description, TableOptions options,
                                                 BlockCache* cache) {
  std::shared_ptr<Table> table(new Table);
  table->description_ = std::move(description);
  table->path_ = table_file_name(directory, table->id());
  table->cache_ = cache;
  table->cipher_.cipher = options.cipher;
  Result<FileId> file = co_await host.disk().open(table->path_);
  if (!file.ok() && file.code() == Code::kNotFound) {
    co_return table->corrupt(0, "the manifest names this table and it is not there");
  }
  if (!file.ok()) co_return file.error();
  table->file_ = *file;
  Result<void> loaded = co_await table->load(host);
  if (loaded.ok()) co_return table;
  Result<void> closed = co_await host.disk().close(*file);
  co_return closed.ok() ? loaded.error() : closed.error();
}

std::shared_ptr<Table> Table::unreadable(const std::string& directory, TableDescription description,
                                         Error why) {
  std::shared_ptr<Table> table(new Table);
  table->description_ = std::move(description);
  table->path_ = table_file_name(directory, table->id());
  table->why_unreadable_ = std::move(why);
  return table;
}

Task<Result<Buffer>> Table::read_index(Host& host) const {
  const uint64_t offset = description_.index_offset;
  Result<Buffer> read = co_await host.disk().read_at(file_, offset, description_.index_bytes);
  if (!read.ok()) co_return read.error();
  if (read->size() != description_.index_bytes ||
      hash_bytes(read->view()) != description_.index_checksum) {
    host.trace().probe("table.checksum_failed");
    co_return corrupt(offset, "a bad table index");
  }
  co_return read;
}

Task<Result<void>> Table::check_ends(Host& host) const {
  if (why_unreadable_) co_return *why_unreadable_;
  Result<Buffer> index = co_await read_index(host);
  if (!index.ok()) co_return index.error();
  if (index_.filter_probes == 0) co_return Result<void>();
  Result<Buffer> filter = co_await read_piece(host, index_.filter, Caching::kMedium);
  co_return filter.ok() ? Result<void>() : Result<void>(filter.error());
}

Task<Result<void>> Table::load(Host& host) {
  const uint64_t offset = description_.index_offset;
  Result<Buffer> read = co_await read_index(host);
  if (!read.ok()) co_return read.error();
  switch (decode_table_index(read->view(), offset, cipher_.cipher, index_, cipher_)) {
    case IndexVerdict::kGood: break;
    case IndexVerdict::kMalformed: co_return corrupt(offset, "a malformed table index");
    case IndexVerdict::kNeedsKey:
      co_return Error{Code::kInvalid, path_ + ": it is sealed, and no key was given"};
    case IndexVerdict::kOtherKey:
      co_return corrupt(offset, "a table index that the engine's key does not open");
  }
  TableDescription& said = index_.properties;
  said.id = description_.id;
  said.file_bytes = description_.file_bytes;
  said.index_offset = description_.index_offset;
  said.index_bytes = description_.index_bytes;
  said.index_checksum = description_.index_checksum;
  said.ranges_applied = description_.ranges_applied;
  if (said != description_ || !top_.parse(index_.top)) {
    co_return corrupt(offset, "a table index of another shape");
  }
  co_await load_filter(host);
  co_return Result<void>();
}

// Without it, what is there is still there.
Task<void> Table::load_filter(Host& host) {
  if (index_.filter_probes == 0) co_return;
  Result<Buffer> filter = co_await read_piece(host, index_.filter, Caching::kBypass);
  if (filter.ok() && filter->size() % kBloomBlockBytes == 0) {
    filter_ = *std::move(filter);
  } else {
    host.trace().probe("table.filter_lost");
  }
}

Table::Answer Table::search(std::string_view key, Lsn at, StoredEntry& found) const {
  if (cache_ == nullptr || why_unreadable_) return Answer::kNeedsDisk;
  uint64_t floor = 0;
  for (uint32_t leaf = top_.find(key); leaf < top_.size(); ++leaf) {
    BlockHandle handle;
    if (!top_.handle(leaf, handle)) return Answer::kNeedsDisk;  // `get` tells what is wrong
    const Buffer* bytes = cache_->find(id(), handle.offset);
    IndexBlock index;
    if (bytes == nullptr || !index.parse(bytes->view())) return Answer::kNeedsDisk;
    for (uint32_t block = index.find(key); block < index.size(); ++block) {
      if (!index.handle(block, handle) || !comes_after(handle, floor)) return Answer::kNeedsDisk;
      bytes = cache_->find(id(), handle.offset);
      if (bytes == nullptr) return Answer::kNeedsDisk;
      switch (search_block(bytes->view(), description_.first_lsn, key, at, found)) {
        case BlockAnswer::kFound: return Answer::kFound;
        case BlockAnswer::kAbsent: return Answer::kAbsent;
        case BlockAnswer::kContinues: break;
        case BlockAnswer::kCorrupt: return Answer::kNeedsDisk;
      }
    }
  }
  return Answer::kAbsent;
}

Task<Result<bool>> Table::get(Host& host, std::string_view key, Lsn at, StoredEntry& found,
                              Buffer& pin) const {
  if (why_unreadable_) co_return *why_unreadable_;
  uint64_t floor = 0;
  for (uint32_t leaf = top_.find(key); leaf < top_.size(); ++leaf) {
    BlockHandle handle;
    if (!top_.handle(leaf, handle)) {
      co_return corrupt(description_.index_offset, "a malformed table index");
    }
    Result<Buffer> leaf_bytes = co_await piece(host, handle, Caching::kFill);
    if (!leaf_bytes.ok()) co_return leaf_bytes.error();
    IndexBlock index;
    if (!index.parse(leaf_bytes->view())) co_return corrupt(handle.offset, "a malformed leaf");
    const uint64_t leaf_offset = handle.offset;
    for (uint32_t block = index.find(key); block < index.size(); ++block) {
      if (!index.handle(block, handle) || !comes_after(handle, floor)) {
        co_return corrupt(leaf_offset, "a malformed leaf");
      }
      Result<Buffer> bytes = co_await piece(host, handle, Caching::kFill);
      if (!bytes.ok()) co_return bytes.error();
      pin = *std::move(bytes);
      switch (search_block(pin.view(), description_.first_lsn, key, at, found)) {
        case BlockAnswer::kFound: co_return true;
        case BlockAnswer::kAbsent: co_return false;
        case BlockAnswer::kContinues: break;
        case BlockAnswer::kCorrupt: co_return corrupt(handle.offset, "a malformed table block");
      }
    }
  }
  co_return false;
}

MaybeTask<Result<Buffer>> Table::piece(Host& host, BlockHandle handle, Caching caching) const {
  if (const Buffer* cached = cached_piece(handle, caching)) return Result<Buffer>(*cached);
  return read_piece(host, handle, caching);
}

Task<Result<Buffer>> Table::read_piece(Host& host, BlockHandle handle, Caching caching) const {
  Result<Buffer> read = co_await host.disk().read_at(file_, handle.offset, handle.bytes);
  Buffer text;
  if (!read.ok() || decode_intact(host, *read, 0, handle, caching, text)) {
    if (read.ok()) *read = std::move(text);
    co_return read;
  }
  co_return co_await decode_piece(host, *std::move(read), 0, handle, caching);
}

bool Table::decode_intact(Host& host, const Buffer& read, std::size_t start, BlockHandle handle,
                          Caching caching, Buffer& text) const {
  const std::string_view stored = read.view().substr(start, handle.bytes);
  return stored.size() == handle.bytes && hash_bytes(stored) == handle.checksum &&
         decode_trusted(host, read, stored, handle, caching, text);
}

bool Table::decode_trusted(Host& host, const Buffer& read, std::string_view stored,
                           BlockHandle handle, Caching caching, Buffer& text) const {
  const bool as_it_lies = handle.compression == Compression::kNone && !sealed();
  if (as_it_lies && stored.size() == read.size()) {
    text = read;
  } else if (!decoder().decode(stored, handle, cipher_, text)) {
    return false;
  }
  host.cpu().charge(decode_units(handle, sealed()));
  if (caching == Caching::kFill && cache_ != nullptr) cache_->insert(id(), handle.offset, text);
  return true;
}

Task<Result<Buffer>> Table::decode_piece(Host& host, Buffer read, std::size_t start,
                                         BlockHandle handle, Caching caching) const {
  const std::string_view stored = read.view().substr(start, handle.bytes);
  const uint64_t checksum = hash_bytes(stored);
  bool good = stored.size() == handle.bytes && checksum == handle.checksum;
  if (RINGSIDE_BUG(table_checksum_without_place) && !good && stored.size() == handle.bytes) {
    good = co_await is_some_block(host, checksum);
  }
  if (!good) {
    host.trace().probe("table.checksum_failed");
    co_return corrupt(handle.offset, "a bad table block");
  }
  Buffer text;
  if (!decode_trusted(host, read, stored, handle, caching, text)) {
    co_return corrupt(handle.offset, "a table block that does not decode");
  }
  co_return text;
}

Task<bool> Table::is_some_block(Host& host, uint64_t checksum) const {
  for (uint32_t leaf = 0; leaf < top_.size(); ++leaf) {
    BlockHandle handle;
    if (!top_.handle(leaf, handle)) co_return false;
    Result<Buffer> bytes = co_await host.disk().read_at(file_, handle.offset, handle.bytes);
    Buffer text;
    IndexBlock index;
    if (!bytes.ok() || hash_bytes(bytes->view()) != handle.checksum ||
        !decoder().decode(bytes->view(), handle, cipher_, text) || !index.parse(text.view())) {
      continue;
    }
    for (uint32_t block = 0; block < index.size(); ++block) {
      if (index.handle(block, handle) && handle.checksum == checksum) co_return true;
    }
  }
  co_return false;
}

}  // namespace ringside
