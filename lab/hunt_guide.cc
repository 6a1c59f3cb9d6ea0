#include "lab/hunt_guide.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "lab/text.h"
#include "runtime/random.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

constexpr uint64_t kInterestUnit = 256;
// An eighth of the interest goes with every run, and comes with every new feature.
constexpr uint64_t kInterestShare = 8;
// What a scenario that the lane never played is thought to have to show.
constexpr uint64_t kInterestUnknown = 16 * kInterestUnit;
// Cheaper runs than this are not preferred any further.
constexpr uint64_t kEventsLeast = 20'000;
constexpr std::size_t kParentsMax = 24;
// One attempt in so many is a variation, where there is a storm to vary.
constexpr uint64_t kVariationEvery = 4;
// Seeds of hunts with different seeds do not meet before this many attempts.
constexpr uint64_t kSeedsOfAHunt = 1'000'000'000;

// Zero, or the power of two that it reaches.
std::string scale_of(double value) {
  const auto whole = static_cast<uint64_t>(std::max(0.0, value));
  return whole == 0 ? "0" : concat("2^", static_cast<int>(std::bit_width(whole)) - 1);
}

uint64_t weight_of(const HuntLane::Parent& parent) {
  return 1 + 16 * parent.news / (1 + parent.tries);
}

}  // namespace

std::vector<std::string> features_of(const RunResult& result) {
  std::vector<std::string> features;
  std::string shape = "shape";
  for (const Metric& metric : result.metrics) {
    const std::string_view name = metric.name;
    if (name.starts_with("probe ")) {
      features.push_back(metric.name);
      features.push_back(concat(name, " ", scale_of(metric.value)));
    }
    const bool is_shape = name == "siblings_max" || name == "restarts" || name == "puts_unknown" ||
                          name == "puts_failed" || name == "gets_unknown" || name == "gets_failed";
    if (is_shape || name == "frames_lost")
      features.push_back(concat(name, " ", scale_of(metric.value)));
    if (name == "siblings_max" || name == "restarts" || name == "puts_unknown")
      append(shape, " ", name, " ", scale_of(metric.value));
  }
  features.push_back(std::move(shape));
  for (const Expectation& line : result.expectations) {
    if (!line.holds) features.push_back(concat("violates ", line.name));
  }
  return features;
}

HuntLane::HuntLane(const HuntConfig& config, uint32_t lane) : config_(config), lane_(lane) {
  memory_.scenarios.resize(config.scenarios.size());
}

std::vector<HuntAttempt> HuntLane::plan(uint64_t round) {
  std::vector<HuntAttempt> attempts;
  for (uint64_t i = 0; i < kHuntBlock; ++i)
    attempts.push_back(decide((round * kHuntBlock + i) * config_.lanes + lane_));
  return attempts;
}

HuntAttempt HuntLane::decide(uint64_t number) {
  HuntAttempt attempt;
  attempt.number = number;
  attempt.seed = (config_.seed - 1) * kSeedsOfAHunt + number + 1;
  Random random(mix(config_.seed, number));
  // Every scenario once, before anyone has a say.
  if (number < config_.scenarios.size() || !config_.guided) {
    attempt.scenario = static_cast<uint32_t>(number % config_.scenarios.size());
    return attempt;
  }
  attempt.scenario = choose_scenario(random);
  if (random.below(kVariationEvery) == 0) choose_storm(random, attempt);
  return attempt;
}

uint32_t HuntLane::choose_scenario(Random& random) const {
  std::vector<uint64_t> weights;
  uint64_t all = 0;
  for (const PerScenario& one : memory_.scenarios) {
    const uint64_t mean = one.played == 0 ? kEventsLeast : one.events / one.played;
    const uint64_t interest = kInterestUnit + (one.played == 0 ? kInterestUnknown : one.interest);
    weights.push_back(1 + interest * 1'000'000 / std::max(mean, kEventsLeast));
    all += weights.back();
  }
  uint64_t drawn = random.below(all);
  uint32_t chosen = 0;
  while (drawn >= weights[chosen]) drawn -= weights[chosen++];
  return chosen;
}

