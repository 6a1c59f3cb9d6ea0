// Tap: what a frame says to an observer outside the nodes. It believes nothing but the bytes: a
// frame whose checksum is wrong or whose body does not parse is not `intact`, and nothing is said
// of it. The oracles of lab/ are built on this: a replica acknowledged the siblings of a
// replica_put_request when it answered the same call with ok.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "protocols/wire.h"
#include "runtime/network.h"

namespace ringside {

struct TappedVersion {
  uint64_t actor = 0;  // the version's dot
  uint64_t counter = 0;
  uint64_t operation = 0;  // the client operation that wrote it, as the nodes say
  bool tombstone = false;
  std::string_view value;
};

// Views into the frame's bytes.
struct TappedFrame {
  bool intact = false;
  Kind kind = Kind::kNone;
  bool reply = false;
  uint64_t call = 0;  // pairs a reply with its request, together with the two processes' ids
  Status status = Status::kOk;  // of a reply
  bool ok() const { return intact && reply && status == Status::kOk; }
  std::string_view key;      // of a request about a key
  std::string_view context;  // of a put's request or reply, or of the object that the frame carries
  std::vector<TappedVersion>
      versions;  // of the object that it carries; of a client's put the value alone, without a dot
  NodeId coordinator = kNoNode;  // of a client's reply
};

TappedFrame tap(const Frame& frame);

// Whether the encoded context covers the dot (actor, counter).
bool context_covers(std::string_view context, uint64_t actor, uint64_t counter);

}  // namespace ringside
