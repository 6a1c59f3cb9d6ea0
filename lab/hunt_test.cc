#include "lab/hunt.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>

#include "lab/bundle.h"
#include "lab/hunt_file.h"
#include "lab/hunt_guide.h"
#include "lab/load.h"
#include "lab/merge.h"
#include "lab/sealed_file.h"
#include "lab/text.h"
#include "runtime/random.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

HuntScenario hunted(const std::string& name, bool swarm) {
  HuntScenario out;
  out.file = name + ".textproto";
  out.name = name;
  out.text = concat("name: \"", name, R"("
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { registers { keys: 5 } clients: 3 rate: "100/s" for: "2s" }
expect { evidence { acknowledged_writes: 5 verified_reads: 5 } reached: "wal.torn_tail_cut" }
)",
                    swarm ? "swarm { profile: STANDARD }\n" : "");
  out.text_hash = hash_bytes(out.text);
  auto parsed = parse_scenario(out.text, out.file);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  out.scenario = std::move(*parsed);
  return out;
}

HuntConfig config_of(uint32_t shard = 1, uint32_t shards = 1) {
  HuntConfig config;
  config.title = "both";
  config.scenarios = {hunted("calm", false), hunted("storm", true)};
  config.shard = shard;
  config.shards = shards;
  config.bound = 300;
  return config;
}

// What a world might say: some seeds of the swarm fail, and rare probes are reached.
HuntOutcome made_up(const HuntAttempt& attempt) {
  HuntOutcome outcome;
  outcome.run.end = WorkerResult::End::kFinished;
  outcome.run.seed = attempt.seed;
  RunResult& result = outcome.run.result;
  const uint64_t draw = mix(mix(attempt.seed, attempt.scenario), hash_bytes(attempt.storm));
  result.fingerprint = draw;
  result.events = 20'000 + draw % 1000;
  result.operations = 100;
  result.simulated_seconds = 2.5;
  result.holds = attempt.scenario == 0 || draw % 20 != 0;
  result.expectations = {{"acknowledged_writes", result.holds, "1 of 9 lost"}};
  for (int probe = 0; probe < 12; ++probe) {
    if (attempt.scenario == 1 && mix(draw, static_cast<uint64_t>(probe)) % (2u << probe) == 0)
      result.metrics.push_back({concat("probe some.rare_", probe), 1.0 + probe});
  }
  result.storm =
      "fault { at: \"100ms\" restart_after: \"50ms\" crash { place: \"east-a-1\" } }\n"
      "fault { at: \"900ms\" restart_after: \"50ms\" crash { place: \"east-b-1\" } }\n";
  return outcome;
}

struct Sitting {
  HuntTotals totals;
  std::vector<HuntAttempt> attempts;
};

// Plays until the bound, or for some rounds.
Sitting play_hunt(const HuntConfig& config, HuntGuide& guide, uint64_t rounds_max = 1000) {
  Sitting out;
  for (uint64_t round = 0; round < rounds_max; ++round) {
    const std::vector<HuntAttempt> attempts = guide.plan();
    if (attempts.empty()) break;
    std::vector<HuntOutcome> outcomes;
    for (const HuntAttempt& attempt : attempts) outcomes.push_back(made_up(attempt));
    for (std::size_t i = 0; i < attempts.size(); ++i)
      out.totals.count(attempts[i], outcomes[i], config);
    guide.learn(attempts, outcomes);
    out.attempts.insert(out.attempts.end(), attempts.begin(), attempts.end());
  }
  return out;
}

Sitting play_hunt(const HuntConfig& config) {
  HuntGuide guide(config);
  return play_hunt(config, guide);
}

