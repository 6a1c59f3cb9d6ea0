#include "lab/node_plan.h"

#include <algorithm>

#include "lab/translate.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

constexpr Duration kPollEvery = 10 * kSecond;  // the paper's
constexpr std::size_t kSeeds = 3;

Partitioning to_partitioning(scenario::Cluster::Partitioning partitioning) {
  switch (partitioning) {
    case scenario::Cluster::TOKENS: return Partitioning::kTokens;
    case scenario::Cluster::PLACED: return Partitioning::kPlaced;
    case scenario::Cluster::SHARES: return Partitioning::kShares;
  }
  return Partitioning::kShares;
}

void plan_seats(const scenario::Cluster& cluster, Plan& plan) {
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    NodePlan& node = plan.nodes[i];
    const Places::Machine& machine = plan.places.machines()[i];
    node.member = {.id = node.id,
                   .machine = machine.name,
                   .zone = plan.places.zones()[machine.zone].name,
                   .rack = machine.rack};
    node.spare = plan.places.is_spare(i);
  }
  for (const scenario::Cluster::Capacity& capacity : cluster.capacity()) {
    for (const uint32_t machine : plan.places.machines_in(capacity.place()))
      plan.nodes[machine].member.capacity = capacity.percent();
  }
  for (const scenario::Cluster::WireVersion& wire : cluster.wire()) {
    for (const uint32_t machine : plan.places.machines_in(wire.place()))
      plan.nodes[machine].wire_version = wire.version();
  }
  for (const NodePlan& node : plan.nodes)
    if (!node.spare) plan.node.members.push_back(node.member);
}

Routing routing_of(const scenario::Workload& workload, const DynamoOptions& dynamo) {
  if (dynamo.coordinate == Coordinate::kNonReplica) return Routing::kNonReplica;
  return workload.routing() == scenario::Workload::RANDOM ? Routing::kRandomNode
                                                          : Routing::kCoordinator;
}

// What only our engine has.
void apply_to_lsm(const std::string& name, int64_t value, EngineOptions& engine) {
  const auto size = static_cast<uint64_t>(value);
  if (name == "log_segment_bytes") engine.log_segment_bytes = size;
  if (name == "tables_max") engine.tables_max = size;
  if (name == "level_fanout") engine.level_fanout = size;
  if (name == "block_cache_bytes") engine.block_cache_bytes = size;
  if (name == "archive_bytes") engine.archive_bytes_max = size;
  if (name == "merkle_depth") engine.merkle_depth = static_cast<uint32_t>(value);
  if (name == "scrub_every") engine.scrub_every = value;
  if (name == "compaction") engine.compaction = static_cast<Compaction>(value);
  if (name == "compression") engine.compression = static_cast<Compression>(value);
  if (name == "encrypted" && value != 0) engine.key = engine_key();
}

void apply_to_dynamo(const std::string& name, int64_t value, DynamoOptions& dynamo) {
  if (name == "read_repair_wait") dynamo.read_repair_wait = value;
  if (name == "request_timeout") dynamo.request_timeout = value;
  if (name == "hint_bytes") dynamo.hint_bytes_max = static_cast<uint64_t>(value);
  if (name == "hints_in_flight") dynamo.hints_in_flight_max = static_cast<uint32_t>(value);
  if (name == "hedge_after") dynamo.hedge_after = value;
  if (name == "clock_entries_max") dynamo.clock_entries_max = static_cast<uint32_t>(value);
}

}  // namespace

