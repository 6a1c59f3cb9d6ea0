// What a scenario's values must be beyond their types: units, ranges, places that exist, faults
// within the run, strategies that the cluster can carry. Every mistake is collected, each at its
// line and column.
#pragma once

#include "lab/cursor.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// How often the clients read every key after the healing.
uint32_t final_read_rounds(const scenario::Scenario& scenario);

// The client processes; each has a machine: "client-1", "client-2", …
uint32_t client_processes(const scenario::Scenario& scenario);

void check_scenario(const scenario::Scenario& scenario, const Locations& locations,
                    Mistakes& mistakes);

}  // namespace ringside::lab