class HuntOnDisk : public testing::Test {
 protected:
  HuntOnDisk() {
    char name[] = "/tmp/hunt_test.XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~HuntOnDisk() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST(Hunts, every_attempt_has_a_number_and_a_seed_of_its_own_up_to_the_bound) {
  const HuntConfig config = config_of();
  std::set<uint64_t> numbers, seeds;
  for (const HuntAttempt& attempt : play_hunt(config).attempts) {
    EXPECT_LT(attempt.number, config.bound);
    numbers.insert(attempt.number);
    seeds.insert(attempt.seed);
  }
  EXPECT_EQ(numbers.size(), config.bound);
  EXPECT_EQ(seeds.size(), config.bound);
}

TEST(Hunts, another_seed_is_another_hunt_and_the_same_seed_the_same) {
  HuntConfig config = config_of();
  const uint64_t decisions = play_hunt(config).totals.decisions;
  EXPECT_EQ(play_hunt(config).totals.decisions, decisions);
  config.seed = 2;
  EXPECT_NE(play_hunt(config).totals.decisions, decisions);
}

TEST_F(HuntOnDisk, shards_added_up_are_the_hunt_of_one_process) {
  const HuntConfig whole = config_of();
  ASSERT_TRUE(write_hunt(directory_ + "/whole", {whole, 0, play_hunt(whole).totals}).ok());
  std::vector<std::pair<std::string, HuntFile>> shards;
  for (const uint32_t shard : {3u, 1u, 2u}) {
    const HuntConfig config = config_of(shard, 3);
    const std::string path = hunt_path(directory_, config, ".result");
    ASSERT_TRUE(write_hunt(path, {config, 0, play_hunt(config).totals}).ok());
    shards.emplace_back(path, *read_hunt(path));
  }
  const Result<HuntFile> merged = merge_hunts(shards);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  ASSERT_TRUE(write_hunt(directory_ + "/merged", {whole, 0, merged->totals}).ok());
  EXPECT_GT(merged->totals.failing, 0u);
  EXPECT_GT(merged->totals.variations, 0u);
  EXPECT_EQ(*read_text_file(directory_ + "/merged"), *read_text_file(directory_ + "/whole"));

  shards.push_back(shards[0]);
  EXPECT_TRUE(contains(merge_hunts(shards).error().message, "shard 3/3 is there twice"));
  shards.resize(2);
  EXPECT_TRUE(contains(merge_hunts(shards).error().message, "shard 2/3 is missing"));
  shards[1].second.config.seed = 9;
  EXPECT_TRUE(contains(merge_hunts(shards).error().message, "is of another hunt"));
}

TEST_F(HuntOnDisk, a_hunt_that_goes_on_from_its_state_decides_as_if_it_had_never_ended) {
  const HuntConfig config = config_of();
  HuntGuide before(config);
  HuntFile state{config, 0, play_hunt(config, before, 2).totals};
  state.rounds = before.rounds();
  for (const HuntLane& lane : before.lanes()) state.lanes.push_back(lane.memory());
  ASSERT_TRUE(write_hunt(directory_ + "/state", state).ok());

  Result<HuntFile> back = read_hunt(directory_ + "/state");
  ASSERT_TRUE(back.ok());
  HuntGuide after(config);
  after.go_on_after(back->rounds);
  for (std::size_t i = 0; i < back->lanes.size(); ++i)
    after.lanes()[i].remember(std::move(back->lanes[i]));
  back->totals.add(play_hunt(config, after).totals);
  const HuntTotals never_ended = play_hunt(config).totals;
  EXPECT_EQ(back->totals.played, never_ended.played);
  EXPECT_EQ(back->totals.decisions, never_ended.decisions);
}

TEST(Hunts, what_shows_something_new_is_played_more) {
  HuntConfig config = config_of();
  config.bound = 800;
  const HuntTotals totals = play_hunt(config).totals;
  // Only `storm` reaches probes; seed after seed would play both alike.
  EXPECT_GT(totals.scenarios[1].played, totals.scenarios[0].played);
  config.guided = false;
  const HuntTotals plain = play_hunt(config).totals;
  EXPECT_EQ(plain.scenarios[1].played, plain.scenarios[0].played);
  EXPECT_EQ(plain.variations, 0u);
}

TEST(Hunts, a_variation_meets_a_storm_that_a_swarm_drew_and_is_not_asked_for_probes) {
  const HuntConfig config = config_of();
  const Sitting sitting = play_hunt(config);
  std::size_t variations = 0, parts = 0;
  for (const HuntAttempt& attempt : sitting.attempts) {
    if (!attempt.variation) continue;
    ++variations;
    EXPECT_EQ(attempt.scenario, 1u);  // the other has no swarm
    EXPECT_NE(attempt.parent, attempt.seed);
    const Result<std::string> text = text_of(attempt, config);
    ASSERT_TRUE(text.ok());
    const auto parsed = parse_scenario(*text, "variation");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_FALSE(parsed.value()->has_swarm());
    EXPECT_EQ(parsed.value()->expect().reached_size(), 0);
    EXPECT_GE(parsed.value()->fault_size(), 1);
    if (parsed.value()->fault_size() == 1) ++parts;
  }
  EXPECT_GT(variations, 10u);
  EXPECT_GT(parts, 0u);
}

TEST(Hunts, features_tell_probes_their_scale_and_shapes) {
  RunResult result;
  result.metrics = {{"probe wal.torn_tail_cut", 9}, {"restarts", 0}, {"frames_sent", 1e6}};
  const std::vector<std::string> features = features_of(result);
  EXPECT_EQ(features,
            (std::vector<std::string>{"probe wal.torn_tail_cut", "probe wal.torn_tail_cut 2^3",
                                      "restarts 0", "shape restarts 0"}));
}

TEST(Hunts, one_that_a_fresh_process_plays_differently_fails_though_it_holds) {
  HuntOutcome outcome = made_up({});
  outcome.run.result.holds = true;
  EXPECT_FALSE(outcome.fails());
  outcome.again = Again::kSame;
  EXPECT_FALSE(outcome.fails());
  outcome.again = Again::kDifferent;
  EXPECT_TRUE(outcome.fails());
  EXPECT_EQ(outcome.signature("s").text(),
            "s: deterministic: a fresh process plays it differently");
}

TEST(Hunts, only_the_first_failures_of_a_kind_are_told_one_by_one) {
  HuntConfig config = config_of();
  HuntTotals totals;
  for (uint64_t number = 100; number-- > 0;) {
    HuntAttempt attempt;
    attempt.number = number;
    attempt.seed = number + 1;
    HuntOutcome outcome = made_up(attempt);
    outcome.run.result.holds = outcome.run.result.expectations[0].holds = false;
    totals.count(attempt, outcome, config);
  }
  ASSERT_EQ(totals.groups.size(), 1u);
  const HuntGroup& group = totals.groups.begin()->second;
  EXPECT_EQ(group.seeds, 100u);
  ASSERT_EQ(group.first.size(), kHuntFoundMax);
  EXPECT_EQ(group.first.front().number, 0u);
  EXPECT_EQ(group.first.back().number, kHuntFoundMax - 1);
}

TEST(Shards, deal_by_turns_and_say_what_is_wrong) {
  const Result<Shard> shard = parse_shard("2/3");
  ASSERT_TRUE(shard.ok());
  EXPECT_EQ(part_of({10, 11, 12, 13, 14}, *shard), (std::vector<uint64_t>{11, 14}));
  EXPECT_TRUE(part_of({10}, *shard).empty());
  for (const char* wrong : {"3", "0/3", "4/3", "1/0", "x/2", "1/2/3", ""}) {
    ASSERT_FALSE(parse_shard(wrong).ok()) << wrong;
    EXPECT_TRUE(contains(parse_shard(wrong).error().message, "shard")) << wrong;
  }
}

TEST_F(HuntOnDisk, shards_of_a_run_merge_to_all_of_its_runs_by_seed) {
  std::vector<std::pair<std::string, RunShard>> shards;
  for (const uint32_t number : {2u, 1u}) {
    RunShard shard;
    shard.scenario = "storm";
    shard.seeds = "1..5";
    shard.shard = {number, 2};
    for (uint64_t seed = number; seed <= 5; seed += 2) {
      WorkerResult run = made_up({.seed = seed}).run;
      run.result.metrics.push_back({"third", 1.0 / 3});
      if (seed == 4) {
        run.end = WorkerResult::End::kCrashed;
        run.message = "killed";
      }
      shard.runs.push_back(std::move(run));
    }
    const std::string path = run_shard_path(directory_, shard);
    ASSERT_TRUE(write_run_shard(path, shard).ok());
    shards.emplace_back(path, *read_run_shard(path));
  }
  const Result<RunShard> merged = merge_run_shards(shards);
  ASSERT_TRUE(merged.ok());
  ASSERT_EQ(merged->runs.size(), 5u);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const WorkerResult& run = merged->runs[seed - 1];
    EXPECT_EQ(run.seed, seed);
    EXPECT_EQ(run.end == WorkerResult::End::kCrashed, seed == 4);
    EXPECT_EQ(run.result.metrics.back().value, 1.0 / 3);
  }
  shards[1].second.seeds = "1..6";
  EXPECT_TRUE(contains(merge_run_shards(shards).error().message, "is of another run"));
}

