// The messages of a transfer (transfer.h), and the row that remembers how far one came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/ring.h"
#include "runtime/buffer.h"
#include "runtime/network.h"

namespace ringside {

// offer_request: "I am to hold this range: what have you got of it?"
// confirm_request: "I hold it no longer, when you say that you hold it whole."
struct RangeRequest {
  PositionRange range;
  uint64_t ticket = 0;
  Buffer encode() const;
  bool parse(std::string_view body);
};

// offer_reply, confirm_reply
struct RangeReply {
  bool held = false;   // all of it
  bool whole = false;  // all of it, and nothing that was acknowledged is missing
  uint64_t keys = 0;   // an estimate; offers alone
  uint64_t bytes = 0;
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct PageRequest {
  PositionRange range;
  uint64_t ticket = 0;
  std::string_view after;  // the last key that the asker has; empty: none yet
  uint64_t bytes_max = 0;
  bool digests = false;       // hashes of the objects instead of the objects
  bool even_partial = false;  // also when the range is not whole there
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct PageRow {
  std::string_view key;
  std::string_view object;
  uint64_t digest = 0;  // hash_bytes of the object, when digests were asked for
};

// Rows follow each other as they lie on the ring: by position, then by key.
struct PageReply {
  std::vector<PageRow> rows;
  bool last = false;  // nothing of the range comes behind these
  Buffer encode() const;
  bool parse(std::string_view body);
};

// How far the rows of a range came from one source. Own row "transfer/" + begin u64 + source u32
// → end u64, ticket u64, tablets u64, done u8, the last key; big-endian.
struct TransferMark {
  PositionRange range;
  NodeId source = kNoNode;
  uint64_t ticket = 0;
  uint64_t tablets = 0;  // which ones the rows went to: what came to others does not count
  bool done = false;
  std::string after;

  std::string row() const;
  std::string value() const;
  bool parse(std::string_view row, std::string_view value);
  // The rows of one range's marks, whatever its sources.
  static std::string rows_begin(uint64_t begin);
};

}  // namespace ringside
