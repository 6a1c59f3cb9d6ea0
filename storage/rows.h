// Rows: what a scan found: live entries in the order of their keys, as views into memory that the
// rows own or share with the block cache. It moves; the views stay valid while it lives.
#pragma once

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/buffer.h"
#include "storage/entry.h"

namespace ringside {

class Rows {
 public:
  Rows() = default;
  Rows(Rows&&) noexcept = default;
  Rows& operator=(Rows&&) noexcept = default;

  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  const StoredEntry& operator[](std::size_t row) const { return rows_[row]; }
  const StoredEntry& front() const { return rows_.front(); }
  const StoredEntry& back() const { return rows_.back(); }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }

  void reserve(std::size_t rows) { rows_.reserve(rows); }
  // A copy of it.
  const StoredEntry& add(const StoredEntry& entry) {
    char* const at = room(entry.key.size() + entry.value.size());
    StoredEntry& row = rows_.emplace_back(entry);
    row.key = put(at, entry.key);
    row.value = put(at + entry.key.size(), entry.value);
    return row;
  }
  // The value lies in `block`, which is kept, unless that would hold much more than the value.
  const StoredEntry& add(const StoredEntry& entry, const Buffer& block) {
    if (kShareOfBlock * entry.value.size() < block.size()) return add(entry);
    if (last_block_ != block.data()) blocks_.push_back(block);
    last_block_ = block.data();
    StoredEntry& row = rows_.emplace_back(entry);
    row.key = put(room(entry.key.size()), entry.key);
    return row;
  }

 private:
  static constexpr std::size_t kChunkBytes = 4'000;
  static constexpr std::size_t kShareOfBlock = 8;

  static std::string_view put(char* at, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }
  char* room(std::size_t bytes) {
    if (used_ + bytes > chunk_.size()) {
      blocks_.push_back(std::move(chunk_));
      chunk_ = Buffer::with_size(bytes > kChunkBytes ? bytes : kChunkBytes);
      used_ = 0;
    }
    return chunk_.mutable_data() + std::exchange(used_, used_ + bytes);
  }

  std::vector<StoredEntry> rows_;
  std::vector<Buffer> blocks_;        // that rows point into
  const char* last_block_ = nullptr;  // among them
  Buffer chunk_;                      // of copies
  std::size_t used_ = 0;              // of it
};

}  // namespace ringside
