#include <algorithm>
#include <utility>

#include "storage/table.h"

namespace ringside {
namespace {

constexpr uint64_t kFillWindowMax = 64u << 10;
constexpr uint64_t kBypassWindowMin = 64u << 10;
constexpr uint64_t kBypassWindowMax = 256u << 10;

}  // namespace

TableCursor::TableCursor(Host& host, std::shared_ptr<Table> table, Caching caching,
                         uint64_t expected)
    : host_(host),
      table_(std::move(table)),
      caching_(caching),
      window_(caching == Caching::kFill ? 0 : kBypassWindowMin),
      expected_(std::min(expected, kFillWindowMax)) {}

MaybeTask<Result<void>> TableCursor::seek(std::string_view begin) {
  if (table_->why_unreadable() != nullptr) return Result<void>(*table_->why_unreadable());
  at_ = BlockCursor();
  blocks_ = IndexBlock();
  next_block_ = 0;
  floor_ = 0;
  next_leaf_ = table_->top_.find(begin);
  return go_on(begin);
}

MaybeTask<Result<void>> TableCursor::load() {
  if (at_.corrupt()) return Result<void>(table_->corrupt(here_, "a malformed table block"));
  at_ = BlockCursor();
  return go_on({});
}

MaybeTask<Result<void>> TableCursor::go_on(std::string_view from) {
  Error why;
  switch (advance(from, why)) {
    case Progress::kThere: return Result<void>();
    case Progress::kCorrupt: return Result<void>(std::move(why));
    case Progress::kNeedsDisk: break;
  }
  return go_on_with_disk(std::string(from));
}

Task<Result<void>> TableCursor::go_on_with_disk(std::string from) {
  Error why;
  Progress progress = Progress::kNeedsDisk;
  while (progress == Progress::kNeedsDisk) {
    Result<void> done = co_await fetch();
    if (!done.ok()) {
      ++(wants_leaf_ ? next_leaf_ : next_block_);
      co_return done;
    }
    progress = advance(from, why);
  }
  if (progress == Progress::kCorrupt) co_return why;
  co_return Result<void>();
}

// To the next block that has an entry at or after `from`, as far as memory goes. A short separator
// may be after `from` though its whole block is before it.
TableCursor::Progress TableCursor::advance(std::string_view from, Error& why) {
  while (true) {
    while (next_block_ >= blocks_.size()) {
      if (next_leaf_ == table_->top_.size()) return Progress::kThere;
      const Progress progress = next_leaf(from, why);
      if (progress != Progress::kThere) return progress;
    }
    BlockHandle handle;
    uint64_t floor = floor_;
    if (!blocks_.handle(next_block_, handle) || !table_->comes_after(handle, floor)) {
      blocks_ = IndexBlock();
      why = table_->corrupt(leaf_offset_, "a malformed leaf");
      return Progress::kCorrupt;
    }
    if (!in_memory(handle, bytes_)) {
      wanted_ = handle;
      wants_leaf_ = false;
      return Progress::kNeedsDisk;
    }
    floor_ = floor;
    here_ = handle.offset;
    ++next_block_;
    at_ = BlockCursor(bytes_.view(), table_->description().first_lsn);
    if (from.empty()) {
      at_.seek_first();
    } else {
      at_.seek(from);
    }
    if (valid()) return Progress::kThere;
    if (from.empty() || at_.corrupt()) {
      why = table_->corrupt(here_, "a malformed table block");
      return Progress::kCorrupt;
    }
  }
}

// On to the next leaf, to its block where `from` would be.
TableCursor::Progress TableCursor::next_leaf(std::string_view from, Error& why) {
  BlockHandle handle;
  if (!table_->top_.handle(next_leaf_, handle)) {
    ++next_leaf_;
    why = table_->corrupt(table_->description().index_offset, "a malformed table index");
    return Progress::kCorrupt;
  }
  if (!in_memory(handle, leaf_)) {
    wanted_ = handle;
    wants_leaf_ = true;
    return Progress::kNeedsDisk;
  }
  ++next_leaf_;
  leaf_offset_ = handle.offset;
  next_block_ = 0;
  if (!blocks_.parse(leaf_.view())) {
    blocks_ = IndexBlock();
    why = table_->corrupt(handle.offset, "a malformed leaf");
    return Progress::kCorrupt;
  }
  next_block_ = blocks_.find(from);
  return Progress::kThere;
}

// A leaf or block from the cache, or from what the last disk calls brought.
bool TableCursor::in_memory(BlockHandle handle, Buffer& text) {
  if (handle.offset == fetched_offset_) {
    text = std::move(fetched_);
    fetched_offset_ = ~uint64_t{0};
    return true;
  }
  if (const Buffer* cached = table_->cached_piece(handle, caching_)) {
    text = *cached;
    return true;
  }
  return is_ahead(handle) && table_->decode_intact(host_, ahead_, handle.offset - ahead_offset_,
                                                   handle, caching_, text);
}

// How much to read for a block: it, and the blocks behind it that the window has room for. What is
// expected begins anywhere in the first block, so that the last one is most likely reached when
// half of it would be.
uint64_t TableCursor::length_ahead(const BlockHandle& handle) const {
  uint64_t length = handle.bytes;
  BlockHandle more;
  for (uint32_t next = next_block_ + 1; next < blocks_.size(); ++next) {
    if (!blocks_.handle(next, more) || more.offset != handle.offset + length) break;
    if (length + more.bytes > window_ && length - handle.bytes + more.bytes / 2 > expected_) break;
    length += more.bytes;
  }
  return length;
}

// Reads what is wanted.
Task<Result<void>> TableCursor::fetch() {
  const BlockHandle handle = wanted_;
  if (wants_leaf_) {
    Result<Buffer> leaf = co_await table_->read_piece(host_, handle, caching_);
    if (!leaf.ok()) co_return leaf.error();
    fetched_ = *std::move(leaf);
    fetched_offset_ = handle.offset;
    co_return Result<void>();
  }
  if (!is_ahead(handle)) {
    Disk& disk = host_.disk();
    const uint64_t length = length_ahead(handle);
    Result<Buffer> read = co_await disk.read_at(table_->file(), handle.offset, length);
    // What is wrong may be with a block that nobody needs yet.
    if (!read.ok() && length > handle.bytes) {
      read = co_await disk.read_at(table_->file(), handle.offset, handle.bytes);
    }
    if (!read.ok()) co_return read.error();
    ahead_ = *std::move(read);
    ahead_offset_ = handle.offset;
    const bool more_than_expected = std::exchange(expected_, 0) == 0;
    if (caching_ != Caching::kFill) {
      window_ = std::min(2 * window_, kBypassWindowMax);
    } else if (more_than_expected) {
      window_ = std::min(2 * std::max(window_, handle.bytes), kFillWindowMax);
    }
    if (table_->decode_intact(host_, ahead_, 0, handle, caching_, fetched_)) {
      fetched_offset_ = handle.offset;
      co_return Result<void>();
    }
  }
  Result<Buffer> text =
      co_await table_->decode_piece(host_, ahead_, handle.offset - ahead_offset_, handle, caching_);
  if (!text.ok()) co_return text.error();
  fetched_ = *std::move(text);
  fetched_offset_ = handle.offset;
  co_return Result<void>();
}

}  // namespace ringside
