// Swarm: a seed's own weather. From a seed, the machines and the options it draws which kinds of
// fault this seed has at all, how often, and the faults themselves, fully resolved: a sorted list
// of plain structs that a person can read and a shrinker can edit. Outside whole-cluster blackouts
// at most `budget` machines are down at once; every fault is over before `quiet_after`, so that the
// world heals. Node tunables are drawn to extremes from ranges that the caller names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/result.h"
#include "runtime/time.h"
#include "sim/topology.h"

namespace ringside::sim {

struct Fault {
  enum class Kind : uint8_t {
    kCrash,      // `machines`' processes die at `at` and restart at `at + duration`
    kPowerLoss,  // the same with the loss of unsynced pages
    kBlackout,   // power loss of all machines at once
    kPartition,  // from `machines` to `others`, both ways or one way, healed at `at + duration`
  };
  Kind kind = Kind::kCrash;
  Time at = 0;
  Duration duration = 0;
  std::vector<MachineId> machines;  // ascending
  std::vector<MachineId> others;    // kPartition: the far side, ascending
  bool both_ways = true;            // kPartition
  bool refuse = false;              // kPartition: the sender is told

  Time end() const { return at + duration; }
};

const char* fault_kind_name(Fault::Kind kind);
// "12.5s power loss of n2, restart after 3s"
std::string describe(const Fault& fault, const Topology& topology);

struct TunableRange {
  std::string name;
  int64_t low = 0;
  int64_t usual = 0;
  int64_t high = 0;
};

struct Tunable {
  std::string name;
  int64_t value = 0;
};

struct SwarmOptions {
  std::vector<MachineId> nodes;  // what faults may strike
  std::vector<MachineId>
      clients;  // may find themselves on either side of a partition; never struck
  Time start_after = 0;
  Time quiet_after = 0;  // every fault has ended by then
  uint32_t budget = 1;   // machines down at once outside blackouts: W - 1
  // Which kinds the seed may choose from.
  bool crashes = true;
  bool power_losses = true;
  bool partitions = true;
  bool blackouts = true;
  // Mean time between faults of a chosen kind, drawn between these.
  Duration interval_min = 2 * kSecond;
  Duration interval_max = 20 * kSecond;
  Duration down_min = 50 * kMillisecond;
  Duration down_max = 5 * kSecond;
  std::vector<TunableRange> tunables;
};

struct SwarmPlan {
  std::vector<Fault> faults;  // by (at, kind, machines)
  std::vector<Tunable> tunables;
};

// kInvalid when the options leave no room (no nodes, quiet before start, …).
Result<SwarmPlan> draw_swarm(uint64_t seed, const Topology& topology, const SwarmOptions& options);

}  // namespace ringside::sim
