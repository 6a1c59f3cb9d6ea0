#include "lab/online_judge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/linearizability.h"
#include "lab/experiment.h"
#include "lab/text.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

const std::string kStops =
    std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/violations/linearizable_stops_the_run.textproto";

RunResult play(const scenario::Scenario& scenario, uint64_t seed) {
  Result<RunResult> result = run_scenario(scenario, seed);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return *std::move(result);
}

History history_of(const RunResult& result) {
  Result<History> history = decode_history(result.history);
  EXPECT_TRUE(history.ok());
  return *std::move(history);
}

// The same run, to its end, has the same operations up to where the other one stopped.
TEST(OnlineJudge, a_run_ends_at_the_call_that_breaks_a_register_and_not_before) {
  auto scenario = load_scenario(kStops);
  ASSERT_TRUE(scenario.ok());
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    (*scenario)->set_stop_at_violation(true);
    const RunResult stopped = play(**scenario, seed);
    (*scenario)->set_stop_at_violation(false);
    const RunResult whole = play(**scenario, seed);
    EXPECT_LT(stopped.events, whole.events / 4);
    EXPECT_FALSE(whole.holds);
    ASSERT_EQ(stopped.expectations.size(), 1u);
    EXPECT_EQ(stopped.expectations[0].name, "linearizable");
    EXPECT_FALSE(stopped.expectations[0].holds);
    EXPECT_TRUE(contains(stopped.expectations[0].detail, "the run was stopped there, "));

    // The zone test agrees: with the last call it is broken, without it it is not.
    History history = history_of(stopped);
    EXPECT_EQ(check_linearizability(history).keys_violated, 1u);
    const auto last = std::ranges::max_element(
        history.operations, {}, [](const Operation& op) { return op.ok() ? op.finished : -1; });
    EXPECT_EQ(static_cast<double>(last->finished) / 1e9, stopped.simulated_seconds);
    last->outcome = Outcome::kUnknown;
    last->finished = kNever;
    EXPECT_TRUE(check_linearizability(history).linearizable());

    const History full = history_of(whole);
    ASSERT_LT(history.operations.size(), full.operations.size());
    for (std::size_t i = 0; i < history.operations.size(); ++i) {
      const Operation &one = history.operations[i], &same = full.operations[i];
      EXPECT_EQ(one.id, same.id);
      EXPECT_EQ(one.invoked, same.invoked);
    }
  }
}

TEST(OnlineJudge, a_register_that_holds_is_played_and_judged_to_its_end_as_without) {
  auto scenario = load_scenario(kStops);
  ASSERT_TRUE(scenario.ok());
  auto& dynamo = *(*scenario)->mutable_cluster()->mutable_strategy()->mutable_dynamo();
  dynamo.set_n(1);  // one replica is one register
  const RunResult with = play(**scenario, 3);
  (*scenario)->set_stop_at_violation(false);
  const RunResult without = play(**scenario, 3);
  EXPECT_TRUE(with.holds);
  EXPECT_EQ(with.fingerprint, without.fingerprint);
  EXPECT_EQ(with.history, without.history);
  EXPECT_EQ(with.expectations.size(), without.expectations.size());
}

TEST(OnlineJudge, stopping_needs_the_expectation_that_stops) {
  auto scenario = load_scenario(kStops);
  ASSERT_TRUE(scenario.ok());
  (*scenario)->mutable_expect()->clear_linearizable();
  const auto refused = parse_scenario((*scenario)->DebugString(), "x.textproto");
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(contains(refused.error().message, "needs expect { linearizable: true }"))
      << refused.error().message;
}

}  // namespace
}  // namespace ringside::lab
