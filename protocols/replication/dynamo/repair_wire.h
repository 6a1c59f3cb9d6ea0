// What replicas say to each other to find and mend differences: bodies of frames, encoded as
// protobuf would (repair.proto), read as views. Ranges are of row names (keys.h) and lie within
// one partition. Rows are told apart by hashes of their names, and objects by hashes of their
// bytes and expiry; both are 64 bits, and find differences, not forgers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/wire.h"
#include "runtime/random.h"
#include "storage/key_range.h"

namespace ringside {

// Numbers of fixed width, one after another, little-endian: a packed repeated field.
template <class T>
class PackedView {
 public:
  PackedView() = default;
  explicit PackedView(std::string_view bytes) : bytes_(bytes) {}
  bool whole() const { return bytes_.size() % sizeof(T) == 0; }
  std::size_t size() const { return bytes_.size() / sizeof(T); }
  T operator[](std::size_t i) const {
    T value = 0;
    __builtin_memcpy(&value, bytes_.data() + i * sizeof(T), sizeof value);
    return value;
  }

 private:
  std::string_view bytes_;
};

template <class T>
std::string_view packed(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline uint64_t row_hash(std::string_view row) { return hash_bytes(row, 1); }
inline uint64_t object_hash(std::string_view object, int64_t expires = 0) {
  return hash_bytes(object, mix(2, static_cast<uint64_t>(expires)));
}

// The tree of `depth` over a range: what lies `levels` below each of these nodes.
struct TreeRequest {
  std::string_view begin, end;
  uint32_t depth = 0;
  uint32_t levels = 0;
  std::string_view nodes;  // u32 each
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct TreeReply {
  std::string_view hashes;  // u64 high, u64 low each: node by node, from left to right
  Buffer encode() const;
  bool parse(std::string_view body);
};

// What the sender holds in a range.
struct LeafRequest {
  std::string_view begin, end;
  std::string_view rows;  // u64 row_hash, u64 object_hash each
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct LeafReply {
  std::string_view wanted;  // u64 row_hash each: who answers has no such row
  std::string_view theirs;  // u64 row_hash each: rows of who answers that the sender lacks, or has
                            // otherwise
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct RowsRequest {
  std::string_view begin, end;
  std::string_view rows;  // u64 row_hash each
  Buffer encode() const;
  bool parse(std::string_view body);
};

// As many of the rows asked for as fit, at least one; none when they are all gone.
struct RowsReply {
  struct Row {
    std::string_view key;  // as clients name it
    std::string_view object;
  };
  std::vector<Row> rows;
  Buffer encode() const;
  bool parse(std::string_view body);
};

// May these tombstones go (remove = false)? Or: everyone has said so, let them go.
struct ReapRequest {
  struct Row {
    std::string_view key;
    uint64_t object = 0;  // object_hash of its bytes
  };
  uint64_t begin = 0, end = 0;  // positions
  std::string_view homes;       // u32 each, as the sender's ring has them
  bool remove = false;
  std::vector<Row> rows;
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct ReapReply {
  std::string_view
      same;  // u32 each: which rows of the request are held exactly so, or were removed
  Buffer encode() const;
  bool parse(std::string_view body);
};

}  // namespace ringside
