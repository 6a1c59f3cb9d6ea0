#include "storage/range_stream.h"

#include <limits>
#include <utility>

#include "runtime/check.h"
#include "runtime/random.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr uint16_t kLastChunk = 1;
constexpr uint64_t kExpiryMax = std::numeric_limits<int64_t>::max();

uint64_t first_link(const KeyRange& range) {
  std::string bytes;
  append_bytes(bytes, range.begin);
  append_bytes(bytes, range.end);
  return hash_bytes(bytes);
}

uint64_t chunk_checksum(std::string_view chunk) {
  return hash_bytes(chunk.substr(16), load<uint64_t>(chunk.data()));
}

bool take_range_entry(std::string_view& in, RangeEntry& entry) {
  uint64_t expires = 0;
  if (!take_bytes(in, entry.key) || !take_varint(in, expires) || expires > kExpiryMax ||
      !take_bytes(in, entry.value))
    return false;
  entry.expires = static_cast<int64_t>(expires);
  return true;
}

}  // namespace

RangeChunkWriter::RangeChunkWriter(const KeyRange& range)
    : range_(range), chunk_(kRangeChunkHeaderBytes, '\0'), link_(first_link(range)) {}

void RangeChunkWriter::add(const RangeEntry& entry) {
  CHECK(!ended_ && entry.expires >= 0);
  CHECK(range_.contains(entry.key) && (entries_ == 0 || entry.key > last_key_));
  append_bytes(chunk_, entry.key);
  append_varint(chunk_, static_cast<uint64_t>(entry.expires));
  append_bytes(chunk_, entry.value);
  last_key_ = entry.key;
  ++entries_;
}

std::string RangeChunkWriter::take(bool last) {
  CHECK(!ended_);
  ended_ = last;
  char* const header = chunk_.data();
  store(header, kRangeChunkMagic);
  store(header + 4, kRangeChunkVersion);
  store(header + 6, last ? kLastChunk : uint16_t{0});
  store(header + 16, sequence_++);
  store(header + 24, link_);
  store(header + 32, entries_);
  link_ = chunk_checksum(chunk_);
  store(header + 8, link_);
  return std::exchange(chunk_, std::string(kRangeChunkHeaderBytes, '\0'));
}

RangeChunkReader::RangeChunkReader(KeyRange range)
    : range_(std::move(range)), link_(first_link(range_)) {}

Error RangeChunkReader::corrupt(std::size_t offset, const std::string& what) const {
  return Error{Code::kCorrupt, "range stream, chunk " + std::to_string(sequence_) + " at " +
                                   std::to_string(offset) + ": " + what};
}

Result<void> RangeChunkReader::open(std::string chunk) {
  rest_ = {};
  chunk_ = std::move(chunk);
  const Result<void> good = check();
  if (!good.ok()) {
    failed_ = true;
    return good;
  }
  ++sequence_;
  rest_ = std::string_view(chunk_).substr(kRangeChunkHeaderBytes);
  return good;
}

// Leaves the state as the chunk made it, also when something is wrong: then nothing fits any more.
Result<void> RangeChunkReader::check() {
  if (failed_) return corrupt(0, "a chunk before it was bad");
  if (ended_) return corrupt(0, "a chunk after the last one");
  const std::string_view bytes = chunk_;
  if (bytes.size() < kRangeChunkHeaderBytes)
    return corrupt(0, "cut short at " + std::to_string(bytes.size()) + " bytes");
  const char* const header = bytes.data();
  if (load<uint32_t>(header) != kRangeChunkMagic) return corrupt(0, "not a chunk of a range");
  const auto version = load<uint16_t>(header + 4);
  if (version != kRangeChunkVersion)
    return corrupt(4, "version " + std::to_string(version) + " is not known");
  if (chunk_checksum(bytes) != load<uint64_t>(header + 8)) return corrupt(8, "bad checksum");
  const auto flags = load<uint16_t>(header + 6);
  if ((flags & ~kLastChunk) != 0) return corrupt(6, "unknown flags");
  const auto sequence = load<uint64_t>(header + 16);
  if (sequence != sequence_) return corrupt(16, "this is chunk " + std::to_string(sequence));
  if (load<uint64_t>(header + 24) != link_) {
    return corrupt(24, sequence_ == 0 ? "of another range" : "does not follow the chunk before it");
  }
  link_ = load<uint64_t>(header + 8);

  std::string_view rest = bytes.substr(kRangeChunkHeaderBytes);
  std::string_view last = last_key_;
  while (!rest.empty()) {
    const std::size_t at = bytes.size() - rest.size();
    RangeEntry entry;
    if (!take_range_entry(rest, entry)) return corrupt(at, "a malformed entry");
    if (!range_.contains(entry.key)) return corrupt(at, "a key outside of the range");
    if (entries_ > 0 && entry.key <= last) return corrupt(at, "keys out of order");
    last = entry.key;
    ++entries_;
  }
  const auto count = load<uint64_t>(header + 32);
  if (count != entries_) {
    return corrupt(32,
                   std::to_string(entries_) + " entries came, and not " + std::to_string(count));
  }
  last_key_ = std::string(last);
  ended_ = flags == kLastChunk;
  return {};
}

bool RangeChunkReader::next(RangeEntry& entry) {
  if (rest_.empty()) return false;
  CHECK(take_range_entry(rest_, entry));  // `check` has seen it
  return true;
}

Result<void> RangeChunkReader::finish() const {
  if (failed_) return corrupt(0, "it was bad");
  if (!ended_) return corrupt(0, "it never came");
  return {};
}

}  // namespace ringside
