// Cluster: what the world benchmark measures, built from the rooms as the lab builds it: six nodes
// in three zones, N=3 R=2 W=2, NVMe disks with their latencies, the wire format, the log, the
// history and the fingerprint; 64 closed-loop clients in four processes, which read a key and put
// it back with its context: half gets, half puts.
#pragma once

#include <cstdint>
#include <memory>

#include "lab/observer.h"
#include "node/node.h"
#include "sim/world.h"
#include "workloads/history.h"

namespace ringside::bench {

inline constexpr uint32_t kNodes = 6;
inline constexpr uint32_t kClientProcesses = 4;
inline constexpr uint32_t kClients = 64;
inline constexpr uint32_t kKeys = 12'800;

class Cluster {
 public:
  struct Options {
    bool listen = false;   // the observer reads every frame, as the per-replica oracle does
    bool record = true;    // clients write a history
    bool weather = false;  // every kind of fault is on, too mild to change what happens
  };
  Cluster(uint64_t seed, const Options& options);

  sim::World& world() { return world_; }
  // What listens to it, for those who want to listen in between.
  sim::Observer& observer() { return observer_; }
  // Client operations begun so far; all but the last few are answered.
  uint64_t operations() const;
  // Runs until `more` have begun.
  void run(uint64_t more);

 private:
  // Counts what a recorder would keep.
  class Counter final : public HistorySink {
   public:
    KeyIndex intern(std::string_view) override { return 0; }
    ClientIndex add_client(NodeId) override { return 0; }
    Handle invoked(const Invocation&) override { return static_cast<Handle>(operations++); }
    void finished(Handle, const Completion&) override {}
    uint64_t operations = 0;
  };

  void begin_weather();

  sim::World world_;
  HistoryRecorder recorder_;
  Counter counter_;
  bool record_;
  lab::RunOptions options_;
  lab::RunObserver observer_;
};

// `machines` nodes, of which nobody asks anything, each with a timer of one second besides what it
// does by itself: `watching`, it gossips, pings and compares copies.
std::unique_ptr<sim::World> idle_cluster(uint32_t machines, bool watching);

}  // namespace ringside::bench