void plan_nodes(const scenario::Scenario& scenario, Plan& plan) {
  const scenario::Cluster& cluster = scenario.cluster();
  NodeOptions& node = plan.node;
  plan_seats(cluster, plan);
  node.ring.strategy = to_partitioning(cluster.partitioning());
  node.ring.q = cluster.partitions();
  node.ring.tokens = cluster.virtual_nodes();
  node.rings = std::make_shared<Rings>();
  node.dynamo = to_dynamo(cluster.strategy().dynamo());
  node.engine = to_engine(cluster.engine());
  const scenario::Dynamo& dynamo = cluster.strategy().dynamo();
  node.upkeep = to_upkeep(dynamo.upkeep());
  node.background = to_background(dynamo.background());
  if (dynamo.transfer().has_bytes_per_second())
    node.transfer.bytes_per_second = dynamo.transfer().bytes_per_second();
  node.gossip = to_gossip(dynamo.gossip());
  node.ping.on = dynamo.gossip().on();
  node.detector.kind =
      dynamo.detector() == scenario::Dynamo::PHI ? Detector::kPhi : Detector::kLocal;
  for (std::size_t i = 0; i < std::min(kSeeds, node.members.size()); ++i)
    node.seeds.push_back(node.members[i].id);

  ClientOptions& client = plan.client;
  client.members = node.members;
  client.ring = node.ring;
  client.rings = node.rings;
  client.n = node.dynamo.n;
  client.poll_every =
      scenario.workload().has_poll_every() ? span_of(scenario.workload().poll_every()) : kPollEvery;
  client.routing = routing_of(scenario.workload(), node.dynamo);
  client.timeout =
      scenario.workload().has_timeout() ? span_of(scenario.workload().timeout()) : 2 * kSecond;
  if (scenario.workload().has_attempt_timeout())
    client.attempt_timeout = span_of(scenario.workload().attempt_timeout());
}

NodeOptions options_of(const Plan& plan, const NodePlan& node, uint32_t wire_version) {
  NodeOptions options = plan.node;
  if (wire_version != 0) options.speak_wire = static_cast<uint16_t>(wire_version);
  return options;
}

std::vector<sim::TunableRange> tunables_of(const scenario::Scenario& scenario) {
  std::vector<sim::TunableRange> ranges = {
      {"memtable_bytes", 4 << 10, 256 << 10, 8 << 20},
      {"log_segment_bytes", 32 << 10, 256 << 10, 4 << 20},
      {"tables_max", 2, 8, 16},
      {"level_fanout", 2, 10, 16},
      {"block_cache_bytes", 16 << 10, 4 << 20, 64 << 20},
      {"archive_bytes", 0, 0, 512 << 10},
      {"merkle_depth", 0, 0, 12},
      {"scrub_every", 0, 0, 500 * kMillisecond},
      {"compaction", 0, 0, static_cast<int64_t>(Compaction::kSizeTiered)},
      {"compression", 0, 0, static_cast<int64_t>(Compression::kZstd)},
      {"encrypted", 0, 0, 1},
      {"read_repair_wait", kMillisecond, 20 * kMillisecond, 200 * kMillisecond},
      {"request_timeout", 50 * kMillisecond, kSecond, 2 * kSecond},
  };
  if (scenario.admin_size() > 0) {
    ranges.push_back({"page_bytes", 256, 64 << 10, 256 << 10});
    ranges.push_back({"ranges_at_once", 1, 4, 32});
  }
  const scenario::Dynamo& dynamo = scenario.cluster().strategy().dynamo();
  if (dynamo.sloppy()) {
    if (!dynamo.has_hint_bytes()) ranges.push_back({"hint_bytes", 2 << 10, 64 << 20, 64 << 20});
    if (!dynamo.has_hints_in_flight()) ranges.push_back({"hints_in_flight", 1, 16, 256});
  }
  if (!dynamo.has_hedge_after()) ranges.push_back({"hedge_after", 0, 0, 30 * kMillisecond});
  if (dynamo.versions() == scenario::Dynamo::VECTOR_CLOCK && !dynamo.has_clock_entries_max())
    ranges.push_back({"clock_entries_max", 3, 10, 20});
  return ranges;
}

std::vector<sim::TunableRange> every_tunable() {
  scenario::Scenario open;
  open.add_admin();
  open.mutable_cluster()->mutable_strategy()->mutable_dynamo()->set_versions(
      scenario::Dynamo::VECTOR_CLOCK);
  return tunables_of(open);
}

void apply_tunable(const sim::Tunable& tunable, NodeOptions& node) {
  if (tunable.name == "memtable_bytes")
    node.engine.memtable_bytes_max = static_cast<uint64_t>(tunable.value);
  if (tunable.name == "page_bytes") node.transfer.page_bytes = static_cast<uint64_t>(tunable.value);
  if (tunable.name == "ranges_at_once")
    node.transfer.ranges_at_once = static_cast<uint32_t>(tunable.value);
  apply_to_dynamo(tunable.name, tunable.value, node.dynamo);
  if (node.engine.kind == EngineKind::kLsm) apply_to_lsm(tunable.name, tunable.value, node.engine);
}

}  // namespace ringside::lab
