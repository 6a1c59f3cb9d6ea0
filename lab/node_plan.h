// Node plan: the part of a plan that is about nodes: who is a member, what every node is told, and
// which of its options a swarm draws to their extremes.
#pragma once

#include <cstdint>
#include <vector>

#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "sim/swarm.h"

namespace ringside::lab {

// Members, capacities, versions of the wire; the options of nodes and of clients. The plan's nodes
// have their machines.
void plan_nodes(const scenario::Scenario& scenario, Plan& plan);

// What one node is told: as all are, and what is its own. `wire_version` 0: the newest.
NodeOptions options_of(const Plan& plan, const NodePlan& node, uint32_t wire_version);

// What a swarm may draw. Of the options of a strategy only those that the scenario leaves open.
std::vector<sim::TunableRange> tunables_of(const scenario::Scenario& scenario);
// Whatever any scenario's swarm may draw.
std::vector<sim::TunableRange> every_tunable();
void apply_tunable(const sim::Tunable& tunable, NodeOptions& node);

}  // namespace ringside::lab
