// Tap: what a frame says to an observer outside the nodes. It believes nothing but the bytes: a
// frame whose checksum is wrong or whose body does not parse is not `intact`, and nothing is said
// of it. The oracles of lab/ are built on this: a replica acknowledged the siblings of a
// replica_put_request when it answered the same call with ok. Whether an object holds such a
// version later, or what superseded it, is present_or_superseded's to say
// (replication/dynamo/versioning.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "protocols/replication/dynamo/versioning.h"
#include "protocols/wire.h"
#include "runtime/network.h"

namespace ringside {

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
  VersionViews versions;     // of the object that it carries; of a client's put what it asks for
  NodeId coordinator = kNoNode;  // of a client's reply
};

TappedFrame tap(const Frame& frame);

}  // namespace ringside
