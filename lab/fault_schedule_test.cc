// Faults through the front: each kind does what it says, and is told as it was resolved.
#include <gtest/gtest.h>

#include <set>

#include "lab/experiment.h"
#include "lab/text.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

// A small cluster for three seconds with these faults.
RunResult play(const std::string& faults, uint64_t seed = 1, const RunOptions& options = {}) {
  const std::string text = concat(R"(name: "faults"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 request_timeout: "200ms" } } }
workload { registers { keys: 10 } clients: 6 rate: "200/s" timeout: "500ms" for: "3s" }
expect {
  evidence { acknowledged_writes: 20 verified_reads: 20 final_reads: 10 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
  replicas_keep_acknowledged: true
}
)",
                                  faults);
  const auto scenario = parse_scenario(text, "faults.textproto");
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().message);
  if (!scenario.ok()) return {};
  Result<RunResult> result = run_scenario(**scenario, seed, options);
  EXPECT_TRUE(result.ok());
  return result.ok() ? std::move(*result) : RunResult{};
}

double metric(const RunResult& result, const std::string& name) {
  for (const Metric& metric : result.metrics) {
    if (metric.name == name) return metric.value;
  }
  return -1;
}

std::string broken(const RunResult& result) {
  std::string text;
  for (const Expectation& line : result.expectations) {
    if (!line.holds) append(text, line.name, ": ", line.detail, "\n");
  }
  return text;
}

TEST(FaultSchedule, machines_that_go_down_come_back_and_keep_what_they_promised) {
  const RunResult result = play(R"(
    fault { at: "500ms" crash { place: "east-a-1" } restart_after: "300ms" }
    fault { at: "1s" power_loss { machines: 1 } restart_after: "300ms" }
    fault { at: "2s" blackout {} restart_after: "200ms" })");
  EXPECT_EQ(broken(result), "");
  EXPECT_EQ(metric(result, "restarts"), 1 + 1 + 3);
  ASSERT_EQ(result.faults.size(), 3u);
  EXPECT_EQ(result.faults[0], "500ms crash of east-a-1, restart after 300ms");
}

TEST(FaultSchedule, a_machine_that_two_faults_hold_down_comes_back_after_the_later_one) {
  const RunResult result = play(R"(
    fault { at: "1s" crash { place: "east-a-1" } restart_after: "1500ms" }
    fault { at: "1200ms" power_loss { place: "east-a-1" } restart_after: "100ms" })");
  EXPECT_EQ(broken(result), "");
  EXPECT_EQ(metric(result, "restarts"), 1);
}

TEST(FaultSchedule, a_fault_hung_on_a_probe_strikes_the_node_that_reaches_it) {
  const RunResult result = play(R"(
    fault { at: "1s" for: "500ms" partition { isolate: "east-c" } }
    fault { on_probe: "dynamo.read_repair" power_loss {} restart_after: "200ms" })");
  EXPECT_EQ(broken(result), "");
  EXPECT_EQ(metric(result, "restarts"), 1);
  ASSERT_EQ(result.faults.size(), 3u);
  EXPECT_TRUE(contains(result.faults[2], "probe dynamo.read_repair reached by node "));
}

TEST(FaultSchedule, what_is_still_down_at_the_end_of_the_workload_is_healed) {
  const RunResult result = play(R"(
    fault { at: "2900ms" power_loss { machines: 1 } restart_after: "1h" }
    fault { at: "2900ms" for: "1h" partition { isolate: "east-b" } })");
  EXPECT_EQ(broken(result), "");
  EXPECT_EQ(metric(result, "restarts"), 1);
}

TEST(FaultSchedule, a_one_way_partition_loses_frames_one_way_only) {
  for (const char* direction : {"INBOUND", "OUTBOUND"}) {
    std::vector<std::string> lost;
    RunOptions options;
    options.on_log = [&](const LogLine& line) {
      if (contains(line.text, "never gets")) lost.push_back(concat(line.node, " ", line.text));
    };
    play(concat(R"(fault { at: "1s" for: "1s" partition { isolate: "east-b-1" direction: )",
                direction, " } }"),
         1, options);
    ASSERT_FALSE(lost.empty());
    for (const std::string& line : lost) {
      EXPECT_EQ(line.starts_with("2 "), std::string(direction) == "INBOUND") << line;
    }
  }
}

TEST(FaultSchedule, the_seed_draws_the_victims_and_nothing_else_does) {
  const char* fault = R"(fault { at: "1s" crash { machines: 1 } })";
  std::set<std::string> victims;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const RunResult result = play(fault, seed);
    EXPECT_EQ(result.faults, play(fault, seed).faults);
    victims.insert(result.faults[0]);
  }
  EXPECT_EQ(victims.size(), 3u);
}

}  // namespace
}  // namespace ringside::lab
