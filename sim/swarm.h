// Swarm: a seed's own weather. From a seed, the machines and the options it draws which kinds of
// fault this seed has at all, how often, and the faults themselves, fully resolved (sim/fault.h).
// Outside whole-cluster blackouts at most `budget` machines are down at once, and at most `budget`
// machines, the same ones throughout, ever have what they hold durably damaged, since nobody here
// knows when a repair is complete. Every fault is over before `quiet_after`, so that the world
// heals. Node tunables are drawn to extremes from ranges that the caller names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/result.h"
#include "runtime/time.h"
#include "sim/fault.h"
#include "sim/topology.h"

namespace ringside::sim {

// What a swarm draws by: kinds of fault with their own rate. The numbers are part of a seed's
// weather: append only.
enum class Family : uint8_t {
  kCrash,
  kPowerLoss,
  kPartition,
  kBlackout,
  kSlowLinks,
  kBadLinks,  // loss, duplication, corruption
  kNarrowLinks,
  kClog,
  kHalfOpen,
  kLookupFails,
  kFlap,
  kResetStorm,
  kOutOfMemory,
  kPause,
  kThrottle,
  kClock,
  kGrayDisk,
  kDiskErrors,  // reads, writes or syncs that fail or come back short or spoilt
  kFullDisk,
  kDeadDisk,
  kSyncLies,
  kMisdirected,
  kRot,
  kDiskLoss,
  kOlderDisk,
};
inline constexpr int kFamilies = 25;
// Crashes, power losses, partitions and blackouts.
std::vector<Family> standard_families();

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
  uint32_t budget = 1;   // machines down at once outside blackouts, or damaged: W - 1
  // Which families the seed may choose from; each is taken with a chance of two in three.
  std::vector<Family> families = standard_families();
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
