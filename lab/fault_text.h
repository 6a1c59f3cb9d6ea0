// What a scenario's written fault says, for people: its kind, when it strikes, and where. Read off
// the schema by its own marks (a kind is a message, a place is a field marked PLACE), so that a new
// kind of fault is told without a line of code here.
#pragma once

#include <string>
#include <vector>

#include "runtime/time.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

struct FaultText {
  std::string kind;   // "power loss"
  std::string what;   // "power loss of east-a-1"
  std::string when;   // "at 35s, restart after 5s"
  std::string probe;  // on_probe; empty: it strikes at a time
  Time at = 0;        // from the start of the workload
  // `for`, else restart_after, else what a restart waits when nothing is said.
  Duration length = 0;
  // Regions, zones and machines as written.
  std::vector<std::string> places;
  // Names no place because its kind has none: it strikes everywhere. With neither places nor this
  // the seed (or the probe) chooses.
  bool everywhere = false;
};

// The fault must have passed check_scenario.
FaultText describe_fault(const scenario::Fault& fault);

// "power_loss" → "power loss"
std::string as_words(std::string_view identifier);

}  // namespace ringside::lab
