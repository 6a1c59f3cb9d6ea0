// Plan: a scenario under a seed, translated into what the lower rooms take: plain structs for the
// simulator, options for nodes and clients, and the times of the phases. Nothing has happened yet.
//
// Machines of the world: one a node first, in the order of lab/places.h (node i on machine i - 1),
// then one a client process, in the zones by turns, then the administrator's, if there are orders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/places.h"
#include "node/node.h"
#include "protocols/client.h"
#include "runtime/result.h"
#include "scenarios/scenario.pb.h"
#include "sim/swarm.h"
#include "sim/world.h"
#include "workloads/workload.h"

namespace ringside::lab {

struct Timeline {
  Time start = 0;        // the workload begins
  Time end = kNever;     // … and ends: all faults are over. kNever: when its clients are done (pbs)
  Time final_start = 0;  // the final reads begin
  Time final_end = 0;    // … and give up
  Duration quiesce = 0;  // from the last final read to the look at the disks
};

struct NodePlan {
  NodeId id = kNoNode;
  sim::MachineId machine = 0;
  Member member;              // as the ring knows it
  bool spare = false;         // no member, and switched off, until it joins
  uint32_t wire_version = 0;  // the newest that it speaks; 0: what there is
};

struct ClientPlan {
  NodeId id = kNoNode;
  sim::MachineId machine = 0;
  uint32_t zone = 0;  // index into Places::zones()
  WorkloadSpec workload;
};

struct Plan {
  explicit Plan(const scenario::Topology& topology) : places(topology) {}

  Places places;
  sim::WorldSpec world;
  std::vector<NodePlan> nodes;
  std::vector<ClientPlan> clients;
  NodeId administrator = kNoNode;  // kNoNode: there are no orders
  NodeOptions node;  // what all nodes are told; its members are those of the beginning
  ClientOptions client;
  FinalReadsSpec final_reads;  // rounds 0: none
  Timeline timeline;
  std::vector<sim::Fault> faults;      // written for a time, and drawn by the swarm, by time
  std::vector<sim::Tunable> tunables;  // likewise; already in `node`

  // Machines of nodes and clients in a place; and the others.
  std::vector<sim::MachineId> machines_in(const std::string& place) const;
};

// The scenario must have passed check_scenario. kInvalid: a lower room refuses what it asks for.
Result<Plan> make_plan(const scenario::Scenario& scenario, uint64_t seed, bool gate);

}  // namespace ringside::lab
