// Node: one database node, put together: an engine, the ring, RPC and the replication strategy. It knows the world only
// through its Host: the same object files serve real clients and live in the simulator.
//
//   Program program = [options](Host& host) { return run_node(host, options); };
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/ring.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

enum class Coordinate : uint8_t {
  kReplica,     // puts are coordinated by one of the key's first N nodes; gets by whoever is asked
  kNonReplica,  // both by a node that is none of them, so that no leg is local (for latency models)
};

struct NodeOptions {
  std::vector<Member> members;  // every node of the cluster, this one too
  uint32_t q = 64;              // partitions of the ring
  uint32_t tokens = 16;         // virtual nodes a node
  uint32_t n = 3;
  uint32_t r = 2;
  uint32_t w = 2;
  bool read_repair = true;
  Duration read_repair_wait = 20 * kMillisecond;  // for stragglers, after the client was answered
  Duration request_timeout = kSecond;             // the most that a coordinator waits for replicas
  Coordinate coordinate = Coordinate::kReplica;
  EngineOptions engine;
  // Where addresses are not known beforehand (real hosts): peers that this host can already reach and that know the
  // cluster. This node tells them where it listens and learns the other members, which are kept in the engine.
  std::vector<NodeId> seeds;
};

// What a node has done since it started. A node's own word: it explains a verdict and never acquits.
struct NodeStatus {
  bool serving = false;
  uint64_t gets = 0, puts = 0;                              // coordinated
  uint64_t forwards = 0;                                    // handed to another coordinator
  uint64_t puts_unknown = 0, puts_failed = 0, gets_failed = 0;
  uint64_t replica_gets = 0, replica_puts = 0;              // answered for others
  uint64_t repairs = 0;                                     // objects pushed to replicas that lacked them
  uint64_t siblings_returned = 0;                           // beyond the first, in gets
  uint64_t damaged_frames = 0;
};

// Opens the engine, recovers, serves until the process dies. Ends by itself, through host.abort, when the data cannot be
// opened or the engine is poisoned. `status`, when given, must outlive the process.
Task<void> run_node(Host& host, NodeOptions options, NodeStatus* status = nullptr);

// Keys of the engine that begin with this byte are the node's own; clients may not use them.
inline constexpr char kReservedKey = '\xff';

}  // namespace ringside
