// Scenario messages into the simulator's plain structs.
#pragma once

#include <vector>

#include "protocols/background.h"
#include "protocols/membership/gossip.h"
#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/upkeep_options.h"
#include "runtime/result.h"
#include "scenarios/scenario.pb.h"
#include "sim/disk_model.h"
#include "sim/distribution.h"
#include "sim/swarm.h"
#include "sim/world.h"
#include "storage/engine_options.h"
#include "workloads/workload.h"

namespace ringside::lab {

Result<sim::Distribution> to_distribution(const scenario::Distribution& distribution);
sim::DiskModel to_disk(scenario::DiskKind kind);
Result<sim::NetworkModel> to_network(const scenario::Network& network);
// What the scenario says of it; the rest by its own defaults.
EngineOptions to_engine(const scenario::Engine& engine);
DynamoOptions to_dynamo(const scenario::Dynamo& dynamo);
UpkeepOptions to_upkeep(const scenario::Dynamo::Upkeep& upkeep);
BackgroundOptions to_background(const scenario::Dynamo::Background& background);
GossipOptions to_gossip(const scenario::Dynamo::Gossip& gossip);
// The key of every engine that is encrypted.
std::string engine_key();
sim::CpuModel to_cpu(const scenario::Cpu& cpu);
ScriptSpec to_script(const scenario::Script& script);
std::vector<sim::Family> families_of(scenario::Swarm::Profile profile);

}  // namespace ringside::lab
