// A sorted table's file, version 1: blocks (storage/block.h) of about 4 KiB, the Bloom filter
// (storage/bloom.h), the index, the footer.
//
//   index:  filter offset varint, filter length varint, filter checksum u64, entries varint, first
//   LSN varint, last LSN
//           varint, smallest key, largest key, number of blocks varint,
//           then for each block its last key, offset varint, length varint, checksum u64
//   footer: u32 magic "RSTB", u32 version, u64 index offset, u64 index length, u64 index checksum
//
// Checksums are XXH3-64 and lie outside what they cover: a block's in the index, the index's in the
// manifest (and in the footer, for tools). That is what catches a read or write that went to the
// wrong place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/durable_mark.h"

namespace ringside {

inline constexpr uint32_t kTableMagic = 0x42545352;  // "RSTB"
inline constexpr uint32_t kTableVersion = 1;
inline constexpr std::size_t kTableFooterBytes = 32;
inline constexpr std::size_t kTableBlockBytes = 4096;

// What the manifest says of a table.
struct TableDescription {
  uint64_t id = 0;
  uint64_t file_bytes = 0;
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  uint64_t index_checksum = 0;
  uint64_t entries = 0;
  Lsn first_lsn = 0;  // no entry is older
  Lsn last_lsn = 0;   // nor newer: tables are newest first by this
};

struct TableBlock {
  std::string last_key;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t checksum = 0;
};

struct TableIndex {
  uint64_t filter_offset = 0;
  uint64_t filter_bytes = 0;
  uint64_t filter_checksum = 0;
  uint64_t entries = 0;
  Lsn first_lsn = 0;
  Lsn last_lsn = 0;
  std::string smallest;
  std::string largest;
  std::vector<TableBlock> blocks;

  std::string encode() const;
  // False when the bytes are malformed.
  bool decode(std::string_view bytes);
};

std::string encode_table_footer(const TableDescription& description);
void append_table_description(std::string& out, const TableDescription& description);
bool take_table_description(std::string_view& in, TableDescription& description);
std::string table_file_name(const std::string& directory, uint64_t id);

}  // namespace ringside
