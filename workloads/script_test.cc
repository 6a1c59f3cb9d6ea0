// Scripts: what a workload on registers did, written down and played again.
#include <gtest/gtest.h>

#include "workloads/test_host.h"
#include "workloads/workload.h"

namespace ringside {
namespace {

struct ScriptRun {
  History history;
  std::vector<ScriptStep> steps;
};

Task<void> script_program(TestHost& host, TestStore& store, WorkloadSpec spec, HistorySink& sink) {
  co_await run_workload(host, store, spec, sink);
}

ScriptRun play_script(const WorkloadSpec& spec) {
  TestHost host(1);
  TestStore store(host, kFirstClient + spec.process);
  HistoryRecorder recorder([&host] { return host.now(); });
  recorder.keep_steps();
  host.spawn(script_program(host, store, spec, recorder));
  host.run_until(1000 * kSecond);
  EXPECT_TRUE(host.done());
  return {recorder.take(), recorder.take_steps()};
}

const WorkloadSpec kStorm{
    .what =
        RegistersSpec{
            .keys = 5, .writes = 0.6, .blind_writes = 0.2, .deletes = 0.2, .expires = 0.3},
    .clients = 4,
    .rate = 200,
    .end = 3 * kSecond};

WorkloadSpec scripted(std::vector<ScriptStep> steps) {
  WorkloadSpec spec = kStorm;
  spec.rate = 0;
  spec.what = ScriptSpec{std::move(steps), 100};
  return spec;
}

TEST(Script, plays_what_registers_did_to_the_last_operation) {
  const ScriptRun written = play_script(kStorm);
  ASSERT_GT(written.steps.size(), 300u);
  const ScriptRun again = play_script(scripted(written.steps));
  ASSERT_EQ(written.history.operations.size(), again.history.operations.size());
  for (std::size_t i = 0; i < written.history.operations.size(); ++i) {
    const Operation& before = written.history.operations[i];
    const Operation& after = again.history.operations[i];
    EXPECT_EQ(before.id, after.id) << i;
    EXPECT_EQ(before.invoked, after.invoked) << i;
    EXPECT_EQ(before.finished, after.finished) << i;
    EXPECT_EQ(before.value, after.value) << i;
    EXPECT_EQ(before.action, after.action) << i;
    EXPECT_EQ(written.history.keys[before.key], again.history.keys[after.key]) << i;
  }
}

TEST(Script, a_step_that_is_taken_out_changes_no_number_of_another) {
  std::vector<ScriptStep> steps = play_script(kStorm).steps;
  std::vector<ScriptStep> fewer(steps.begin() + 100, steps.end());
  const ScriptRun again = play_script(scripted(fewer));
  ASSERT_EQ(again.steps.size(), fewer.size());
  for (std::size_t i = 0; i < fewer.size(); ++i) {
    EXPECT_EQ(again.steps[i].at, fewer[i].at);
    EXPECT_EQ(again.steps[i].numbers.front(), fewer[i].numbers.front());
  }
}

TEST(Script, operations_without_a_number_are_counted_from_the_greatest_on) {
  ScriptStep numbered{.key = "a", .what = ScriptStep::What::kBlindWrite, .numbers = {40}};
  ScriptStep counted{.at = kSecond, .key = "a", .what = ScriptStep::What::kWrite};
  const ScriptRun run = play_script(scripted({counted, numbered}));
  ASSERT_EQ(run.history.operations.size(), 3u);
  EXPECT_EQ(static_cast<uint32_t>(run.history.operations[0].id), 40u);
  EXPECT_EQ(static_cast<uint32_t>(run.history.operations[1].id), 41u);
  EXPECT_EQ(static_cast<uint32_t>(run.history.operations[2].id), 42u);
}

TEST(Script, nothing_starts_at_or_after_the_end) {
  ScriptStep late{.at = 3 * kSecond, .key = "a"};
  ScriptStep early{.at = 2 * kSecond, .key = "a"};
  EXPECT_EQ(play_script(scripted({late, early})).history.operations.size(), 1u);
}

TEST(Script, without_steps_or_without_a_key_is_refused) {
  EXPECT_FALSE(check_workload(scripted({})).ok());
  EXPECT_FALSE(check_workload(scripted({ScriptStep{}})).ok());
  EXPECT_TRUE(check_workload(scripted({ScriptStep{.key = "a"}})).ok());
}

}  // namespace
}  // namespace ringside
