#include "storage/block.h"

#include <algorithm>

#include "runtime/check.h"
#include "storage/format.h"

namespace ringside {

void BlockBuilder::add(std::string_view key, std::string_view value, bool removed,
                       uint64_t lsn_delta) {
  CHECK(entries_ == 0 || key > last_key_);
  std::size_t shared = 0;
  if (entries_ == 0 || since_restart_ == kRestartEntries ||
      bytes_.size() - restarts_.back() >= kRestartBytes) {
    restarts_.push_back(static_cast<uint32_t>(bytes_.size()));
    since_restart_ = 0;
  } else {
    const std::size_t most = std::min(key.size(), last_key_.size());
    while (shared < most && key[shared] == last_key_[shared]) ++shared;
  }
  char header[4 * kVarintBytesMax];
  char* at = store_varint(header, shared);
  at = store_varint(at, key.size() - shared);
  at = store_varint(at, 2 * value.size() + (removed ? 1 : 0));
  at = store_varint(at, lsn_delta);
  bytes_.append(header, static_cast<std::size_t>(at - header));
  bytes_.append(key.substr(shared));
  bytes_.append(value);
  last_key_.assign(key);
  ++entries_;
  ++since_restart_;
}

void BlockBuilder::finish(std::string& out) {
  out.append(bytes_);
  for (const uint32_t restart : restarts_) append_fixed(out, restart);
  append_fixed(out, static_cast<uint32_t>(restarts_.size()));
  bytes_.clear();
  restarts_.clear();
  entries_ = 0;
}

BlockCursor::BlockCursor(std::string_view block) {
  corrupt_ = block.size() < 4;
  if (corrupt_) return;
  restart_count_ = load<uint32_t>(block.data() + block.size() - 4);
  const uint64_t tail = 4 * (uint64_t{restart_count_} + 1);
  corrupt_ = tail > block.size() || restart_count_ == 0;
  if (corrupt_) return;
  entries_ = block.substr(0, block.size() - tail);
  restarts_ = block.substr(entries_.size(), tail - 4);
}

void BlockCursor::go_to_restart(uint32_t restart) {
  if (corrupt_ || restart >= restart_count_) {
    valid_ = false;
    return;
  }
  at_ = load<uint32_t>(restarts_.data() + 4 * restart);
  key_.clear();
  parse();
}

// In place, without a copy. False when it is malformed.
bool BlockCursor::key_at_restart(uint32_t restart, std::string_view& key) const {
  const uint32_t at = load<uint32_t>(restarts_.data() + 4 * restart);
  if (at >= entries_.size()) return false;
  std::string_view rest = entries_.substr(at);
  uint64_t shared = 0, unshared = 0, value = 0, lsn_delta = 0;
  if (!take_varint(rest, shared) || !take_varint(rest, unshared) || !take_varint(rest, value) ||
      !take_varint(rest, lsn_delta) || shared != 0 || unshared > rest.size()) {
    return false;
  }
  key = rest.substr(0, unshared);
  return true;
}

void BlockCursor::next() { parse(); }

void BlockCursor::parse() {
  valid_ = false;
  if (corrupt_ || at_ == entries_.size()) return;
  corrupt_ = true;
  if (at_ > entries_.size()) return;
  std::string_view rest = entries_.substr(at_);
  uint64_t shared = 0, unshared = 0, value = 0;
  if (!take_varint(rest, shared) || !take_varint(rest, unshared) || !take_varint(rest, value) ||
      !take_varint(rest, lsn_delta_)) {
    return;
  }
  if (shared > key_.size() || unshared > rest.size() || value / 2 > rest.size() - unshared) return;
  key_.resize(shared);
  key_.append(rest.substr(0, unshared));
  value_ = rest.substr(unshared, value / 2);
  removed_ = (value & 1) != 0;
  at_ = static_cast<std::size_t>(value_.data() + value_.size() - entries_.data());
  corrupt_ = false;
  valid_ = true;
}

void BlockCursor::seek(std::string_view key) {
  if (corrupt_) return;
  uint32_t low = 0, high = restart_count_;  // keys before restart `low` are too small
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    std::string_view first;
    if (!key_at_restart(middle, first)) {
      corrupt_ = true;
      valid_ = false;
      return;
    }
    (first < key ? low : high) = middle;
  }
  go_to_restart(low);
  while (valid_ && key_ < key) parse();
}

}  // namespace ringside
