// Storm: the faults of a run as they will be played. What a scenario says becomes plain structs:
// places become machines, the seed draws the victims, loops are spelled out. The same structs,
// whoever made them, become a scenario's faults again, so that what one run met can be recorded,
// read, edited and given to another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "sim/fault.h"

namespace ringside::lab {

// The faults that the scenario writes for a time, by time. Those that would begin after the end of
// the workload (which the gate cuts short) are left out. The plan's topology and timeline are
// there.
std::vector<sim::Fault> resolve_faults(const scenario::Scenario& scenario, const Plan& plan);

// Those of one moment stay in their order.
void sort_by_time(std::vector<sim::Fault>& faults);

// A resolved fault as a scenario writes it, with every machine by its name.
scenario::Fault to_scenario(const sim::Fault& fault, const Plan& plan);

// All of a plan's faults and the scenario's faults on probes: the text of a scenario's `fault`s.
std::string storm_text(const scenario::Scenario& scenario, const Plan& plan);

// The text of a scenario that meets another's storm in place of its own faults and swarm. Clients
// that it lacks are left out, and so is what begins after its workload's end; `left_out` says how
// many faults that leaves out. Whether the machines that the storm strikes are there is for the
// parser to say.
Result<std::string> with_storm(const scenario::Scenario& scenario, std::string_view storm,
                               uint32_t* left_out);

}  // namespace ringside::lab
