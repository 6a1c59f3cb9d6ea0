// Index block: where pieces of a table lie and what they must hash to, found by key, version 2. A
// table has two levels of them: leaves, whose pieces are blocks, and the top, whose pieces are
// leaves. The separator of a piece is at or after its last key and before the first key of the next
// piece, except that a key whose versions span pieces is the separator of all but the last of them.
//
//   u32 number of pieces n, u32 length of the prefix, the prefix: what all separators begin with
//   n × u64   the first eight bytes of the rest of a separator, as a big-endian number
//   n × u32   where what is left of a piece begins, from here on:
//     length varint             of the separator without the prefix, then what follows its eight
//                               bytes
//     offset varint             in the file
//     bytes varint              4 × length in the file + how it was compressed
//     [uncompressed varint]     length before that, when it was
//     checksum u64              XXH3-64 of the bytes in the file
//
// A search compares numbers; only equal ones lead to the bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/block_codec.h"

namespace ringside {

class IndexBlockBuilder {
 public:
  // Separators ascend, and may repeat.
  void add(std::string_view separator, const BlockHandle& handle);
  bool empty() const { return pieces_.empty(); }
  std::size_t bytes() const { return bytes_; }  // about
  std::string_view last_separator() const { return pieces_.back().separator; }
  // Appends the block to `out` and starts the next one.
  void finish(std::string& out);

 private:
  struct Piece {
    std::string separator;
    BlockHandle handle;
  };
  std::vector<Piece> pieces_;
  std::size_t bytes_ = 0;
};

// Reads a block that it does not own.
class IndexBlock {
 public:
  // False when there is no room for what the block says of itself.
  bool parse(std::string_view block);

  uint32_t size() const { return count_; }
  // The first piece whose separator is at or after `key`; size() when there is none.
  uint32_t find(std::string_view key) const;
  // False when it is malformed.
  bool handle(uint32_t piece, BlockHandle& handle) const;

 private:
  // From there on; nothing when it is malformed.
  std::string_view piece(uint32_t piece) const;
  bool less(uint32_t piece, uint64_t word, std::string_view rest) const;

  uint32_t count_ = 0;
  std::string_view prefix_;
  const char* words_ = nullptr;
  const char* places_ = nullptr;
  std::string_view pieces_;
};

// A short key in [last, next), for the piece that ends with `last` when the next one begins with
// `next`. last <= next.
std::string_view separator_between(std::string_view last, std::string_view next);

}  // namespace ringside
