// Node: one database node, put together: an engine, the ring, RPC and the replication strategy. It
// knows the world only through its Host: the same object files serve real clients and live in the
// simulator.
//
//   Program program = [options](Host& host) { return run_node(host, options); };
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/replication/dynamo/options.h"
#include "protocols/ring.h"
#include "protocols/rpc.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

struct NodeOptions {
  std::vector<Member> members;  // every node of the cluster, this one too
  RingOptions ring;
  DynamoOptions dynamo;
  EngineOptions engine;
  // Where addresses are not known beforehand (real hosts): peers that this host can already reach
  // and that know the cluster. This node tells them where it listens and learns the other members,
  // which are kept in the engine.
  std::vector<NodeId> seeds;
};

// What a node has done since it started. A node's own word: it explains a verdict and never
// acquits.
struct NodeStatus {
  bool serving = false;
  uint32_t members = 0;
  DynamoStats dynamo;
  RpcStats rpc;
};

// Opens the engine, recovers, serves until the process dies. Ends by itself, through host.abort,
// when the data cannot be opened or the engine is poisoned. `status`, when given, must outlive the
// process.
Task<void> run_node(Host& host, NodeOptions options, NodeStatus* status = nullptr);

}  // namespace ringside
