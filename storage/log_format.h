// The log's bytes, version 2. A segment is a file of groups; every group starts on a fresh 4 KiB
// page, because power loss may garble any page that holds unsynced bytes, synced ones included. A
// group is:
//
//    0  u32 magic "RSLG"      4  u16 version       6  u8 kind (1 batches, 2 seal: no batches)
//                                                  7  u8 flags (1: the payload is sealed)
//    8  u64 header checksum: XXH3-64 of bytes [16, 72), seeded with bytes [0, 8)
//   16  u64 segment id                            24  u64 life: drawn by the process that wrote it
//   32  u64 first LSN                             40  u64 durable: every batch up to here was known
//   48  u64 manifest sequence: and every manifest     durable when this was written
//       record up to here                         56  u32 batches     60  u32 payload length
//   64  u64 payload checksum: XXH3-64, seeded with bytes [0, 8)
//   72  payload: for each batch its length as a varint and its encoding (storage/batch.h)
//
// and zeros up to the next page. The header has a checksum of its own, so that it can be believed
// before the payload was read, and it covers the payload's. A sealed payload is ciphertext and tag
// (storage/cipher.h) under the salt (life, segment id) at the group's offset in its segment, with
// bytes [0, 8) and [16, 64) authenticated: no two groups share salt and place, because a life draws
// its number, uses a segment id once, and writes a place once. Checksums are of what lies on disk:
// rot is told from a wrong key. Segment files are written over under a new, greater id; what an
// earlier life left behind a group is told by its id. Batches are numbered from the first LSN on,
// one by one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "storage/durable_mark.h"

namespace ringside {

class Cipher;

inline constexpr uint32_t kLogMagic = 0x474c5352;  // "RSLG"
inline constexpr uint16_t kLogVersion = 2;
inline constexpr std::size_t kLogHeaderBytes = 72;

constexpr uint64_t round_up_to_page(uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

enum class LogGroupKind : uint8_t { kBatches = 1, kSeal = 2 };

struct LogGroupHeader {
  LogGroupKind kind = LogGroupKind::kBatches;
  bool sealed = false;
  uint64_t segment = 0;
  uint64_t life = 0;
  Lsn first = 0;
  Lsn durable = 0;
  uint64_t manifest_sequence = 0;
  uint32_t count = 0;
  uint32_t payload_bytes = 0;  // on disk, with the tag when it is sealed
  uint64_t payload_checksum = 0;

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
  std::string_view payload() const {
    return buffer_.view().substr(0, used_).substr(kLogHeaderBytes);
  }
  // On disk.
  uint64_t bytes(const Cipher* cipher) const;
  void append(std::string_view batch);
  // Fills in the header (first, count and the payload's length and checksum are the group's own)
  // and the padding. `cipher` (or null) seals it for the place `offset` of its segment.
  Buffer finish(LogGroupHeader header, const Cipher* cipher, uint64_t offset) &&;

 private:
  void reserve(std::size_t capacity);

  Buffer buffer_;
  std::size_t used_ = kLogHeaderBytes;
  Lsn first_;
  uint32_t count_ = 0;
};

// The header at the start of `bytes` when its own checksum holds: what it says was written so.
std::optional<LogGroupHeader> parse_log_header(std::string_view bytes);
// The group at the start of `bytes` when it is whole and good.
std::optional<LogGroupHeader> parse_log_group(std::string_view bytes);
// The segment that the bytes of a header claim to belong to, good or not; 0 without the magic.
uint64_t claimed_log_segment(std::string_view bytes);
// The format version that they claim; 0 without the magic.
uint16_t claimed_log_version(std::string_view bytes);

// The text of a sealed group, at the start of `bytes` as for parse_log_group, appended to `out`.
// False: not what was sealed with this key at this place.
bool open_log_payload(const Cipher& cipher, const LogGroupHeader& header, std::string_view bytes,
                      uint64_t offset, std::string& out);

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
