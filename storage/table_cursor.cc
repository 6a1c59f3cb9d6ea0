#include <algorithm>
#include <utility>

#include "storage/table.h"

namespace ringside {
namespace {

constexpr uint64_t kFillWindowMax = 64u << 10;
constexpr uint64_t kBypassWindowMin = 64u << 10;
constexpr uint64_t kBypassWindowMax = 256u << 10;

}  // namespace

Task<Result<void>> TableCursor::seek(std::string begin) {
  if (table_->why_unreadable() != nullptr) co_return *table_->why_unreadable();
  at_ = BlockCursor();
  blocks_.clear();
  next_block_ = 0;
  floor_ = 0;
  window_ = caching_ == Caching::kFill ? 0 : kBypassWindowMin;
  next_leaf_ = table_->top_.find(begin);
  if (next_leaf_ == table_->top_.size()) co_return Result<void>();
  Result<void> done = co_await load_leaf(begin);
  if (done.ok()) done = co_await load();
  if (!done.ok() || !valid()) co_return done;
  at_.seek(begin);
  // A short separator may be after `begin` though the whole block is before it.
  if (!valid()) done = co_await load();
  co_return done;
}

// The blocks of the next leaf, from the one where `from` would be.
Task<Result<void>> TableCursor::load_leaf(std::string from) {
  blocks_.clear();
  BlockHandle handle;
  const uint64_t index_offset = table_->description().index_offset;
  if (!table_->top_.handle(next_leaf_++, handle)) {
    co_return table_->corrupt(index_offset, "a malformed table index");
  }
  Result<Buffer> bytes = co_await table_->read_piece(host_, handle, caching_);
  if (!bytes.ok()) co_return bytes.error();
  IndexBlock index;
  bool good = index.parse(bytes->view());
  if (good) next_block_ = index.find(from);
  for (uint32_t block = 0; good && block < index.size(); ++block) {
    BlockHandle& next = blocks_.emplace_back();
    good = index.handle(block, next) && table_->comes_after(next, floor_);
  }
  if (!good) {
    blocks_.clear();
    next_block_ = 0;
    co_return table_->corrupt(handle.offset, "a malformed leaf");
  }
  co_return Result<void>();
}

Task<Result<void>> TableCursor::load() {
  const uint64_t here = next_block_ == 0 || blocks_.empty() ? 0 : blocks_[next_block_ - 1].offset;
  if (at_.corrupt()) co_return table_->corrupt(here, "a malformed table block");
  at_ = BlockCursor();
  while (next_block_ >= blocks_.size()) {
    if (next_leaf_ == table_->top_.size()) co_return Result<void>();
    Result<void> done = co_await load_leaf("");
    if (!done.ok()) co_return done;
  }
  const BlockHandle handle = blocks_[next_block_++];
  Result<void> done = co_await load_block(handle);
  if (!done.ok()) co_return done;
  at_ = BlockCursor(bytes_.view(), table_->description().first_lsn);
  at_.seek_first();
  if (!valid()) co_return table_->corrupt(handle.offset, "a malformed table block");
  co_return Result<void>();
}

// How much to read for a block: it, and the blocks behind it that the window has room for.
uint64_t TableCursor::length_ahead(const BlockHandle& handle) const {
  uint64_t length = handle.bytes;
  for (std::size_t next = next_block_; next < blocks_.size(); ++next) {
    const BlockHandle& more = blocks_[next];
    if (more.offset != handle.offset + length || length + more.bytes > window_) break;
    length += more.bytes;
  }
  return length;
}

Task<Result<void>> TableCursor::load_block(BlockHandle handle) {
  if (const Buffer* cached = table_->cached(handle, caching_)) {
    bytes_ = *cached;
    co_return Result<void>();
  }
  const bool there = handle.offset >= ahead_offset_ &&
                     handle.offset + handle.bytes <= ahead_offset_ + ahead_.size();
  if (!there) {
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
    window_ = caching_ == Caching::kFill
                  ? std::min(2 * std::max(window_, handle.bytes), kFillWindowMax)
                  : std::min(2 * window_, kBypassWindowMax);
  }
  Result<Buffer> text =
      co_await table_->decode_piece(host_, ahead_, handle.offset - ahead_offset_, handle, caching_);
  if (!text.ok()) co_return text.error();
  bytes_ = *std::move(text);
  co_return Result<void>();
}

}  // namespace ringside
