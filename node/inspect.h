// Inspect: what a node's disk holds, as a fresh engine reads it. For oracles, which believe no
// node: give it a Host whose disk is a copy of the node's image.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/replication/dynamo/versioning.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

struct StoredVersion {
  Dot dot;
  uint64_t operation = 0;
  bool tombstone = false;
  Time time = 0;     // the wall clock of who made it
  Time expires = 0;  // 0: never
  std::string value;
  std::string clock;  // of vector clocks: its own, as a context
};

struct StoredObject {
  std::string key;
  std::vector<StoredVersion> siblings;
  std::string context;
  std::string encoded;

  // Whether it is still a sibling, or was superseded here by versions that had seen it.
  bool has_or_superseded(const VersionView& version) const {
    return present_or_superseded(encoded, version);
  }
};

// What a row of the engine holds, whatever the scheme of its versions. kCorrupt: no object.
Result<StoredObject> stored_object(const StoredEntry& row);

// An object that is kept for another node (replication/dynamo/hint_store.h).
struct StoredHint {
  NodeId intended = kNoNode;
  StoredObject object;
};

struct StoredRows {
  std::vector<StoredObject> objects;  // in the order of the ring
  std::vector<StoredHint> hints;
};

// Everything. An engine that cannot be opened, or an object that does not decode, is an error.
Task<Result<StoredRows>> read_rows(Host& host, EngineOptions options);

// Every object, in the order of keys. An engine that cannot be opened, or an object that does not
// decode, is an error.
Task<Result<std::vector<StoredObject>>> read_all(Host& host, EngineOptions options);

}  // namespace ringside
