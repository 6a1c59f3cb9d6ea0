// Keys: how the rows of a node's engine are named. The first byte says what a row is:
//
//   0x01  position u64 big-endian, key      an object, in the order of the ring
//   0x02  …                                 a hint (replication/dynamo/hint_store.h)
//   0xff  …                                 the node's own (marks of partitions, members, identity)
//
// Objects lie in the order of their positions on the ring, so that a range of the ring is a range
// of rows: a tablet to hand over, a Merkle tree to compare, a scan.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "protocols/ring.h"
#include "protocols/wire.h"
#include "runtime/check.h"
#include "storage/key_range.h"

namespace ringside {

inline constexpr char kObjectRow = '\x01';
inline constexpr char kHintRow = '\x02';
inline constexpr char kOwnRow = '\xff';
inline constexpr std::size_t kRowPrefixBytes = 9;

inline void put_big_endian(uint64_t value, char* out) {
  for (int i = 7; i >= 0; --i, value >>= 8) out[i] = static_cast<char>(value & 0xff);
}
inline uint64_t get_big_endian(const char* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The name of an object's row, built in place: look-ups allocate nothing.
class ObjectRow {
 public:
  ObjectRow(uint64_t position, std::string_view key) : size_(kRowPrefixBytes + key.size()) {
    CHECK(key.size() <= kKeyBytesMax);
    bytes_[0] = kObjectRow;
    put_big_endian(position, bytes_ + 1);
    if (!key.empty()) std::memcpy(bytes_ + kRowPrefixBytes, key.data(), key.size());
  }
  explicit ObjectRow(std::string_view key) : ObjectRow(Ring::position_of(key), key) {}
  std::string_view view() const { return {bytes_, size_}; }

 private:
  std::size_t size_;
  char bytes_[kRowPrefixBytes + kKeyBytesMax];
};

// False when the row is no object's.
inline bool parse_object_row(std::string_view row, uint64_t& position, std::string_view& key) {
  if (row.size() < kRowPrefixBytes || row[0] != kObjectRow) return false;
  position = get_big_endian(row.data() + 1);
  key = row.substr(kRowPrefixBytes);
  return true;
}

// The rows of a range of the ring.
inline KeyRange rows_of(PositionRange range) {
  const ObjectRow begin(range.begin, {});
  KeyRange rows{std::string(begin.view()), std::string(1, kHintRow)};
  if (range.end != 0) rows.end = std::string(ObjectRow(range.end, {}).view());
  return rows;
}

inline KeyRange hint_rows() { return {std::string(1, kHintRow), std::string(1, kHintRow + 1)}; }
inline KeyRange own_rows() { return {std::string(1, kOwnRow), std::string()}; }

}  // namespace ringside