TEST_F(HuntOnDisk, a_file_that_was_cut_or_changed_is_refused) {
  const HuntConfig config = config_of();
  const std::string path = directory_ + "/x.state";
  ASSERT_TRUE(write_hunt(path, {config}).ok());
  const std::string bytes = *read_text_file(path);
  ASSERT_TRUE(write_whole(path, bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_TRUE(contains(read_hunt(path).error().message, "this hunt was cut short"));
  std::string changed = bytes;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  ASSERT_TRUE(write_whole(path, changed).ok());
  EXPECT_TRUE(contains(read_hunt(path).error().message, "its checksum is wrong"));
  EXPECT_TRUE(contains(read_run_shard(path).error().message, "is no shard of ringside"));
}

TEST_F(HuntOnDisk, a_bundle_is_there_whole_and_takes_the_place_of_an_older_one) {
  for (const char* text : {"older", "newer"}) {
    ASSERT_TRUE(write_whole(directory_ + "/1.run", text).ok());
    const Result<std::string> path =
        write_bundle(directory_ + "/bundles", {"b-seed-1", directory_ + "/1.run", {{"a", text}}});
    ASSERT_TRUE(path.ok()) << path.error().message;
    EXPECT_EQ(*read_text_file(*path + "/b-seed-1.run"), text);
    EXPECT_EQ(*read_text_file(*path + "/a"), text);
  }
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(directory_ + "/bundles"))
    ++entries;
  EXPECT_EQ(entries, 1u);
}

}  // namespace
}  // namespace ringside::lab
