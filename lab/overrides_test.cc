// A resolved scenario is the run that it came from, and so is its script.
#include "lab/overrides.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "lab/experiment.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr const char* kStormy = R"(name: "stormy"
topology { region { name: "east" zones: 3 machines_per_zone: 2 } }
cluster { partitions: 16 strategy { dynamo { n: 3 r: 2 w: 2 request_timeout: "200ms" } } }
cpu { per_event: "1us" }
workload {
  registers { keys: 10 writes: 0.6 blind_writes: 0.1 deletes: 0.1 }
  clients: 6 rate: "100/s" timeout: "500ms" for: "3s"
}
swarm { profile: EVERYTHING interval_min: "200ms" interval_max: "2s" down_min: "20ms" down_max: "1s" }
phases { final_reads: 1 }
expect { evidence { acknowledged_writes: 5 } acknowledged_writes: PRESENT_OR_SUPERSEDED }
)";

std::unique_ptr<scenario::Scenario> parsed(const std::string& text) {
  Result<std::unique_ptr<scenario::Scenario>> scenario = parse_scenario(text, "test");
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().message);
  return std::move(*scenario);
}

scenario::Scenario resolve(const scenario::Scenario& scenario, uint64_t seed) {
  const Result<Plan> plan = make_plan(scenario, seed, false);
  EXPECT_TRUE(plan.ok());
  return resolved(scenario, *plan);
}

TEST(Overrides, a_resolved_scenario_plays_the_very_run_that_it_came_from) {
  const auto stormy = parsed(kStormy);
  uint64_t faults = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const scenario::Scenario explicit_one = resolve(*stormy, seed);
    EXPECT_FALSE(explicit_one.has_swarm());
    EXPECT_EQ(explicit_one.seed(), seed);
    faults += static_cast<uint64_t>(explicit_one.fault_size());
    EXPECT_GT(explicit_one.tunable_size(), 10);
    // By way of its text, as whoever reads the file gets it.
    const auto read = parsed(readable_text(explicit_one));
    const auto before = run_scenario(*stormy, seed);
    const auto after = run_scenario(*read, read->seed());
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_EQ(before->fingerprint, after->fingerprint) << "seed " << seed;
    EXPECT_EQ(before->history_hash, after->history_hash) << "seed " << seed;
  }
  EXPECT_GT(faults, 50u);
}

TEST(Overrides, a_script_plays_the_same_operations_mostly_with_the_same_outcomes) {
  const auto stormy = parsed(kStormy);
  scenario::Scenario scripted = resolve(*stormy, 3);
  RunOptions options;
  options.on_steps = [&](const std::vector<ScriptStep>& steps) { give_script(steps, scripted); };
  const auto before = run_scenario(*stormy, 3, options);
  ASSERT_TRUE(before.ok());
  ASSERT_GT(scripted.workload().script().step_size(), 100);
  const auto read = parsed(readable_text(scripted));
  const auto after = run_scenario(*read, read->seed());
  ASSERT_TRUE(after.ok());
  const Result<History> a = decode_history(before->history);
  const Result<History> b = decode_history(after->history);
  ASSERT_TRUE(a.ok() && b.ok());
  // Operations that were due but never sent are not written down.
  std::map<uint64_t, const Operation*> scripts;
  for (const Operation& operation : b->operations) scripts[operation.id] = &operation;
  uint64_t same = 0, main = 0;
  for (const Operation& operation : a->operations) {
    if (operation.phase != Phase::kMain) continue;
    ++main;
    const auto found = scripts.find(operation.id);
    same += found != scripts.end() && found->second->outcome == operation.outcome &&
            found->second->invoked == operation.invoked;
  }
  // What happens at one moment may happen in another order, and what follows from it goes another
  // way.
  EXPECT_GT(same, main * 2 / 3);
}

TEST(Overrides, readable_text_loses_nothing) {
  const auto stormy = parsed(kStormy);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const scenario::Scenario one = resolve(*stormy, seed);
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(one, *parsed(readable_text(one))))
        << readable_text(one);
  }
}

TEST(Overrides, a_written_setting_is_held_to_what_a_swarm_could_draw) {
  const auto wrong =
      parse_scenario(concat(kStormy, "tunable { name: \"memtable\" value: 1 }"), "t");
  ASSERT_FALSE(wrong.ok());
  EXPECT_TRUE(contains(wrong.error().message, "did you mean \"memtable_bytes\"?"))
      << wrong.error().message;
  const auto beyond =
      parse_scenario(concat(kStormy, "tunable { name: \"compression\" value: 99 }"), "t");
  ASSERT_FALSE(beyond.ok());
  EXPECT_TRUE(contains(beyond.error().message, "lies between 0 and 2")) << beyond.error().message;
}

TEST(Overrides, a_script_is_held_to_its_workload) {
  const std::string text = kStormy;
  const std::size_t at = text.find("  registers {"), end = text.find('\n', at);
  const auto with = [&](const std::string& steps) {
    const auto scenario =
        parse_scenario(text.substr(0, at) + "script { " + steps + " }" + text.substr(end), "t");
    return scenario.ok() ? std::string() : scenario.error().message;
  };
  EXPECT_EQ(with("step { at: \"1s\" client: 6 key: \"a\" what: WRITE }"), "");
  EXPECT_TRUE(
      contains(with("step { at: \"1s\" client: 7 key: \"a\" }"), "one of the workload's 6"));
  EXPECT_TRUE(contains(with("step { at: \"3s\" client: 1 key: \"a\" }"), "after the end"));
  EXPECT_TRUE(contains(with("step { at: \"1s\" client: 1 key: \"a\" expire_after: \"1s\" }"),
                       "only what is written expires"));
}

}  // namespace
}  // namespace ringside::lab
