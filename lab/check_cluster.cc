#include "lab/check_cluster.h"

#include <google/protobuf/descriptor.h>

#include "lab/text.h"
#include "lab/units.h"
#include "protocols/wire.h"
#include "storage/merkle.h"

namespace ringside::lab {
namespace {

constexpr uint64_t kLevelDbMemtableMin = 64u << 10;  // LevelDB itself would take this instead

Duration span_or_one(const std::string& text) {
  const Result<Duration> span = parse_span(text);
  return span.ok() ? *span : 1;  // what is no span was said already
}

void check_quorums(const Cursor& at, std::size_t nodes) {
  const auto& dynamo = static_cast<const scenario::Dynamo&>(at.message());
  if (dynamo.n() > nodes) {
    at.mistake("n", concat("is ", dynamo.n(), ", but the topology has only ", nodes,
                           nodes == 1 ? " machine" : " machines", " that begin as members"));
  }
  if (dynamo.r() > dynamo.n()) {
    at.mistake("r", concat("is ", dynamo.r(), ", which is more than n (", dynamo.n(),
                           "); at most n replicas can answer"));
  }
  if (dynamo.w() > dynamo.n()) {
    at.mistake("w", concat("is ", dynamo.w(), ", which is more than n (", dynamo.n(),
                           "); at most n replicas can answer"));
  }
  if (dynamo.coordinate() == scenario::Dynamo::NON_REPLICA && dynamo.n() >= nodes) {
    at.mistake("coordinate", concat("NON_REPLICA needs more machines than n (", dynamo.n(),
                                    "); the topology has ", nodes));
  }
}

// Options that say something only together with others.
void check_options(const Cursor& at) {
  const auto& dynamo = static_cast<const scenario::Dynamo&>(at.message());
  if (at.has("clock_entries_max") && dynamo.versions() != scenario::Dynamo::VECTOR_CLOCK)
    at.mistake("clock_entries_max", "only vector clocks are cut; say versions: VECTOR_CLOCK");
  for (const char* field : {"hint_bytes", "hints_in_flight"}) {
    if (at.has(field) && !dynamo.sloppy()) at.mistake(field, "without sloppy nobody keeps hints");
  }
  if (at.has("buffer_objects") && !dynamo.buffered_writes())
    at.mistake("buffer_objects", "nothing is buffered; say buffered_writes: true");
  if (dynamo.random_quorums() && at.has("sloppy") && dynamo.sloppy())
    at.mistake("sloppy", "random_quorums asks homes alone; say sloppy: false or leave it out");
  if (dynamo.has_upkeep()) {
    const Cursor upkeep = at.nested("upkeep");
    if (upkeep.has("every") && !dynamo.upkeep().anti_entropy())
      upkeep.mistake("every", "without anti_entropy nothing is compared");
    for (const char* field : {"reap_after", "reap_every", "reap_grace"}) {
      if (upkeep.has(field) && !dynamo.upkeep().reap())
        upkeep.mistake(field, "without reap no tombstone goes");
    }
    if (upkeep.has("every") && span_or_one(dynamo.upkeep().every()) == 0)
      upkeep.mistake("every", "must be more than 0");
  }
  if (dynamo.gossip().has_every()) {
    const Cursor gossip = at.nested("gossip");
    if (!dynamo.gossip().on()) gossip.mistake("every", "there is no gossip; leave out on: false");
    if (span_or_one(dynamo.gossip().every()) == 0) gossip.mistake("every", "must be more than 0");
  }
}

// What an engine knows nothing of, and what cannot be judged with it.
void check_engine(const Cursor& at, const Cursor& expect) {
  const auto& engine = static_cast<const scenario::Engine&>(at.message());
  if (at.has("level_fanout") && engine.level_fanout() < 2)
    at.mistake("level_fanout", concat("must be at least 2, not ", engine.level_fanout()));
  if (engine.merkle_depth() > KeyDivision::kDepthMax) {
    at.mistake("merkle_depth",
               concat("must be at most ", KeyDivision::kDepthMax, ", not ", engine.merkle_depth()));
  }
  if (at.has("scrub_every") && parse_span(engine.scrub_every()).ok() &&
      span_of(engine.scrub_every()) == 0) {
    at.mistake("scrub_every", "must be more than 0; leave it out for never");
  }
  if (engine.kind() == scenario::Engine::LSM) return;
  const bool memory = engine.kind() == scenario::Engine::MEMORY;
  const std::string name = scenario::Engine::Kind_Name(engine.kind());
  const google::protobuf::Descriptor* type = at.message().GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const std::string& field = type->field(i)->name();
    const bool known =
        field == "kind" || field == "group_bytes" || (!memory && field == "memtable_bytes");
    if (at.has(field) && !known)
      at.mistake(field, concat("the engine ", name, " has no such thing"));
  }
  if (!memory && engine.has_memtable_bytes() && engine.memtable_bytes() < kLevelDbMemtableMin) {
    at.mistake("memtable_bytes", concat("LevelDB takes no less than ", kLevelDbMemtableMin,
                                        ", not ", engine.memtable_bytes()));
  }
  for (const char* field : {"replicas_keep_acknowledged", "converges_within"}) {
    if (memory && expect.has(field))
      expect.mistake(field, "is judged by the disks, and the engine MEMORY leaves nothing there");
  }
}

// What cannot be judged with these options.
void check_judgeable(const scenario::Dynamo& dynamo, const Cursor& expect) {
  if (!dynamo.buffered_writes()) return;
  if (expect.has("replicas_keep_acknowledged")) {
    expect.mistake("replicas_keep_acknowledged",
                   "with buffered_writes a replica acknowledges what it holds in memory alone");
  }
}

}  // namespace

void check_cluster(const Cursor& root, const scenario::Scenario& scenario, const Places& places) {
  const Cursor at = root.nested("cluster");
  const scenario::Cluster& cluster = scenario.cluster();
  if (at.has("partitions") && cluster.partitioning() == scenario::Cluster::TOKENS)
    at.mistake("partitions", "partitioning: TOKENS cuts the ring at the tokens; leave it out");
  for (int i = 0; i < cluster.wire_size(); ++i) {
    if (cluster.wire(i).version() > kWireVersion) {
      at.nested("wire", i).mistake("version",
                                   concat("the newest version of the wire is ", kWireVersion));
    }
  }
  if (cluster.has_engine() && scenario.has_expect())
    check_engine(at.nested("engine"), root.nested("expect"));
  if (!at.has("strategy")) return;
  const Cursor strategy = at.nested("strategy");
  if (!strategy.exactly_one({"dynamo"}, "a strategy")) return;
  const Cursor dynamo = strategy.nested("dynamo");
  check_quorums(dynamo, places.machines().size() - places.spares());
  check_options(dynamo);
  if (scenario.has_expect()) check_judgeable(cluster.strategy().dynamo(), root.nested("expect"));
  if (scenario.workload().has_routing() &&
      cluster.strategy().dynamo().coordinate() == scenario::Dynamo::NON_REPLICA) {
    root.nested("workload")
        .mistake("routing", "coordinate: NON_REPLICA says whom clients ask; leave it out");
  }
}

}  // namespace ringside::lab
