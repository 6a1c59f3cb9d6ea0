#include "lab/plan.h"

#include <algorithm>

#include "lab/check_scenario.h"
#include "lab/node_plan.h"
#include "lab/storm.h"
#include "lab/text.h"
#include "lab/translate.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

constexpr Duration kBoot = 200 * kMillisecond;  // nodes open their engines before the clients start
constexpr Duration kLoadMargin = 30 * kSecond;  // for YCSB to load its records
constexpr Duration kFinalReadsGiveUp = 30 * kSecond;
constexpr uint32_t kGateKeysMax = 2'000;  // of pbs, which has no time to cut

Duration span_or(bool given, const std::string& text, Duration otherwise) {
  return given ? span_of(text) : otherwise;
}

// Regions, zones, racks, one machine a node and a client process.
Result<sim::Topology> build_topology(const scenario::Scenario& scenario, Plan& plan) {
  const Places& places = plan.places;
  sim::Topology topology;
  std::vector<sim::PlaceId> racks;
  std::vector<uint32_t> zone_racks;  // where each zone's begin
  std::vector<sim::PlaceId> regions;
  for (const scenario::Region& region : scenario.topology().region()) {
    Result<sim::PlaceId> added = topology.add_region(region.name());
    if (!added.ok()) return added.error();
    regions.push_back(*added);
  }
  for (const Places::Zone& zone : places.zones()) {
    Result<sim::PlaceId> added = topology.add_zone(regions[zone.region], zone.name);
    if (!added.ok()) return added.error();
    const scenario::Region& region = scenario.topology().region(static_cast<int>(zone.region));
    zone_racks.push_back(static_cast<uint32_t>(racks.size()));
    for (uint32_t i = 1; i <= region.racks_per_zone(); ++i) {
      Result<sim::PlaceId> rack = topology.add_rack(*added, concat(zone.name, "-r", i));
      if (!rack.ok()) return rack.error();
      racks.push_back(*rack);
    }
  }
  for (const Places::Machine& machine : places.machines()) {
    const Result<sim::PlaceId> rack = topology.find(machine.rack);
    CHECK(rack.ok());
    Result<sim::MachineId> added = topology.add_machine(*rack, machine.name);
    if (!added.ok()) return added.error();
    plan.nodes.push_back({.id = static_cast<NodeId>(*added + 1), .machine = *added});
  }
  for (std::size_t i = 0; i < plan.clients.size(); ++i) {
    ClientPlan& client = plan.clients[i];
    client.zone = static_cast<uint32_t>(i % places.zones().size());
    client.id = kFirstClient + static_cast<NodeId>(i);
    Result<sim::MachineId> added =
        topology.add_machine(racks[zone_racks[client.zone]], concat("client-", i + 1));
    if (!added.ok()) return added.error();
    client.machine = *added;
  }
  if (scenario.admin_size() > 0) {
    Result<sim::MachineId> added = topology.add_machine(racks[0], "administrator");
    if (!added.ok()) return added.error();
    plan.administrator = kFirstClient + static_cast<NodeId>(plan.clients.size());
  }

  struct Default {
    sim::LinkClass link_class;
    Duration from, to;
    const scenario::Distribution* given;
  };
  const scenario::Topology& asked = scenario.topology();
  const auto given = [](bool has, const scenario::Distribution& distribution) {
    return has ? &distribution : nullptr;
  };
  const scenario::Distribution* within = given(asked.has_within_zone(), asked.within_zone());
  for (const Default& link : {
           Default{sim::LinkClass::kSameRack, 50 * kMicrosecond, 150 * kMicrosecond, within},
           Default{sim::LinkClass::kSameZone, 50 * kMicrosecond, 150 * kMicrosecond, within},
           Default{sim::LinkClass::kSameRegion, 250 * kMicrosecond, 750 * kMicrosecond,
                   given(asked.has_between_zones(), asked.between_zones())},
           Default{sim::LinkClass::kCrossRegion, 20 * kMillisecond, 40 * kMillisecond,
                   given(asked.has_between_regions(), asked.between_regions())},
       }) {
    Result<sim::Distribution> latency =
        link.given != nullptr ? to_distribution(*link.given)
                              : sim::Distribution::uniform(static_cast<double>(link.from),
                                                           static_cast<double>(link.to));
    if (!latency.ok()) return latency.error();
    topology.set_class(link.link_class, sim::LinkModel{*latency});
  }
  return topology;
}

