// Node: one database node, put together: an engine, the ring, RPC and the replication strategy. It
// knows the world only through its Host: the same object files serve real clients and live in the
// simulator.
//
//   Program program = [options](Host& host) { return run_node(host, options); };
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocols/background.h"
#include "protocols/membership/gossip.h"
#include "protocols/membership/pinger.h"
#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/transfer_options.h"
#include "protocols/replication/dynamo/upkeep_options.h"
#include "protocols/rings.h"
#include "protocols/rpc.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

struct NodeOptions {
  // The founding members. This node is one of them, or a stranger until it is told to join.
  std::vector<Member> members;
  RingOptions ring;
  std::shared_ptr<Rings> rings;  // shared with other nodes of this thread; null: with nobody
  DynamoOptions dynamo;
  UpkeepOptions upkeep;          // repair and reaping
  BackgroundOptions background;  // how much of it, beside the clients
  TransferOptions transfer;      // of ranges, when the ring changes
  EngineOptions engine;
  // Peers that are talked to again and again, so that a ring never falls apart. Where addresses are
  // not known beforehand (real hosts), this host can already reach them.
  std::vector<NodeId> seeds;
  GossipOptions gossip;
  PingOptions ping;
  DetectorOptions detector;
  // A node with an empty engine waits this long at most to hear whether it was known before.
  Duration recognise_within = kSecond;
  uint16_t speak_wire = kWireVersion;  // 1: as a node of an older release
  bool ask_to_join = false;            // a stranger asks for a seat itself
  uint32_t capacity = 0;               // that it asks for; 0: of an ordinary node
};

// What a node has done since it started. A node's own word: it explains a verdict and never
// acquits.
struct NodeStatus {
  bool serving = false;
  uint32_t members = 0;     // of the ring
  bool takes_part = false;  // this node is one of them, or of the next ring's
  bool lost_state = false;  // it was known before, and came with an empty engine
  uint64_t ticket = 0;      // of the change under way
  uint64_t incarnation = 0;
  DynamoStats dynamo;
  UpkeepStats upkeep;
  TransferStats transfer;
  RpcStats rpc;
};

// Opens the engine, recovers, serves until the process dies. Ends by itself, through host.abort,
// when the data cannot be opened or the engine is poisoned. `status`, when given, must outlive the
// process.
Task<void> run_node(Host& host, NodeOptions options, NodeStatus* status = nullptr);

}  // namespace ringside
