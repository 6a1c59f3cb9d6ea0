// A sorted table's file, version 2: the blocks (storage/block.h), the leaves of the index
// (storage/index_block.h), the Bloom filter (storage/bloom.h), the index, the footer.
//
//   index:   kind u8 (0 plain, 1 sealed)
//            [salt u64, u64]   when sealed: what follows is sealed (storage/cipher.h) at the place
//                              of the index, with the bytes so far as header; so is every other
//                              piece but the footer
//            entries, removes, data bytes, first LSN, last LSN, first expiry: varints
//            smallest key, largest key
//            compression u8    that was asked for; each block's handle says what it got
//            end of the blocks varint
//            probes of the filter u8, and its handle (block_codec.h) unless they are 0: it has none
//            top index block   whose pieces are the leaves, whose pieces are the blocks
//   footer:  u32 magic "RSTB", u32 version, u64 index offset, u64 index length, u64 index checksum
//
// Checksums are XXH3-64 of the bytes in the file and lie outside what they cover: a block's in its
// leaf, a leaf's and the filter's in the index, the index's in the manifest (and in the footer, for
// tools). That is what catches a read or write that went to the wrong place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/block_codec.h"
#include "storage/durable_mark.h"

namespace ringside {

inline constexpr uint32_t kTableMagic = 0x42545352;  // "RSTB"
inline constexpr uint32_t kTableVersion = 2;
inline constexpr std::size_t kTableFooterBytes = 32;

struct TableOptions {
  uint64_t block_bytes = 4096;  // of a block before it is compressed, unless one entry is longer
  uint32_t filter_bits_per_key = 10;  // 0: no filter
  Compression compression = Compression::kNone;
  const Cipher* cipher = nullptr;  // seals new tables, opens those that were sealed
};

// What the manifest says of a table.
struct TableDescription {
  uint64_t id = 0;
  uint64_t file_bytes = 0;
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  uint64_t index_checksum = 0;
  uint64_t entries = 0;
  uint64_t removes = 0;      // entries that are removes
  uint64_t data_bytes = 0;   // keys and values before compression
  Lsn first_lsn = 0;         // no entry is older
  Lsn last_lsn = 0;          // nor newer
  int64_t first_expiry = 0;  // the earliest expiry of an entry; 0: none expires
  // Removes of ranges up to this LSN were applied when it was written: it holds nothing that they
  // hide.
  Lsn ranges_applied = 0;
  std::string smallest;  // key
  std::string largest;   // key

  bool operator==(const TableDescription&) const = default;
};

void append_table_description(std::string& out, const TableDescription& table);
// False when it is malformed, or describes what no writer makes. Its strings are as long as the
// bytes that hold them.
bool take_table_description(std::string_view& in, TableDescription& table);

struct TableIndex {
  // Of the description, what lies before the index in the file: id and place are not there.
  TableDescription properties;
  Compression compression = Compression::kNone;
  uint64_t blocks_end = 0;
  uint32_t filter_probes = 0;
  BlockHandle filter;
  std::string top;

  // For this offset in the file, sealed when `cipher` is one.
  std::string encode(uint64_t offset, const FileCipher& cipher) const;
};

enum class IndexVerdict : uint8_t { kGood, kMalformed, kNeedsKey, kOtherKey };
// `cipher`: the engine's, or null. `file`: then how the rest of the file is sealed.
IndexVerdict decode_table_index(std::string_view bytes, uint64_t offset, const Cipher* cipher,
                                TableIndex& index, FileCipher& file);

std::string encode_table_footer(const TableDescription& table);
std::string table_file_name(const std::string& directory, uint64_t id);

}  // namespace ringside