void build_machines(const scenario::Scenario& scenario, Plan& plan) {
  for (const Places::Machine& machine : plan.places.machines()) {
    sim::MachineModel model;
    model.cpu = to_cpu(scenario.cpu());
    const scenario::Region& region = scenario.topology().region(static_cast<int>(machine.region));
    model.disk = to_disk(region.disk());
    if (region.has_disk_bytes()) model.disk.capacity_bytes = region.disk_bytes();
    if (region.disk_stalls()) {
      model.disk.stalls =
          region.disk() == scenario::SSD ? sim::DiskStalls::ssd() : sim::DiskStalls::nvme();
    }
    plan.world.machines.push_back(std::move(model));
  }
  plan.world.machines.resize(plan.world.topology.machines());
}

void set_what(const scenario::Workload& workload, bool gate, WorkloadSpec& spec) {
  if (workload.has_registers()) {
    const scenario::Registers& registers = workload.registers();
    spec.what = RegistersSpec{
        .keys = registers.keys(),
        .writes = registers.writes(),
        .blind_writes = registers.blind_writes(),
        .value_bytes = registers.value_bytes(),
        .deletes = registers.deletes(),
        .expires = registers.expires(),
        .expire_after = span_or(registers.has_expire_after(), registers.expire_after(), kSecond)};
  } else if (workload.has_shopping_cart()) {
    const scenario::ShoppingCart& cart = workload.shopping_cart();
    spec.what = CartSpec{cart.carts(), cart.adds(), cart.removes()};
  } else if (workload.has_ycsb()) {
    YcsbSpec ycsb;
    ycsb.workload = workload.ycsb().workload()[0];
    ycsb.records = workload.ycsb().records();
    ycsb.value_bytes = workload.ycsb().value_bytes();
    spec.what = ycsb;
  } else if (workload.has_script()) {
    spec.what = to_script(workload.script());
  } else {
    PbsSpec pbs;
    pbs.writes_per_key = workload.pbs().writes_per_key();
    pbs.unread_writes = workload.pbs().unread_writes();
    const uint32_t gate_keys = std::max(1u, kGateKeysMax / pbs.writes_per_key);
    pbs.keys = gate ? std::min(workload.pbs().keys(), gate_keys) : workload.pbs().keys();
    pbs.ladder.clear();
    for (const std::string& t : workload.pbs().t()) pbs.ladder.push_back(span_of(t));
    pbs.rungs_per_key = workload.pbs().reads_per_key();
    spec.what = std::move(pbs);
  }
}

void build_timeline(const scenario::Scenario& scenario, bool gate, Plan& plan) {
  const scenario::Workload& workload = scenario.workload();
  const Duration timeout = span_or(workload.has_timeout(), workload.timeout(), 2 * kSecond);
  Timeline& timeline = plan.timeline;
  timeline.start = workload.has_ycsb() ? kLoadMargin : kBoot;
  if (workload.has_for_()) {
    Duration length = span_of(workload.for_());
    if (gate)
      length = std::min(length, span_or(scenario.has_gate_for(), scenario.gate_for(), kSecond));
    timeline.end = timeline.start + length;
    const Duration settle =
        span_or(scenario.phases().has_settle(), scenario.phases().settle(), kSecond);
    // No operation of the workload is open any more when the final reads begin.
    timeline.final_start = timeline.end + std::max(settle, timeout + 100 * kMillisecond);
    timeline.final_end = timeline.final_start + kFinalReadsGiveUp;
  }
  timeline.quiesce = span_or(scenario.phases().has_quiesce(), scenario.phases().quiesce(), kSecond);
  plan.final_reads.rounds = final_read_rounds(scenario);
  plan.final_reads.start = timeline.final_start;
  plan.final_reads.end = timeline.final_end;
}

