// Table: one sorted table that is open for reading. The top of its index and its Bloom filter stay
// in memory; leaves of the index and blocks come from the engine's cache or the disk, and are
// checked against what points to them before anyone sees them. A bad leaf or block fails the reads
// that need it; without a readable filter a table is served without one; without the top of its
// index it does not open.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host.h"
#include "runtime/maybe_task.h"
#include "storage/block.h"
#include "storage/block_cache.h"
#include "storage/bloom.h"
#include "storage/index_block.h"
#include "storage/table_format.h"

namespace ringside {

// What a read does to the cache. kBypass is for merges and big scans: it looks in the cache and
// leaves no trace there. kMedium is for scrubs: what is cached says nothing of the disk.
enum class Caching : uint8_t { kFill, kBypass, kMedium };

class Table {
 public:
  // kCorrupt when the file is not what the manifest describes, kInvalid when it is sealed and there
  // is no key. `cache` may be null; else it outlives the table.
  static Task<Result<std::shared_ptr<Table>>> open(Host& host, std::string directory,
                                                   TableDescription description,
                                                   TableOptions options, BlockCache* cache);

  // Stands for a table that did not open: whatever would have to read it gets `why`.
  static std::shared_ptr<Table> unreadable(const std::string& directory,
                                           TableDescription description, Error why);
  // Reads index and filter, which `open` did, once more.
  Task<Result<void>> check_ends(Host& host) const;

  // Null when it is readable.
  const Error* why_unreadable() const { return why_unreadable_ ? &*why_unreadable_ : nullptr; }

  const TableDescription& description() const { return description_; }
  FileId file() const { return file_; }  // 0 when it is unreadable
  const std::string& path() const { return path_; }
  Compression compression() const { return index_.compression; }
  bool sealed() const { return cipher_.cipher != nullptr; }
  bool has_filter() const { return !filter_.empty(); }
  uint64_t memory_bytes() const { return filter_.size() + index_.top.size(); }

  // Range and Bloom filter. `hash` is hash_bytes(key).
  bool may_contain(std::string_view key, uint64_t hash) const {
    return key >= description_.smallest && key <= description_.largest &&
           bloom_may_contain(filter_.view(), index_.filter_probes, hash);
  }

  enum class Answer : uint8_t { kAbsent, kFound, kNeedsDisk };
  // The newest version at or below `at`, as far as memory and the cache go; asks the filter first.
  // `found` points into the cache: valid until the next suspension or insert. Its key is left
  // alone: it is the one that was asked for.
  Answer lookup(std::string_view key, uint64_t hash, Lsn at, StoredEntry& found) const {
    return may_contain(key, hash) ? search(key, at, found) : Answer::kAbsent;
  }
  // The same for who has asked the filter.
  Answer search(std::string_view key, Lsn at, StoredEntry& found) const;
  // The same, with the disk. `key` outlives the call; `found` points into `pin`, which keeps the
  // block alive.
  Task<Result<bool>> get(Host& host, std::string_view key, Lsn at, StoredEntry& found,
                         Buffer& pin) const;

 private:
  friend class TableCursor;

  Table() = default;
  Task<Result<void>> load(Host& host);
  Task<void> load_filter(Host& host);
  Task<Result<Buffer>> read_index(Host& host) const;

  uint64_t id() const { return description_.id; }
  // Blocks lie one behind the other; so nobody walks in circles. `floor`: the end of the one
  // before.
  bool comes_after(const BlockHandle& block, uint64_t& floor) const {
    if (block.offset < floor || block.offset + block.bytes > index_.blocks_end) return false;
    floor = block.offset + block.bytes;
    return true;
  }
  Error corrupt(uint64_t offset, const char* what) const;
  BlockDecoder& decoder() const { return cache_ == nullptr ? own_decoder_ : cache_->decoder(); }
  // A leaf or block, from the cache or the disk.
  MaybeTask<Result<Buffer>> piece(Host& host, BlockHandle handle, Caching caching) const;
  Task<Result<Buffer>> read_piece(Host& host, BlockHandle handle, Caching caching) const;
  // The bytes of the file at `handle`, of which more were read, as what they hold.
  Task<Result<Buffer>> decode_piece(Host& host, Buffer read, std::size_t start, BlockHandle handle,
                                    Caching caching) const;
  // The same for bytes that are what they should be, without waiting. False: `decode_piece` tells
  // what is wrong with them.
  bool decode_intact(Host& host, const Buffer& read, std::size_t start, BlockHandle handle,
                     Caching caching, Buffer& text) const;
  // Bytes whose checksum is right, or good enough for the planted bug. False: no text comes of
  // them.
  bool decode_trusted(Host& host, const Buffer& read, std::string_view stored, BlockHandle handle,
                      Caching caching, Buffer& text) const;
  // From the cache, or null.
  const Buffer* cached_piece(BlockHandle handle, Caching caching) const {
    if (cache_ == nullptr || caching == Caching::kMedium) return nullptr;
    return caching == Caching::kFill ? cache_->find(id(), handle.offset)
                                     : cache_->peek(id(), handle.offset);
  }
  // The planted bug's: whether some block of the table has this checksum.
  Task<bool> is_some_block(Host& host, uint64_t checksum) const;

