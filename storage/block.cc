#include "storage/block.h"

#include "runtime/check.h"
#include "storage/format.h"
#include "storage/key_prefix.h"

namespace ringside {
namespace {

constexpr std::size_t kEntryHeaderBytesMax = 4 * kVarintBytesMax + sizeof(int64_t);
constexpr uint32_t kPrefetchedRestarts = 16;
constexpr std::size_t kPrefetchedBytes = 1024;
constexpr uint64_t kFlagRemoved = 1;
constexpr uint64_t kFlagExpires = 2;

// Most are one byte long. Null when it is malformed.
inline const char* read_varint(const char* at, const char* end, uint64_t& value) {
  if (at != end && static_cast<unsigned char>(*at) < 0x80) {
    value = static_cast<unsigned char>(*at);
    return at + 1;
  }
  std::string_view rest(at, static_cast<std::size_t>(end - at));
  return take_varint(rest, value) ? rest.data() : nullptr;
}

}  // namespace

std::size_t BlockBuilder::bytes_with(const StoredEntry& entry) const {
  return bytes() + entry.key.size() + entry.value.size() + 4 + 8;
}

void BlockBuilder::add(const StoredEntry& entry) {
  CHECK(entry.lsn >= first_lsn_);
  const std::size_t alike = entries_ == 0 ? 0 : common_prefix(entry.key, last_key_);
  if (entries_ > 0) {
    const bool same = alike == entry.key.size() && alike == last_key_.size();
    CHECK(same ? entry.lsn < last_lsn_ : entry.key > last_key_);
  }
  std::size_t shared = alike;
  if (entries_ == 0 || since_restart_ == kRestartEntries ||
      bytes_.size() - restarts_.back() >= kRestartBytes) {
    restarts_.push_back(static_cast<uint32_t>(bytes_.size()));
    since_restart_ = 0;
    shared = 0;
  }
  char header[kEntryHeaderBytesMax];
  char* at = store_varint(header, shared);
  at = store_varint(at, entry.key.size() - shared);
  at = store_varint(at, 4 * entry.value.size() + (entry.expires != 0 ? kFlagExpires : 0) +
                            (entry.removed ? kFlagRemoved : 0));
  at = store_varint(at, entry.lsn - first_lsn_);
  if (entry.expires != 0) {
    store(at, entry.expires);
    at += sizeof entry.expires;
  }
  bytes_.append(header, static_cast<std::size_t>(at - header));
  bytes_.append(entry.key.substr(shared));
  bytes_.append(entry.value);
  CHECK(bytes_.size() <= UINT32_MAX);
  last_key_.replace(shared, std::string::npos, entry.key.substr(shared));
  last_lsn_ = entry.lsn;
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

bool BlockLayout::parse(std::string_view block) {
  if (block.size() < 4) return false;
  restart_count = load<uint32_t>(block.data() + block.size() - 4);
  const uint64_t tail = 4 * (uint64_t{restart_count} + 1);
  if (tail > block.size() || restart_count == 0) return false;
  entries = block.substr(0, block.size() - tail);
  restarts = block.substr(entries.size(), tail - 4);
  return true;
}

bool BlockLayout::entry(std::size_t& at, BlockEntry& entry) const {
  if (at >= entries.size()) return false;
  const char* const end = entries.data() + entries.size();
  const char* next = entries.data() + at;
  uint64_t unshared = 0, value = 0;
  if ((next = read_varint(next, end, entry.shared)) == nullptr ||
      (next = read_varint(next, end, unshared)) == nullptr ||
      (next = read_varint(next, end, value)) == nullptr ||
      (next = read_varint(next, end, entry.lsn_delta)) == nullptr) {
    return false;
  }
  entry.removed = (value & kFlagRemoved) != 0;
  entry.expires = 0;
  if ((value & kFlagExpires) != 0) {
    if (end - next < static_cast<std::ptrdiff_t>(sizeof entry.expires)) return false;
    entry.expires = load<int64_t>(next);
    next += sizeof entry.expires;
  }
  const auto left = static_cast<uint64_t>(end - next);
  if (unshared > left || value / 4 > left - unshared) return false;
  entry.unshared = {next, unshared};
  entry.value = {next + unshared, value / 4};
  at = static_cast<std::size_t>(next + unshared + value / 4 - entries.data());
  return true;
}

bool BlockLayout::restart_before(std::string_view key, std::size_t& at) const {
  uint32_t low = 0, high = restart_count;  // the keys of the restarts up to `low` are smaller
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    std::size_t where = load<uint32_t>(restarts.data() + 4 * middle);
    BlockEntry first;
    if (!entry(where, first) || first.shared != 0) return false;
    (first.unshared < key ? low : high) = middle;
  }
  at = load<uint32_t>(restarts.data() + 4 * low);
  return true;
}

// A block that was not used lately is in no processor cache. What a search will want is asked for
// at once, so that it waits for memory a few times, and not for every line in turn.
void BlockLayout::prefetch_restarts() const {
  for (uint32_t i = 0; i < restart_count && i < kPrefetchedRestarts; ++i)
    __builtin_prefetch(entries.data() + load<uint32_t>(restarts.data() + 4 * i));
}

void BlockLayout::prefetch_entries(std::size_t at) const {
  const std::size_t end = std::min(entries.size(), at + kPrefetchedBytes);
  for (std::size_t line = at + 64; line < end; line += 64)
    __builtin_prefetch(entries.data() + line);
}

// Keys are compared as they lie there. `alike` is how many bytes the entry before, which was
// smaller or the key itself, begins like the key. An entry that shares more than that with it
// differs from the key where it did, and one that shares less is greater where they part.
BlockAnswer search_block(std::string_view block, Lsn first_lsn, std::string_view key, Lsn at,
                         StoredEntry& found) {
  BlockLayout layout;
  std::size_t next = 0;
  if (!layout.parse(block)) return BlockAnswer::kCorrupt;
  layout.prefetch_restarts();
  if (!layout.restart_before(key, next)) return BlockAnswer::kCorrupt;
  layout.prefetch_entries(next);
  std::size_t alike = 0;
  bool met = false;
  while (next != layout.entries.size()) {
    BlockEntry entry;
    if (!layout.entry(next, entry)) return BlockAnswer::kCorrupt;
    if (entry.shared == 0) alike = 0;
    if (entry.shared > alike) continue;
    if (entry.shared < alike) return BlockAnswer::kAbsent;
    const std::string_view wanted = key.substr(alike);
    const std::size_t more = common_prefix(entry.unshared, wanted);
    if (more < wanted.size()) {
      if (more < entry.unshared.size() && static_cast<unsigned char>(entry.unshared[more]) >
                                              static_cast<unsigned char>(wanted[more])) {
        return BlockAnswer::kAbsent;
      }
      alike += more;
      continue;
    }
    if (more < entry.unshared.size()) return BlockAnswer::kAbsent;
    alike = key.size();
    met = true;
    if (first_lsn + entry.lsn_delta > at) continue;
    found.value = entry.value;
    found.lsn = first_lsn + entry.lsn_delta;
    found.removed = entry.removed;
    found.expires = entry.expires;
    return BlockAnswer::kFound;
  }
  return met ? BlockAnswer::kContinues : BlockAnswer::kAbsent;
}

BlockCursor::BlockCursor(std::string_view block, Lsn first_lsn) : first_lsn_(first_lsn) {
  corrupt_ = !layout_.parse(block);
}

void BlockCursor::seek_first() {
  valid_ = false;
  if (corrupt_) return;
  next_ = load<uint32_t>(layout_.restarts.data());
  key_.clear();
  parse();
}

void BlockCursor::parse() {
  valid_ = false;
  if (corrupt_ || next_ == layout_.entries.size()) return;
  corrupt_ = true;
  if (!layout_.entry(next_, at_) || at_.shared > key_.size()) return;
  key_.resize(at_.shared + at_.unshared.size());
  std::memcpy(key_.data() + at_.shared, at_.unshared.data(), at_.unshared.size());
  corrupt_ = false;
  valid_ = true;
}

void BlockCursor::seek(std::string_view key) {
  valid_ = false;
  if (corrupt_) return;
  corrupt_ = !layout_.restart_before(key, next_);
  if (corrupt_) return;
  key_.clear();
  parse();
  while (valid_ && key_ < key) parse();
}

}  // namespace ringside