void build_clients(const scenario::Scenario& scenario, bool gate, Plan& plan) {
  const scenario::Workload& workload = scenario.workload();
  const uint32_t processes = client_processes(scenario);
  const double rate = workload.has_rate() ? rate_of(workload.rate()) : 0;
  for (uint32_t i = 0; i < processes; ++i) {
    WorkloadSpec spec;
    set_what(workload, gate, spec);
    spec.process = i;
    spec.processes = processes;
    spec.clients = workload.clients() / processes + (i < workload.clients() % processes ? 1 : 0);
    spec.rate = rate * spec.clients / workload.clients();
    spec.think = span_or(workload.has_think(), workload.think(), 0);
    spec.start = plan.timeline.start;
    spec.end = plan.timeline.end;
    ClientPlan client;
    client.workload = std::move(spec);
    plan.clients.push_back(std::move(client));
  }
}

Result<void> draw_weather(const scenario::Scenario& scenario, uint64_t seed, Plan& plan) {
  if (!scenario.has_swarm()) return {};
  sim::SwarmOptions options;
  options.families = families_of(scenario.swarm().profile());
  for (const NodePlan& node : plan.nodes) options.nodes.push_back(node.machine);
  for (const ClientPlan& client : plan.clients) options.clients.push_back(client.machine);
  options.start_after = plan.timeline.start;
  options.quiet_after = plan.timeline.end;
  const scenario::Swarm& swarm = scenario.swarm();
  options.budget = swarm.has_budget() ? swarm.budget() : plan.node.dynamo.w - 1;
  options.interval_min =
      span_or(swarm.has_interval_min(), swarm.interval_min(), options.interval_min);
  options.interval_max =
      span_or(swarm.has_interval_max(), swarm.interval_max(), options.interval_max);
  options.down_min = span_or(swarm.has_down_min(), swarm.down_min(), options.down_min);
  options.down_max = span_or(swarm.has_down_max(), swarm.down_max(), options.down_max);
  options.tunables = tunables_of(scenario);
  Result<sim::SwarmPlan> drawn = sim::draw_swarm(seed, plan.world.topology, options);
  if (!drawn.ok()) return drawn.error();
  plan.faults.insert(plan.faults.end(), drawn->faults.begin(), drawn->faults.end());
  sort_by_time(plan.faults);
  plan.tunables = std::move(drawn->tunables);
  for (const sim::Tunable& tunable : plan.tunables) apply_tunable(tunable, plan.node);
  return {};
}

}  // namespace

std::vector<sim::MachineId> Plan::machines_in(const std::string& place) const {
  std::vector<sim::MachineId> found = places.machines_in(place);
  const std::vector<uint32_t> zones = places.zones_in(place);
  for (const ClientPlan& client : clients) {
    if (std::find(zones.begin(), zones.end(), client.zone) != zones.end())
      found.push_back(client.machine);
  }
  if (const std::optional<uint32_t> client = client_number(place))
    found.push_back(clients[*client - 1].machine);
  return found;
}

Result<Plan> make_plan(const scenario::Scenario& scenario, uint64_t seed, bool gate) {
  Plan plan(scenario.topology());
  plan.world.seed = seed;
  build_timeline(scenario, gate, plan);
  build_clients(scenario, gate, plan);
  Result<sim::Topology> topology = build_topology(scenario, plan);
  if (!topology.ok()) return topology.error();
  plan.world.topology = *topology;
  build_machines(scenario, plan);
  Result<sim::NetworkModel> network = to_network(scenario.network());
  if (!network.ok()) return network.error();
  plan.world.network = *network;
  plan_nodes(scenario, plan);
  plan.faults = resolve_faults(scenario, plan);
  if (Result<void> drawn = draw_weather(scenario, seed, plan); !drawn.ok()) return drawn.error();
  for (const scenario::Tunable& written : scenario.tunable()) {
    plan.tunables.push_back({written.name(), written.value()});
    apply_tunable(plan.tunables.back(), plan.node);
  }
  for (const ClientPlan& client : plan.clients) {
    if (Result<void> fine = check_workload(client.workload); !fine.ok()) return fine.error();
  }
  return plan;
}

}  // namespace ringside::lab