void HuntLane::choose_storm(Random& random, HuntAttempt& attempt) {
  uint64_t all = 0;
  for (const Parent& parent : memory_.parents)
    if (parent.scenario == attempt.scenario) all += weight_of(parent);
  if (all == 0) return;
  uint64_t drawn = random.below(all);
  Parent* chosen = nullptr;
  for (Parent& parent : memory_.parents) {
    if (parent.scenario != attempt.scenario) continue;
    chosen = &parent;
    if (drawn < weight_of(parent)) break;
    drawn -= weight_of(parent);
  }
  const bool whole = random.below(2) == 0;
  std::string storm;
  for (const std::string& fault : split(chosen->storm, '\n')) {
    const bool kept = whole || random.below(3) < 2;
    if (!fault.empty() && kept) append(storm, fault, "\n");
  }
  if (storm.empty()) storm = chosen->storm;
  ++chosen->tries;
  attempt.variation = true;
  attempt.parent = chosen->seed;
  attempt.storm = std::move(storm);
}

void HuntLane::learn(const HuntAttempt& attempt, const RunResult& result) {
  uint64_t news = 0;
  for (const std::string& feature : features_of(result)) {
    if (memory_.features.insert(hash_bytes(feature, attempt.scenario)).second) ++news;
  }
  PerScenario& own = memory_.scenarios[attempt.scenario];
  ++own.played;
  own.events += result.events;
  own.interest += news * kInterestUnit / kInterestShare;
  own.interest -= own.interest / kInterestShare;
  if (news > 0) keep_storm(attempt, result, news);
}

void HuntLane::keep_storm(const HuntAttempt& attempt, const RunResult& result, uint64_t news) {
  // What is written by hand is the same under every seed, and played by every attempt.
  if (!config_.scenarios[attempt.scenario].scenario->has_swarm()) return;
  const std::string& storm = attempt.variation ? attempt.storm : result.storm;
  if (storm.empty()) return;
  memory_.parents.push_back({attempt.scenario, attempt.seed, storm, news, 0});
  if (memory_.parents.size() <= kParentsMax) return;
  // The lightest goes, of equals the oldest.
  memory_.parents.erase(std::min_element(
      memory_.parents.begin(), memory_.parents.end(),
      [](const Parent& a, const Parent& b) { return weight_of(a) < weight_of(b); }));
}

HuntGuide::HuntGuide(const HuntConfig& config) : config_(config) {
  for (uint32_t lane = config.shard - 1; lane < config.lanes; lane += config.shards)
    lanes_.emplace_back(config, lane);
}

std::vector<HuntAttempt> HuntGuide::plan() {
  std::vector<HuntAttempt> attempts;
  for (HuntLane& lane : lanes_) {
    for (HuntAttempt& attempt : lane.plan(rounds_)) {
      if (config_.bound == 0 || attempt.number < config_.bound)
        attempts.push_back(std::move(attempt));
    }
  }
  std::sort(attempts.begin(), attempts.end(),
            [](const HuntAttempt& a, const HuntAttempt& b) { return a.number < b.number; });
  return attempts;
}

void HuntGuide::learn(const std::vector<HuntAttempt>& attempts,
                      const std::vector<HuntOutcome>& outcomes) {
  CHECK(attempts.size() == outcomes.size());
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (outcomes[i].run.end == WorkerResult::End::kFinished)
      lane_of(attempts[i]).learn(attempts[i], outcomes[i].run.result);
  }
  ++rounds_;
}

HuntLane& HuntGuide::lane_of(const HuntAttempt& attempt) {
  const uint64_t lane = attempt.number % config_.lanes;
  CHECK(lane % config_.shards == config_.shard - 1);
  return lanes_[lane / config_.shards];
}

}  // namespace ringside::lab
