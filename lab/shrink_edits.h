// What a shrinker may do to a resolved scenario (lab/overrides.h): lists from which entries can be
// taken, and single simplifications. An edit may leave a scenario that no parser accepts; the
// shrinker plays nothing that is not well-formed.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// Something of which a scenario has several.
enum class Part : uint8_t { kFaults, kOrders, kClients, kKeys, kSteps, kMachines, kTunables };
const char* part_name(Part part);

// What a scenario is made of.
struct ScenarioSize {
  uint32_t faults = 0;
  uint32_t orders = 0;
  uint32_t clients = 0;     // that do anything
  uint32_t operations = 0;  // of the clients, a WRITE's read included; 0: not written out
  uint32_t keys = 0;
  uint32_t machines = 0;  // that are members at the beginning
  uint32_t tunables = 0;
  double seconds = 0;  // of the workload
};
ScenarioSize size_of(const scenario::Scenario& scenario);

uint32_t count(const scenario::Scenario& scenario, Part part);
// Without the entries [begin, end).
scenario::Scenario without(const scenario::Scenario& scenario, Part part, uint32_t begin,
                           uint32_t end);

// The lists of places, machines and clients that a fault names.
std::vector<google::protobuf::RepeatedPtrField<std::string>*> name_lists_of(scenario::Fault& fault);
// Takes them out of every fault that names them; out goes a fault that names nobody else.
void strike_out(scenario::Scenario& scenario, const std::set<std::string>& names);

// The workload ends there; what would begin later is left out.
scenario::Scenario cut_after(const scenario::Scenario& scenario, int64_t length);

// Each a group of alternatives, the simplest first, of which one may be taken; the groups are made
// from the scenario as it is then.
using Alternatives = std::vector<scenario::Scenario>;
Alternatives shorter_runs(const scenario::Scenario& scenario);
Alternatives shorter_fault(const scenario::Scenario& scenario, int fault);
Alternatives fewer_victims(const scenario::Scenario& scenario, int fault);
Alternatives simpler_step(const scenario::Scenario& scenario, int step);
Alternatives rounder_times(const scenario::Scenario& scenario);
Alternatives rounder_fault(const scenario::Scenario& scenario, int fault);
Alternatives rounder_step(const scenario::Scenario& scenario, int step);
Alternatives plainer_choices(const scenario::Scenario& scenario);
// Without the machines that stand by, the others renamed.
Alternatives smaller_topologies(const scenario::Scenario& scenario);
Alternatives fewer_processes(const scenario::Scenario& scenario);
// For workloads that are not written out: half as many of this and that.
Alternatives smaller_workloads(const scenario::Scenario& scenario);

}  // namespace ringside::lab
