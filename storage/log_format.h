// The log's bytes, version 1. A segment is a file of groups; every group starts on a fresh 4 KiB
// page, because power loss may garble any page that holds unsynced bytes, synced ones included. A
// group is:
//
//    0  u32 magic "RSLG"         4  u16 version, u16 kind (1 batches, 2 seal: no batches)
//    8  u64 checksum: XXH3-64 of bytes [16, 64 + payload length), seeded with bytes [0, 8)
//   16  u64 segment id          24  u64 life: drawn by the process that wrote the segment
//   32  u64 first LSN           40  u64 durable: every batch up to here was known durable when this
//   was sealed 48  u64 manifest sequence: every manifest record up to here, too 56  u32 batches 60
//   u32 payload length 64  payload: for each batch its length as a varint and its encoding
//   (storage/batch.h)
//
// and zeros up to the next page. Segment files are reused under a new, greater id; what an earlier
// life left behind a group is told by its id. Batches are numbered from the first LSN on, one by
// one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "storage/durable_mark.h"

namespace ringside {

inline constexpr uint32_t kLogMagic = 0x474c5352;  // "RSLG"
inline constexpr uint16_t kLogVersion = 1;
inline constexpr std::size_t kLogHeaderBytes = 64;

constexpr uint64_t round_up_to_page(uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

enum class LogGroupKind : uint16_t { kBatches = 1, kSeal = 2 };

struct LogGroupHeader {
  LogGroupKind kind = LogGroupKind::kBatches;
  uint64_t segment = 0;
  uint64_t life = 0;
  Lsn first = 0;
  Lsn durable = 0;
  uint64_t manifest_sequence = 0;
  uint32_t count = 0;
  uint32_t payload_bytes = 0;

  Lsn end() const { return first + count; }  // the LSN after its last batch
  uint64_t bytes() const { return round_up_to_page(kLogHeaderBytes + payload_bytes); }
};

// A group under construction: one buffer, into which every batch is written once.
class LogGroup {
 public:
  LogGroup(Lsn first, std::size_t capacity);

  Lsn first() const { return first_; }
  Lsn end() const { return first_ + count_; }
  uint32_t count() const { return count_; }
  std::size_t used() const { return used_; }
  uint64_t bytes() const { return round_up_to_page(used_); }
  void append(std::string_view batch);
  // Fills in the header (first, count and payload length are the group's own) and the padding.
  Buffer seal(LogGroupHeader header) &&;

 private:
  void reserve(std::size_t capacity);

  Buffer buffer_;
  std::size_t used_ = kLogHeaderBytes;
  Lsn first_;
  uint32_t count_ = 0;
};

// The group at the start of `bytes` when it is whole and good.
std::optional<LogGroupHeader> parse_log_group(std::string_view bytes);
// What the header at the start of `bytes` claims, good or not; nothing without the magic.
std::optional<LogGroupHeader> peek_log_group(std::string_view bytes);

// Walks the batches of a good group's payload.
class LogGroupReader {
 public:
  explicit LogGroupReader(std::string_view payload) : rest_(payload) {}
  bool next(std::string_view& batch);
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ringside
