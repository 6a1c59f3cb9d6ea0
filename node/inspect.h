// Inspect: what a node's disk holds, as a fresh engine reads it. For oracles, which believe no
// node: give it a Host whose disk is a copy of the node's image.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/replication/dynamo/version.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

struct StoredVersion {
  Dot dot;
  uint64_t operation = 0;
  bool tombstone = false;
  std::string value;
};

struct StoredObject {
  std::string key;
  std::vector<StoredVersion> siblings;
  Context
      context;  // context.covers(dot): seen here, whether it is still a sibling or was superseded
  std::string encoded;
};

// What a row of the engine holds. kCorrupt: no object.
Result<StoredObject> stored_object(const StoredEntry& row);

// Every object, in the order of keys. An engine that cannot be opened, or an object that does not
// decode, is an error.
Task<Result<std::vector<StoredObject>>> read_all(Host& host, EngineOptions options);

}  // namespace ringside
