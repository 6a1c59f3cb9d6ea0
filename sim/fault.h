// Fault: one thing that goes wrong, fully resolved: when, for how long, where, and what. Whatever a
// fault came from (written by hand, drawn by a swarm, given back from a recording), this is what is
// played, so that a list of them is a whole storm which a person can read and a shrinker can edit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/time.h"
#include "sim/disk_trouble.h"
#include "sim/topology.h"
#include "sim/weather.h"

namespace ringside::sim {

struct Fault {
  // The order is part of how a storm is sorted: append only.
  enum class Kind : uint8_t {
    kCrash,        // `machines`' processes die at `at` and restart at `at + duration`
    kPowerLoss,    // the same with the loss of unsynced pages
    kBlackout,     // power loss of all machines at once
    kLinks,        // `links`, until `at + duration`
    kOutOfMemory,  // as kCrash: killed by the kernel
    kPause,        // the machines stand still
    kThrottle,     // their work costs `slower` times as much
    kClock,      // their wall clocks step by `step` and drift by `drift_ppm`; set right at the end
    kDiskLoss,   // as kPowerLoss, and they come back with an empty disk
    kOlderDisk,  // as kPowerLoss, and they come back with the disk as it was `age` before
    kDisk,       // `disk`
    kRot,        // `flips` bits of what is durable in files whose path contains `files` turn over
  };
  Kind kind = Kind::kCrash;
  Time at = 0;
  Duration duration = 0;
  std::vector<MachineId> machines;  // struck, ascending; none for kLinks
  LinkWeather links;                // its sides ascending
  DiskTrouble disk;
  double slower = 1;
  Duration step = 0;
  double drift_ppm = 0;
  Duration age = 0;
  std::string files;
  uint32_t flips = 0;

  Time end() const { return at + duration; }
  // Whether its machines are down until the end.
  bool takes_down() const;
  // Whether what its machines hold durably may be lost or spoilt, so that only peers can repair it.
  bool damages() const;
  // Whether it strikes one moment and has no end of its own.
  bool momentary() const { return kind == Kind::kRot; }
};

const char* fault_kind_name(Fault::Kind kind);
// "12.5s power loss of n2, restart after 3s"
std::string describe(const Fault& fault, const Topology& topology);
// "east-b, east-a-1": a place instead of all its machines; "every machine" for all there are.
std::string describe_machines(const std::vector<MachineId>& machines, const Topology& topology);

}  // namespace ringside::sim
