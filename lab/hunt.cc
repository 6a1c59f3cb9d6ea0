#include "lab/hunt.h"

#include <algorithm>
#include <cmath>

#include "lab/load.h"
#include "lab/storm.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "runtime/random.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

using End = WorkerResult::End;

constexpr uint64_t kPlayedAgainEvery = 16;  // attempts of a lane
constexpr std::string_view kProbeMetric = "probe ";

uint64_t decision_hash(const HuntAttempt& attempt, const HuntOutcome& outcome) {
  uint64_t hash = mix(attempt.number, attempt.scenario);
  hash = mix(hash, attempt.seed);
  hash = mix(hash, hash_bytes(attempt.storm));
  return mix(hash, outcome.run.result.fingerprint);
}

void keep_first(std::vector<HuntFound>& first) {
  std::sort(first.begin(), first.end(),
            [](const HuntFound& a, const HuntFound& b) { return a.number < b.number; });
  if (first.size() > kHuntFoundMax) first.resize(kHuntFoundMax);
}

}  // namespace

Result<HuntScenario> load_hunt_scenario(const std::string& file) {
  Result<std::string> text = read_text_file(file);
  if (!text.ok()) return text.error();
  Result<std::unique_ptr<scenario::Scenario>> scenario = parse_scenario(*text, file);
  if (!scenario.ok()) return scenario.error();
  if (scenario.value()->planted_bug_size() > 0 && !planted_build()) {
    return {Code::kInvalid,
            concat(file, ": switches on the planted bug ", scenario.value()->planted_bug(0),
                   ", which this build does not have; use script/ringside --planted hunt ", file)};
  }
  HuntScenario out;
  out.file = file;
  out.name = scenario.value()->name();
  out.text_hash = hash_bytes(*text);
  out.text = std::move(*text);
  out.scenario = std::move(*scenario);
  return out;
}

std::string HuntAttempt::name(const HuntConfig& config) const {
  std::string name = concat(config.scenarios[scenario].name, "-seed-", seed);
  if (variation) append(name, "-storm-", parent);
  return name;
}

Result<std::string> text_of(const HuntAttempt& attempt, const HuntConfig& config) {
  const HuntScenario& from = config.scenarios[attempt.scenario];
  if (!attempt.variation) return from.text;
  scenario::Scenario scenario = *from.scenario;
  scenario.mutable_expect()->clear_reached();
  uint32_t left_out = 0;
  return with_storm(scenario, attempt.storm, &left_out);
}

bool HuntOutcome::fails() const {
  return run.end != End::kFinished || !run.result.holds || again == Again::kDifferent ||
         again == Again::kCrashed;
}

Signature HuntOutcome::signature(const std::string& scenario) const {
  // What does not replay explains nothing else that it shows.
  if (run.end == End::kFinished && again == Again::kDifferent)
    return signature_of_replay(scenario, "a fresh process plays it differently");
  if (run.end == End::kFinished && again == Again::kCrashed)
    return signature_of_replay(scenario, "it crashes where freed memory is overwritten");
  return signature_of(scenario, run);
}

std::string detail_of(const HuntOutcome& outcome) {
  if (outcome.run.end != End::kFinished)
    return concat("the world's worker was ", outcome.run.message);
  for (const Expectation& line : outcome.run.result.expectations) {
    if (!line.holds) return concat(line.name, " (", line.detail, ")");
  }
  return "";
}

bool played_again(const HuntAttempt& attempt, const HuntConfig& config) {
  return attempt.number / config.lanes % kPlayedAgainEvery == 0;
}

void HuntTotals::count(const HuntAttempt& attempt, const HuntOutcome& outcome,
                       const HuntConfig& config) {
  scenarios.resize(config.scenarios.size());
  const RunResult& result = outcome.run.result;
  const bool fails = outcome.fails();
  ++played;
  ++(fails ? failing : holding);
  if (attempt.variation) ++variations;
  if (outcome.again != Again::kNotAsked) ++replayed;
  events += result.events;
  operations += result.operations;
  simulated_ns += std::llround(result.simulated_seconds * 1e9);
  decisions += decision_hash(attempt, outcome);

  PerScenario& own = scenarios[attempt.scenario];
  ++own.played;
  if (fails) ++own.failing;
  if (attempt.variation) ++own.variations;
  own.events += result.events;
  for (const Metric& metric : result.metrics) {
    if (!metric.name.starts_with(kProbeMetric)) continue;
    Probe& probe = probes[metric.name.substr(kProbeMetric.size())];
    ++probe.seeds;
    probe.times += static_cast<uint64_t>(metric.value);
  }
  if (!fails) return;
  HuntGroup& group = groups[outcome.signature(config.scenarios[attempt.scenario].name)];
  ++group.seeds;
  group.first.push_back({attempt.number, attempt.seed, attempt.parent, attempt.variation,
                         attempt.name(config), detail_of(outcome)});
  keep_first(group.first);
}

void HuntTotals::add(const HuntTotals& other) {
  scenarios.resize(std::max(scenarios.size(), other.scenarios.size()));
  played += other.played;
  holding += other.holding;
  failing += other.failing;
  variations += other.variations;
  replayed += other.replayed;
  events += other.events;
  operations += other.operations;
  simulated_ns += other.simulated_ns;
  decisions += other.decisions;
  for (std::size_t i = 0; i < other.scenarios.size(); ++i) {
    scenarios[i].played += other.scenarios[i].played;
    scenarios[i].failing += other.scenarios[i].failing;
    scenarios[i].variations += other.scenarios[i].variations;
    scenarios[i].events += other.scenarios[i].events;
  }
  for (const auto& [name, probe] : other.probes) {
    probes[name].seeds += probe.seeds;
    probes[name].times += probe.times;
  }
  for (const auto& [signature, group] : other.groups) {
    HuntGroup& own = groups[signature];
    own.seeds += group.seeds;
    own.first.insert(own.first.end(), group.first.begin(), group.first.end());
    keep_first(own.first);
  }
}

}  // namespace ringside::lab
