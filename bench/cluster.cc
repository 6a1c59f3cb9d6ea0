#include "bench/cluster.h"

#include <string>
#include <utility>
#include <vector>

#include "protocols/client.h"
#include "runtime/check.h"
#include "workloads/store.h"
#include "workloads/workload.h"

namespace ringside::bench {
namespace {

using sim::Distribution;

constexpr uint32_t kZones = 3;

// `count` machines over three zones by turns, a rack a zone; latencies as a scenario has them when
// it names none.
void add_machines(sim::WorldSpec& spec, uint32_t count) {
  std::vector<sim::PlaceId> racks;
  const sim::PlaceId region = *spec.topology.add_region("east");
  for (uint32_t zone = 0; zone < kZones; ++zone) {
    const std::string name = std::string("east-") + static_cast<char>('a' + zone);
    racks.push_back(*spec.topology.add_rack(*spec.topology.add_zone(region, name), name + "-rack"));
  }
  for (uint32_t machine = 0; machine < count; ++machine) {
    CHECK(
        spec.topology.add_machine(racks[machine % kZones], "m" + std::to_string(machine + 1)).ok());
    sim::MachineModel model;
    model.disk = sim::DiskModel::nvme();
    spec.machines.push_back(std::move(model));
  }
  sim::LinkModel near;
  near.latency = *Distribution::uniform(50 * kMicrosecond, 150 * kMicrosecond);
  sim::LinkModel far;
  far.latency = *Distribution::uniform(250 * kMicrosecond, 750 * kMicrosecond);
  for (sim::LinkClass same : {sim::LinkClass::kSameRack, sim::LinkClass::kSameZone})
    spec.topology.set_class(same, near);
  spec.topology.set_class(sim::LinkClass::kSameRegion, far);
}

std::vector<Member> members(const sim::Topology& topology, uint32_t nodes) {
  std::vector<Member> all;
  for (uint32_t i = 0; i < nodes; ++i) {
    Member member;
    member.id = i + 1;
    member.machine = topology.machine_name(i);
    member.zone = topology.name(topology.around(i, sim::PlaceKind::kZone));
    member.rack = topology.name(topology.around(i, sim::PlaceKind::kRack));
    all.push_back(std::move(member));
  }
  return all;
}

sim::WorldSpec cluster_spec(uint64_t seed) {
  sim::WorldSpec spec;
  spec.seed = seed;
  add_machines(spec, kNodes + kClientProcesses);
  return spec;
}

Task<void> run_client(Host& host, ClientOptions options, WorkloadSpec spec, HistorySink* sink) {
  Client client(host, std::move(options));
  ClientStore store(host, client);
  co_await run_workload(host, store, std::move(spec), *sink);
}

Task<void> tick(Host& host) {
  while (true) co_await host.clock().sleep(kSecond);
}

Task<void> run_idle_node(Host& host, NodeOptions options) {
  Scope scope(host.ready());
  scope.spawn(tick(host));
  co_await run_node(host, std::move(options));
}

}  // namespace

Cluster::Cluster(uint64_t seed, const Options& options)
    : world_(cluster_spec(seed)),
      recorder_([this] { return world_.now(); }),
      record_(options.record),
      observer_(recorder_, options_, options.listen) {
  world_.set_observer(&observer_);
  NodeOptions node;
  node.members = members(world_.topology(), kNodes);
  for (NodeId id = 1; id <= kNodes; ++id) {
    world_.place(id, id - 1, [node](Host& host) { return run_node(host, node); });
    world_.start(id);
  }
  ClientOptions client;
  client.members = node.members;
  for (uint32_t process = 0; process < kClientProcesses; ++process) {
    WorkloadSpec workload;
    RegistersSpec registers;
    registers.keys = kKeys;
    registers.writes = 1;  // each after a read of the key: half gets, half puts
    registers.value_bytes = 100;
    workload.what = registers;
    workload.process = process;
    workload.processes = kClientProcesses;
    workload.clients = kClients / kClientProcesses;
    workload.start = 100 * kMillisecond;  // when the nodes have opened their engines
    workload.end = 1'000'000 * kSecond;   // never, for us
    const NodeId id = kFirstClient + process;
    world_.place(id, kNodes + process, [this, client, workload](Host& host) {
      HistorySink* const sink = record_ ? static_cast<HistorySink*>(&recorder_) : &counter_;
      return run_client(host, client, workload, sink);
    });
    world_.start(id);
  }
  if (options.weather) begin_weather();
}

// Every link has weather of each kind that lasts and every disk has trouble, so that all of their
// code runs; the world is the same but for what one frame or call in a million meets.
void Cluster::begin_weather() {
  using Kind = sim::LinkWeather::Kind;
  sim::LinkWeather weather;
  for (sim::MachineId machine = 0; machine < world_.topology().machines(); ++machine)
    weather.from.push_back(machine);
  weather.to = weather.from;
  weather.slower = 1.0001;
  weather.loss = weather.duplication = weather.corruption = 1e-7;
  weather.bandwidth_bytes_per_second = 100'000'000'000;
  weather.up_mean = 1'000'000 * kSecond;
  weather.down_mean = kSecond;
  weather.reset_mean = 1'000'000 * kSecond;
  for (const Kind kind :
       {Kind::kSlow, Kind::kLossy, Kind::kNarrow, Kind::kFlap, Kind::kResetStorm}) {
    weather.kind = kind;
    world_.begin_weather(weather);
  }
  sim::DiskTrouble trouble{.read_error = 1e-9,
                           .short_read = 1e-9,
                           .misdirected_read = 1e-9,
                           .rot_on_read = 1e-9,
                           .slower = 1.0001,
                           .good_mean = 1'000 * kSecond,
                           .bad_mean = kMillisecond,
                           .bad_slower = 1.001};
  for (NodeId node = 1; node <= kNodes; ++node) world_.begin_trouble(node - 1, trouble);
}

uint64_t Cluster::operations() const {
  return record_ ? recorder_.history().operations.size() : counter_.operations;
}

void Cluster::run(uint64_t more) {
  const uint64_t until = operations() + more;
  while (operations() < until) {
    for (int i = 0; i < 256; ++i) CHECK(world_.step());
  }
}

std::unique_ptr<sim::World> idle_cluster(uint32_t machines, bool watching) {
  sim::WorldSpec spec;
  add_machines(spec, machines);
  auto world = std::make_unique<sim::World>(std::move(spec));
  NodeOptions node;
  node.members = members(world->topology(), machines);
  node.gossip.on = node.ping.on = watching;
  node.upkeep.anti_entropy = node.upkeep.reap = watching;
  for (NodeId id = 1; id <= machines; ++id) {
    world->place(id, id - 1, [node](Host& host) { return run_idle_node(host, node); });
    world->start(id);
  }
  return world;
}

}  // namespace ringside::bench
