#include "lab/translate.h"

#include <algorithm>

#include "lab/units.h"
#include "protocols/wire.h"

namespace ringside::lab {
namespace {

double nanoseconds(const std::string& span) { return static_cast<double>(span_of(span)); }

Result<sim::Distribution> to_mixture(const scenario::Distribution& distribution) {
  std::vector<sim::Distribution::Part> parts;
  for (const scenario::Distribution::Part& part : distribution.mixture()) {
    Result<sim::Distribution> of = to_distribution(part.of());
    if (!of.ok()) return of.error();
    parts.push_back({part.weight(), *of});
  }
  return sim::Distribution::mixture(std::move(parts));
}

Result<sim::Distribution> to_table(const scenario::Distribution& distribution) {
  std::vector<sim::Distribution::Quantile> quantiles;
  for (const scenario::Distribution::Point& point : distribution.empirical()) {
    if (quantiles.empty() && point.share() > 0) quantiles.push_back({0, nanoseconds(point.at())});
    quantiles.push_back({point.share(), nanoseconds(point.at())});
  }
  return sim::Distribution::table(std::move(quantiles));
}

}  // namespace

Result<sim::Distribution> to_distribution(const scenario::Distribution& distribution) {
  if (distribution.has_constant())
    return sim::Distribution::constant(span_of(distribution.constant()));
  if (distribution.has_uniform()) {
    return sim::Distribution::uniform(nanoseconds(distribution.uniform().from()),
                                      nanoseconds(distribution.uniform().to()));
  }
  if (distribution.has_exponential()) {
    const scenario::Distribution::Exponential& exponential = distribution.exponential();
    return exponential.has_rate() ? sim::Distribution::exponential_rate(rate_of(exponential.rate()))
                                  : sim::Distribution::exponential(nanoseconds(exponential.mean()));
  }
  if (distribution.has_pareto()) {
    return sim::Distribution::pareto(nanoseconds(distribution.pareto().minimum()),
                                     distribution.pareto().shape());
  }
  if (distribution.has_log_normal()) {
    return sim::Distribution::log_normal(nanoseconds(distribution.log_normal().median()),
                                         distribution.log_normal().sigma());
  }
  if (distribution.mixture_size() > 0) return to_mixture(distribution);
  return to_table(distribution);
}

sim::DiskModel to_disk(scenario::DiskKind kind) {
  switch (kind) {
    case scenario::FREE: return sim::DiskModel::free();
    case scenario::NVME: return sim::DiskModel::nvme();
    case scenario::SSD: return sim::DiskModel::ssd();
    case scenario::HDD: return sim::DiskModel::hdd();
  }
  return sim::DiskModel::nvme();
}

DynamoOptions to_dynamo(const scenario::Dynamo& dynamo) {
  DynamoOptions options;
  options.n = dynamo.n();
  options.r = dynamo.r();
  options.w = dynamo.w();
  options.read_repair = dynamo.read_repair();
  if (dynamo.has_read_repair_wait()) options.read_repair_wait = span_of(dynamo.read_repair_wait());
  if (dynamo.has_request_timeout()) options.request_timeout = span_of(dynamo.request_timeout());
  if (dynamo.coordinate() == scenario::Dynamo::NON_REPLICA)
    options.coordinate = Coordinate::kNonReplica;
  switch (dynamo.versions()) {
    case scenario::Dynamo::DOTTED: options.versions = Versions::kDotted; break;
    case scenario::Dynamo::VECTOR_CLOCK: options.versions = Versions::kVectorClock; break;
    case scenario::Dynamo::LAST_WRITER_WINS: options.versions = Versions::kLastWriterWins; break;
  }
  if (dynamo.has_clock_entries_max()) options.clock_entries_max = dynamo.clock_entries_max();
  options.sloppy = dynamo.sloppy() && !dynamo.random_quorums();
  if (dynamo.has_hint_bytes()) options.hint_bytes_max = dynamo.hint_bytes();
  if (dynamo.has_hints_in_flight()) options.hints_in_flight_max = dynamo.hints_in_flight();
  if (dynamo.has_hedge_after()) options.hedge_after = span_of(dynamo.hedge_after());
  options.fastest_replier = dynamo.fastest_replier();
  options.buffered_writes = dynamo.buffered_writes();
  if (dynamo.has_buffer_objects()) options.buffer_objects = dynamo.buffer_objects();
  options.random_quorums = dynamo.random_quorums();
  return options;
}

UpkeepOptions to_upkeep(const scenario::Dynamo::Upkeep& upkeep) {
  UpkeepOptions options;
  options.anti_entropy = upkeep.anti_entropy();
  if (upkeep.has_every()) options.every = span_of(upkeep.every());
  options.reap = upkeep.reap();
  if (upkeep.has_reap_after()) options.reap_after = span_of(upkeep.reap_after());
  if (upkeep.has_reap_every()) options.reap_every = span_of(upkeep.reap_every());
  if (upkeep.has_reap_grace()) options.reap_grace = span_of(upkeep.reap_grace());
  return options;
}

BackgroundOptions to_background(const scenario::Dynamo::Background& background) {
  BackgroundOptions options;
  if (background.has_target()) options.target = span_of(background.target());
  if (background.has_window()) options.window = span_of(background.window());
  return options;
}

GossipOptions to_gossip(const scenario::Dynamo::Gossip& gossip) {
  GossipOptions options;
  options.on = gossip.on();
  if (gossip.has_every()) options.every = span_of(gossip.every());
  options.news_every = std::min(options.news_every, options.every);
  return options;
}

std::string engine_key() { return "a key of 32 bytes for the lab, 1"; }

EngineOptions to_engine(const scenario::Engine& engine) {
  EngineOptions options;
  switch (engine.kind()) {
    case scenario::Engine::MEMORY: options.kind = EngineKind::kMemory; break;
    case scenario::Engine::LEVELDB: options.kind = EngineKind::kLevelDb; break;
    case scenario::Engine::LSM: break;
  }
  if (engine.has_memtable_bytes()) options.memtable_bytes_max = engine.memtable_bytes();
  if (engine.has_log_segment_bytes()) options.log_segment_bytes = engine.log_segment_bytes();
  if (engine.has_group_bytes()) options.group_bytes_max = engine.group_bytes();
  if (engine.has_tables_max()) options.tables_max = engine.tables_max();
  if (engine.has_tables_stop()) options.tables_stop = engine.tables_stop();
  if (engine.compaction() == scenario::Engine::SIZE_TIERED)
    options.compaction = Compaction::kSizeTiered;
  if (engine.has_level_fanout()) options.level_fanout = engine.level_fanout();
  if (engine.compression() == scenario::Engine::LZ4) options.compression = Compression::kLz4;
  if (engine.compression() == scenario::Engine::ZSTD) options.compression = Compression::kZstd;
  if (engine.encrypted()) options.key = engine_key();
  if (engine.has_block_cache_bytes()) options.block_cache_bytes = engine.block_cache_bytes();
  options.archive_bytes_max = engine.archive_bytes();
  options.merkle_depth = engine.merkle_depth();
  options.fill_segments = engine.fill_segments();
  if (engine.has_scrub_every()) options.scrub_every = span_of(engine.scrub_every());
  return options;
}

Result<sim::NetworkModel> to_network(const scenario::Network& network) {
  sim::NetworkModel model;
  for (const scenario::Network::Leg& leg : network.leg()) {
    Result<sim::Distribution> latency = to_distribution(leg.latency());
    if (!latency.ok()) return latency.error();
    const Duration farther = leg.has_between_regions() ? span_of(leg.between_regions()) : 0;
    for (const std::string& kind : leg.kind())
      model.by_kind.push_back({number(kind_of(kind)), *latency, farther});
  }
  model.loss = network.loss();
  model.duplication = network.duplication();
  model.ordered = network.ordered();
  return model;
}

sim::CpuModel to_cpu(const scenario::Cpu& cpu) {
  sim::CpuModel model;
  model.cores = cpu.cores();
  if (cpu.has_per_event()) model.per_event = span_of(cpu.per_event());
  if (cpu.has_per_kilobyte())
    model.per_byte = static_cast<double>(span_of(cpu.per_kilobyte())) / 1024;
  return model;
}

ScriptSpec to_script(const scenario::Script& script) {
  using What = ScriptStep::What;
  ScriptSpec spec;
  spec.value_bytes = script.value_bytes();
  for (const scenario::Script::Step& from : script.step()) {
    ScriptStep step;
    step.at = span_of(from.at());
    step.client = from.client();
    step.key = from.key();
    switch (from.what()) {
      case scenario::Script::READ: step.what = What::kRead; break;
      case scenario::Script::WRITE: step.what = What::kWrite; break;
      case scenario::Script::BLIND_WRITE: step.what = What::kBlindWrite; break;
      case scenario::Script::DELETE: step.what = What::kDelete; break;
    }
    if (from.has_expire_after()) step.expire_after = span_of(from.expire_after());
    step.numbers.assign(from.number().begin(), from.number().end());
    spec.steps.push_back(std::move(step));
  }
  return spec;
}

std::vector<sim::Family> families_of(scenario::Swarm::Profile profile) {
  using sim::Family;
  switch (profile) {
    case scenario::Swarm::STANDARD: return sim::standard_families();
    case scenario::Swarm::CALM:
      return {Family::kSlowLinks, Family::kPause, Family::kThrottle, Family::kClock,
              Family::kGrayDisk};
    case scenario::Swarm::LOSSY:
      return {Family::kSlowLinks,   Family::kBadLinks, Family::kNarrowLinks, Family::kClog,
              Family::kLookupFails, Family::kFlap,     Family::kResetStorm};
    case scenario::Swarm::PARTITIONS: return {Family::kPartition, Family::kFlap, Family::kHalfOpen};
    case scenario::Swarm::DISKS:
      return {Family::kGrayDisk, Family::kDiskErrors,  Family::kFullDisk, Family::kDeadDisk,
              Family::kSyncLies, Family::kMisdirected, Family::kRot,      Family::kPowerLoss};
    case scenario::Swarm::HARDWARE:
      return {Family::kCrash,    Family::kOutOfMemory, Family::kPowerLoss,
              Family::kPause,    Family::kThrottle,    Family::kClock,
              Family::kBlackout, Family::kDiskLoss,    Family::kOlderDisk};
    case scenario::Swarm::EVERYTHING: {
      std::vector<Family> all;
      for (int family = 0; family < sim::kFamilies; ++family)
        all.push_back(static_cast<Family>(family));
      return all;
    }
  }
  return sim::standard_families();
}

}  // namespace ringside::lab
