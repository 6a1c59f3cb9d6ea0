// Scenario messages into the simulator's plain structs.
#pragma once

#include <vector>

#include "runtime/result.h"
#include "scenarios/scenario.pb.h"
#include "sim/disk_model.h"
#include "sim/distribution.h"
#include "sim/swarm.h"
#include "sim/world.h"
#include "storage/engine_options.h"

namespace ringside::lab {

Result<sim::Distribution> to_distribution(const scenario::Distribution& distribution);
sim::DiskModel to_disk(scenario::DiskKind kind);
Result<sim::NetworkModel> to_network(const scenario::Network& network);
EngineKind to_engine_kind(scenario::Engine::Kind kind);
sim::CpuModel to_cpu(const scenario::Cpu& cpu);
std::vector<sim::Family> families_of(scenario::Swarm::Profile profile);

}  // namespace ringside::lab
