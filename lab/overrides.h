// Overrides: what a seed drew, written out, so that it can be edited. A resolved scenario names
// every fault, every setting of the nodes and its seed, and has no swarm any more; it plays the
// very run that it came from. A script in place of a workload on registers plays the same
// operations by the same clients at the same times, under the same numbers, so that to take one out
// changes the fate of no other's frames.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "workloads/history.h"

namespace ringside::lab {

// `plan` is that of the scenario under its seed.
scenario::Scenario resolved(const scenario::Scenario& scenario, const Plan& plan);

// What a recorder kept, with clients numbered as scripts do and times from the start of the
// workload.
std::vector<ScriptStep> as_script(std::vector<ScriptStep> steps, const History& history,
                                  uint32_t processes, Time start);
// The steps in place of the workload's registers. Those that would begin after the end are left
// out.
void give_script(const std::vector<ScriptStep>& steps, scenario::Scenario& scenario);

// For people: a list's entries stand on one line each where they fit.
std::string readable_text(const scenario::Scenario& scenario);

}  // namespace ringside::lab
