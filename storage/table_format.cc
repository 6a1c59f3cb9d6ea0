#include "storage/table_format.h"

#include <cstdio>

#include "runtime/disk.h"
#include "storage/bloom.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr char kPlainIndex = 0;
constexpr char kSealedIndex = 1;
constexpr std::size_t kSaltBytes = 16;

void append_properties(std::string& out, const TableDescription& table) {
  append_varint(out, table.entries);
  append_varint(out, table.removes);
  append_varint(out, table.data_bytes);
  append_varint(out, table.first_lsn);
  append_varint(out, table.last_lsn);
  append_varint(out, static_cast<uint64_t>(table.first_expiry));
  append_bytes(out, table.smallest);
  append_bytes(out, table.largest);
}

bool take_properties(std::string_view& in, TableDescription& table) {
  uint64_t first_expiry = 0;
  std::string_view smallest, largest;
  if (!take_varint(in, table.entries) || !take_varint(in, table.removes) ||
      !take_varint(in, table.data_bytes) || !take_varint(in, table.first_lsn) ||
      !take_varint(in, table.last_lsn) || !take_varint(in, first_expiry) ||
      !take_bytes(in, smallest) || !take_bytes(in, largest)) {
    return false;
  }
  table.first_expiry = static_cast<int64_t>(first_expiry);
  table.smallest = smallest;
  table.largest = largest;
  return table.entries > 0 && table.removes <= table.entries && table.first_lsn <= table.last_lsn &&
         table.smallest <= table.largest;
}

bool take_byte(std::string_view& in, uint8_t& value) { return take_fixed(in, value); }

}  // namespace

void append_table_description(std::string& out, const TableDescription& table) {
  append_varint(out, table.id);
  append_varint(out, table.file_bytes);
  append_varint(out, table.index_offset);
  append_varint(out, table.index_bytes);
  append_fixed(out, table.index_checksum);
  append_varint(out, table.ranges_applied);
  append_properties(out, table);
}

bool take_table_description(std::string_view& in, TableDescription& table) {
  return take_varint(in, table.id) && take_varint(in, table.file_bytes) &&
         take_varint(in, table.index_offset) && take_varint(in, table.index_bytes) &&
         take_fixed(in, table.index_checksum) && take_varint(in, table.ranges_applied) &&
         take_properties(in, table) && table.id > 0 && table.file_bytes <= kFileBytesMax &&
         table.index_offset <= table.file_bytes &&
         table.index_bytes <= table.file_bytes - table.index_offset;
}

std::string TableIndex::encode(uint64_t offset, const FileCipher& cipher) const {
  std::string text;
  append_properties(text, properties);
  text.push_back(static_cast<char>(compression));
  append_varint(text, blocks_end);
  text.push_back(static_cast<char>(filter_probes));
  if (filter_probes > 0) append_block_handle(text, filter);
  text += top;
  if (cipher.cipher == nullptr) return kPlainIndex + text;
  std::string out(1, kSealedIndex);
  append_fixed(out, cipher.salt.high);
  append_fixed(out, cipher.salt.low);
  const std::string header = out;
  cipher.cipher->seal(cipher.salt.high, cipher.salt.low, offset, header, text, out);
  return out;
}

IndexVerdict decode_table_index(std::string_view bytes, uint64_t offset, const Cipher* cipher,
                                TableIndex& index, FileCipher& file) {
  if (bytes.empty()) return IndexVerdict::kMalformed;
  std::string_view in = bytes.substr(1);
  std::string text;
  file = {};
  if (bytes.front() == kSealedIndex) {
    if (!take_fixed(in, file.salt.high) || !take_fixed(in, file.salt.low)) {
      return IndexVerdict::kMalformed;
    }
    if (cipher == nullptr) return IndexVerdict::kNeedsKey;
    if (!cipher->open(file.salt.high, file.salt.low, offset, bytes.substr(0, 1 + kSaltBytes), in,
                      text)) {
      return IndexVerdict::kOtherKey;
    }
    file.cipher = cipher;
    in = text;
  } else if (bytes.front() != kPlainIndex) {
    return IndexVerdict::kMalformed;
  }
  uint8_t compression = 0, probes = 0;
  if (!take_properties(in, index.properties) || !take_byte(in, compression) ||
      compression > static_cast<uint8_t>(Compression::kZstd) ||
      !take_varint(in, index.blocks_end) || index.blocks_end > offset || !take_byte(in, probes) ||
      probes > kBloomProbesMax || (probes > 0 && !take_block_handle(in, index.filter))) {
    return IndexVerdict::kMalformed;
  }
  index.compression = static_cast<Compression>(compression);
  index.filter_probes = probes;
  index.top = in;
  return IndexVerdict::kGood;
}

std::string encode_table_footer(const TableDescription& table) {
  std::string out;
  append_fixed(out, kTableMagic);
  append_fixed(out, kTableVersion);
  append_fixed(out, table.index_offset);
  append_fixed(out, table.index_bytes);
  append_fixed(out, table.index_checksum);
  return out;
}

std::string table_file_name(const std::string& directory, uint64_t id) {
  char name[32];
  std::snprintf(name, sizeof name, "/%06llu", static_cast<unsigned long long>(id));
  return directory + name;
}

}  // namespace ringside
