#include "storage/table_format.h"

#include <cstdio>

#include "storage/format.h"

namespace ringside {

std::string TableIndex::encode() const {
  std::string out;
  append_varint(out, filter_offset);
  append_varint(out, filter_bytes);
  append_fixed(out, filter_checksum);
  append_varint(out, entries);
  append_varint(out, first_lsn);
  append_varint(out, last_lsn);
  append_bytes(out, smallest);
  append_bytes(out, largest);
  append_varint(out, blocks.size());
  for (const TableBlock& block : blocks) {
    append_bytes(out, block.last_key);
    append_varint(out, block.offset);
    append_varint(out, block.bytes);
    append_fixed(out, block.checksum);
  }
  return out;
}

bool TableIndex::decode(std::string_view in) {
  std::string_view low, high;
  uint64_t count = 0;
  if (!take_varint(in, filter_offset) || !take_varint(in, filter_bytes) ||
      !take_fixed(in, filter_checksum) || !take_varint(in, entries) ||
      !take_varint(in, first_lsn) || !take_varint(in, last_lsn) || !take_bytes(in, low) ||
      !take_bytes(in, high) || !take_varint(in, count)) {
    return false;
  }
  smallest = low;
  largest = high;
  blocks.clear();
  for (; count > 0; --count) {
    TableBlock block;
    std::string_view last;
    if (!take_bytes(in, last) || !take_varint(in, block.offset) || !take_varint(in, block.bytes) ||
        !take_fixed(in, block.checksum)) {
      return false;
    }
    block.last_key = last;
    blocks.push_back(std::move(block));
  }
  return in.empty();
}

std::string encode_table_footer(const TableDescription& description) {
  std::string out;
  append_fixed(out, kTableMagic);
  append_fixed(out, kTableVersion);
  append_fixed(out, description.index_offset);
  append_fixed(out, description.index_bytes);
  append_fixed(out, description.index_checksum);
  return out;
}

void append_table_description(std::string& out, const TableDescription& table) {
  append_varint(out, table.id);
  append_varint(out, table.file_bytes);
  append_varint(out, table.index_offset);
  append_varint(out, table.index_bytes);
  append_fixed(out, table.index_checksum);
  append_varint(out, table.entries);
  append_varint(out, table.first_lsn);
  append_varint(out, table.last_lsn);
}

bool take_table_description(std::string_view& in, TableDescription& table) {
  return take_varint(in, table.id) && take_varint(in, table.file_bytes) &&
         take_varint(in, table.index_offset) && take_varint(in, table.index_bytes) &&
         take_fixed(in, table.index_checksum) && take_varint(in, table.entries) &&
         take_varint(in, table.first_lsn) && take_varint(in, table.last_lsn);
}

std::string table_file_name(const std::string& directory, uint64_t id) {
  char name[32];
  std::snprintf(name, sizeof name, "/%06llu", static_cast<unsigned long long>(id));
  return directory + name;
}

}  // namespace ringside
