// Store: what a workload needs of a database: Dynamo's own get and put. The client library behind
// it (client_store.h) is one implementation; tests have others. The workload picks the operation's
// id, because values carry it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/network.h"
#include "runtime/result.h"
#include "runtime/task.h"
#include "runtime/time.h"

namespace ringside {

struct StoreVersions {
  std::vector<std::string> values;  // siblings; none: the key is absent
  std::string context;              // to hand back with a put
  NodeId coordinator = kNoNode;
};

struct StoreWritten {
  NodeId coordinator = kNoNode;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual NodeId self() const = 0;
  virtual uint64_t new_operation() = 0;  // never 0, unique among all clients
  // Each ends by `deadline` (of the host's clock). A put's error tells its outcome, see
  // put_outcome.
  virtual Task<Result<StoreVersions>> get(uint64_t operation, std::string key, Time deadline) = 0;
  virtual Task<Result<StoreWritten>> put(uint64_t operation, std::string key, std::string context,
                                         std::string value, Time deadline) = 0;
};

// kUnavailable, kOverloaded, kInvalid and kNotFound surely did not happen; every other error leaves
// it open.
inline bool surely_failed(Code code) {
  return code == Code::kUnavailable || code == Code::kOverloaded || code == Code::kInvalid ||
         code == Code::kNotFound;
}

}  // namespace ringside