  TableDescription description_;
  TableIndex index_;
  IndexBlock top_;  // of index_.top
  FileCipher cipher_;
  Buffer filter_;
  std::string path_;
  std::optional<Error> why_unreadable_;
  FileId file_ = 0;
  BlockCache* cache_ = nullptr;
  mutable BlockDecoder own_decoder_;  // without a cache
};

// Newest first. Shared by those who read, so that a merge does not pull a table from under them.
using TableSet = std::vector<std::shared_ptr<Table>>;

// Walks a table block by block. `step` stays within a block; when it says false, `load` brings the
// next one, which waits for the disk only when neither the cache nor what was read ahead has it.
// Disk calls grow as it goes on: kFill begins with one block and reads up to 64 KiB ahead, the
// others begin with 64 KiB and read up to 256 KiB. `expected` bytes, though, are read at once.
// After an error `load` goes on behind what could not be read.
//
//   Result<void> done = co_await cursor.seek(begin);
//   while (done.ok() && cursor.valid()) { …; if (!cursor.step()) done = co_await cursor.load(); }
class TableCursor {
 public:
  TableCursor(Host& host, std::shared_ptr<Table> table, Caching caching, uint64_t expected = 0);

  // To the first entry at or after `begin`: its newest version.
  MaybeTask<Result<void>> seek(std::string_view begin);
  MaybeTask<Result<void>> load();
  bool step() {
    at_.next();
    return at_.valid();
  }
  bool valid() const { return at_.valid(); }
  StoredEntry entry() const { return at_.entry(); }  // valid until step or load
  std::string_view key() const { return at_.key(); }
  const Buffer& block() const { return bytes_; }  // that holds the entry's value

 private:
  enum class Progress : uint8_t { kThere, kNeedsDisk, kCorrupt };

  Progress advance(std::string_view from, Error& why);
  Progress next_leaf(std::string_view from, Error& why);
  bool in_memory(BlockHandle handle, Buffer& text);
  MaybeTask<Result<void>> go_on(std::string_view from);
  Task<Result<void>> go_on_with_disk(std::string from);
  Task<Result<void>> fetch();
  uint64_t length_ahead(const BlockHandle& handle) const;
  bool is_ahead(const BlockHandle& handle) const {
    return handle.offset >= ahead_offset_ && handle.bytes <= ahead_.size() &&
           handle.offset - ahead_offset_ <= ahead_.size() - handle.bytes;
  }

  Host& host_;
  std::shared_ptr<Table> table_;
  Caching caching_;
  uint64_t window_;    // bytes of the next disk call, at most, unless a block is longer
  uint64_t expected_;  // bytes that are wanted from where the first one begins
  uint32_t next_leaf_ = 0;
  Buffer leaf_;
  IndexBlock blocks_;  // of the leaf
  uint64_t leaf_offset_ = 0;
  uint32_t next_block_ = 0;  // in blocks_
  uint64_t floor_ = 0;       // where the blocks so far end
  uint64_t here_ = 0;        // where the block lies in the file
  BlockHandle wanted_;       // what the disk is needed for
  bool wants_leaf_ = false;
  Buffer fetched_;  // that, once it was read
  uint64_t fetched_offset_ = ~uint64_t{0};
  Buffer ahead_;  // of the file, as it lies there
  uint64_t ahead_offset_ = 0;
  Buffer bytes_;  // of the block
  BlockCursor at_;
};

}  // namespace ringside
