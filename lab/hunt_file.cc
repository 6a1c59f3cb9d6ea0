#include "lab/hunt_file.h"

#include <algorithm>

#include "lab/hunt.pb.h"
#include "lab/sealed_file.h"
#include "lab/shard.h"
#include "lab/text.h"
#include "runtime/bug.h"

namespace ringside::lab {
namespace {

constexpr Seal kHuntSeal = {{'R', 'I', 'N', 'G', 'H', 'U', 'N', 'T'},
                            1,
                            "hunt",
                            "hunt of ringside (a .state or .result that `ringside hunt` wrote)"};

void encode_totals(const HuntTotals& from, record::HuntTotals& to) {
  to.set_played(from.played);
  to.set_holding(from.holding);
  to.set_failing(from.failing);
  to.set_variations(from.variations);
  to.set_replayed(from.replayed);
  to.set_events(from.events);
  to.set_operations(from.operations);
  to.set_simulated_ns(from.simulated_ns);
  to.set_decisions(from.decisions);
  for (const HuntTotals::PerScenario& one : from.scenarios) {
    auto& out = *to.add_scenario();
    out.set_played(one.played);
    out.set_failing(one.failing);
    out.set_variations(one.variations);
    out.set_events(one.events);
  }
  for (const auto& [name, probe] : from.probes) {
    auto& out = *to.add_probe();
    out.set_name(name);
    out.set_seeds(probe.seeds);
    out.set_times(probe.times);
  }
  for (const auto& [signature, group] : from.groups) {
    auto& out = *to.add_group();
    out.set_scenario(signature.scenario);
    out.set_expectation(signature.expectation);
    out.set_anomaly(signature.anomaly);
    out.set_role(signature.role);
    out.set_seeds(group.seeds);
    for (const HuntFound& found : group.first) {
      auto& one = *out.add_first();
      one.set_number(found.number);
      one.set_seed(found.seed);
      one.set_parent(found.parent);
      one.set_variation(found.variation);
      one.set_name(found.name);
      one.set_detail(found.detail);
    }
  }
}

HuntTotals decode_totals(const record::HuntTotals& from) {
  HuntTotals to;
  to.played = from.played();
  to.holding = from.holding();
  to.failing = from.failing();
  to.variations = from.variations();
  to.replayed = from.replayed();
  to.events = from.events();
  to.operations = from.operations();
  to.simulated_ns = from.simulated_ns();
  to.decisions = from.decisions();
  for (const auto& one : from.scenario())
    to.scenarios.push_back({one.played(), one.failing(), one.variations(), one.events()});
  for (const auto& probe : from.probe()) to.probes[probe.name()] = {probe.seeds(), probe.times()};
  for (const auto& one : from.group()) {
    HuntGroup& group = to.groups[{one.scenario(), one.expectation(), one.anomaly(), one.role()}];
    group.seeds = one.seeds();
    for (const auto& found : one.first()) {
      group.first.push_back({found.number(), found.seed(), found.parent(), found.variation(),
                             found.name(), found.detail()});
    }
  }
  return to;
}

void encode_lane(const HuntLane::Memory& from, record::HuntLane& to) {
  for (const uint64_t feature : from.features) to.add_feature(feature);
  for (const HuntLane::PerScenario& one : from.scenarios) {
    auto& out = *to.add_scenario();
    out.set_played(one.played);
    out.set_events(one.events);
    out.set_interest(one.interest);
  }
  for (const HuntLane::Parent& parent : from.parents) {
    auto& out = *to.add_parent();
    out.set_scenario(parent.scenario);
    out.set_seed(parent.seed);
    out.set_storm(parent.storm);
    out.set_news(parent.news);
    out.set_tries(parent.tries);
  }
}

HuntLane::Memory decode_lane(const record::HuntLane& from) {
  HuntLane::Memory to;
  to.features.insert(from.feature().begin(), from.feature().end());
  for (const auto& one : from.scenario())
    to.scenarios.push_back({one.played(), one.events(), one.interest()});
  for (const auto& one : from.parent())
    to.parents.push_back({one.scenario(), one.seed(), one.storm(), one.news(), one.tries()});
  return to;
}

// What all shards of a hunt have in common.
bool same_hunt(const HuntConfig& a, const HuntConfig& b) {
  const bool same_files =
      std::equal(a.scenarios.begin(), a.scenarios.end(), b.scenarios.begin(), b.scenarios.end(),
                 [](const HuntScenario& x, const HuntScenario& y) {
                   return x.name == y.name && x.text_hash == y.text_hash;
                 });
  return same_files && a.seed == b.seed && a.lanes == b.lanes && a.shards == b.shards &&
         a.bound == b.bound && a.guided == b.guided && a.build == b.build;
}

}  // namespace

std::string hunt_path(const std::string& directory, const HuntConfig& config, const char* ending) {
  return concat(directory, "/hunt-", config.shard, "-of-", config.shards, ending);
}

Result<void> write_hunt(const std::string& path, const HuntFile& hunt) {
  record::Hunt message;
  const HuntConfig& config = hunt.config;
  for (const HuntScenario& scenario : config.scenarios) {
    auto& out = *message.add_scenario();
    out.set_file(scenario.file);
    out.set_name(scenario.name);
    out.set_text_hash(scenario.text_hash);
  }
  message.set_title(config.title);
  message.set_seed(config.seed);
  message.set_lanes(config.lanes);
  message.set_shard(config.shard);
  message.set_shards(config.shards);
  message.set_build(config.build);
  message.set_planted_build(planted_build());
  message.set_bound(config.bound);
  message.set_guided(config.guided);
  message.set_rounds(hunt.rounds);
  encode_totals(hunt.totals, *message.mutable_totals());
  message.set_wall_seconds(hunt.wall_seconds);
  message.set_cpu_seconds(hunt.cpu_seconds);
  for (const HuntLane::Memory& lane : hunt.lanes) encode_lane(lane, *message.add_lane());
  return write_sealed(path, kHuntSeal, message);
}

Result<HuntFile> read_hunt(const std::string& path) {
  record::Hunt message;
  if (Result<void> read = read_sealed(path, kHuntSeal, message); !read.ok()) return read.error();
  HuntFile hunt;
  for (const auto& one : message.scenario()) {
    HuntScenario scenario;
    scenario.file = one.file();
    scenario.name = one.name();
    scenario.text_hash = one.text_hash();
    hunt.config.scenarios.push_back(std::move(scenario));
  }
  hunt.config.title = message.title();
  hunt.config.seed = message.seed();
  hunt.config.lanes = message.lanes();
  hunt.config.shard = message.shard();
  hunt.config.shards = message.shards();
  hunt.config.build = message.build();
  hunt.config.bound = message.bound();
  hunt.config.guided = message.guided();
  hunt.rounds = message.rounds();
  hunt.totals = decode_totals(message.totals());
  hunt.wall_seconds = message.wall_seconds();
  hunt.cpu_seconds = message.cpu_seconds();
  for (const auto& lane : message.lane()) hunt.lanes.push_back(decode_lane(lane));
  return hunt;
}

Result<HuntFile> merge_hunts(const std::vector<std::pair<std::string, HuntFile>>& shards) {
  std::vector<ShardOf> parts;
  for (const auto& [path, shard] : shards) {
    if (!same_hunt(shards[0].second.config, shard.config)) {
      return {Code::kInvalid, concat(path, ": is of another hunt than ", shards[0].first,
                                     " (scenarios, seed, lanes, bound or build differ)")};
    }
    parts.push_back({path, shard.config.shard, shard.config.shards});
  }
  if (Result<void> whole = check_whole(parts); !whole.ok()) return whole.error();
  HuntFile merged;
  merged.config = shards[0].second.config;
  merged.config.shard = merged.config.shards = 1;
  for (const auto& [path, shard] : shards) {
    merged.totals.add(shard.totals);
    merged.wall_seconds = std::max(merged.wall_seconds, shard.wall_seconds);
    merged.cpu_seconds += shard.cpu_seconds;
  }
  return merged;
}

}  // namespace ringside::lab
