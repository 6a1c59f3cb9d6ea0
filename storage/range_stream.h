// Range streams: the live keys of a range on their way to another engine, in chunks of about 256
// KiB that are checked one by one and against each other. A chunk, version 1:
//
//    0  u32 magic "RSRC"    4  u16 version, u16 flags (1: the last chunk)
//    8  u64 checksum: XXH3-64 of bytes [16, end), seeded with bytes [0, 8)
//   16  u64 sequence, from 0
//   24  u64 link: the checksum of the chunk before; of the first chunk, XXH3-64 of the range (begin
//       length varint, begin, end length varint, end)
//   32  u64 entries of the stream so far, this chunk's included
//   40  the chunk's entries: key length varint, key, expiry varint (wall clock, ns; 0: never),
//   value
//       length varint, value; keys ascend throughout the stream and lie in the range
//
// The links make the chunks of one export one chain: a chunk of another export, of another range,
// or out of its turn does not fit. They find accidents, not forgers; but whatever the bytes, a
// reader stays within them and takes no more memory than they do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/result.h"
#include "storage/key_range.h"

namespace ringside {

inline constexpr uint32_t kRangeChunkMagic = 0x43525352;  // "RSRC"
inline constexpr uint16_t kRangeChunkVersion = 1;
inline constexpr std::size_t kRangeChunkHeaderBytes = 40;
inline constexpr std::size_t kRangeChunkBytes = 256u << 10;  // then it is full

struct RangeEntry {
  std::string_view key;
  std::string_view value;
  int64_t expires = 0;  // wall clock, ns; 0: never
};

//   while (…) { writer.add(entry); if (writer.full()) send(writer.take(false)); }
//   send(writer.take(true));
class RangeChunkWriter {
 public:
  explicit RangeChunkWriter(const KeyRange& range);

  // CHECKs that keys ascend and lie in the range.
  void add(const RangeEntry& entry);
  bool full() const { return chunk_.size() >= kRangeChunkBytes; }
  uint64_t entries() const { return entries_; }
  // What was added since the last call; nothing may follow the last chunk.
  std::string take(bool last);

 private:
  KeyRange range_;
  std::string chunk_;
  std::string last_key_;
  uint64_t sequence_ = 0;
  uint64_t link_;
  uint64_t entries_ = 0;
  bool ended_ = false;
};

//   Result<void> good = reader.open(std::move(chunk));   // all of it was checked
//   for (RangeEntry entry; reader.next(entry);) …
//   … and after the chunks: reader.finish()
class RangeChunkReader {
 public:
  explicit RangeChunkReader(KeyRange range);

  // kCorrupt says where and what is wrong. After that, and after the last chunk, none fits.
  Result<void> open(std::string chunk);
  // Of the open chunk; valid until the next `open`.
  bool next(RangeEntry& entry);
  bool ended() const { return ended_; }  // the last chunk was opened
  uint64_t entries() const { return entries_; }
  // kCorrupt when the last chunk has not come.
  Result<void> finish() const;

 private:
  Result<void> check();
  Error corrupt(std::size_t offset, const std::string& what) const;

  KeyRange range_;
  std::string chunk_;
  std::string_view rest_;  // of the chunk, not yet given
  std::string last_key_;
  uint64_t sequence_ = 0;  // of the next chunk
  uint64_t link_;
  uint64_t entries_ = 0;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace ringside
