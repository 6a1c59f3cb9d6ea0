// The shrinker against failures that are made up, whose smallest form is known; and once against a
// run of the real thing.
#include "lab/shrink.h"

#include <gtest/gtest.h>

#include "lab/anomaly.h"
#include "lab/overrides.h"
#include "lab/recording.h"
#include "lab/shrink_recording.h"
#include "lab/shrink_trials.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using Fails = std::function<bool(const scenario::Scenario&)>;

class MadeUpTrials final : public Trials {
 public:
  explicit MadeUpTrials(Fails fails) : fails_(std::move(fails)) {}
  std::optional<std::size_t> first_that_fails(
      const std::vector<scenario::Scenario>& candidates) override {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      ++tried;
      if (fails_(candidates[i])) return i;
    }
    return std::nullopt;
  }
  bool enough() const override { return most != 0 && tried >= most; }

  uint64_t tried = 0;
  uint64_t most = 0;

 private:
  Fails fails_;
};

// Three zones of two machines, 40 faults, 200 operations by 12 clients on 10 keys.
scenario::Scenario large() {
  scenario::Scenario scenario;
  scenario::Region& region = *scenario.mutable_topology()->add_region();
  region.set_name("east");
  region.set_zones(3);
  region.set_machines_per_zone(2);
  scenario.mutable_cpu()->set_per_event("1us");
  scenario.set_seed(5);
  scenario::Workload& workload = *scenario.mutable_workload();
  workload.set_for_("10s");
  workload.set_clients(12);
  workload.set_processes(3);
  for (int i = 0; i < 40; ++i) {
    scenario::Fault& fault = *scenario.add_fault();
    fault.set_at(concat(100 + i * 200, "ms"));
    fault.set_restart_after("800ms");
    fault.mutable_crash()->add_place(i % 2 == 0 ? "east-a-1" : "east-b-2");
    fault.mutable_crash()->add_place("east-c-1");
  }
  for (int i = 0; i < 200; ++i) {
    scenario::Script::Step& step = *workload.mutable_script()->add_step();
    step.set_at(concat(i * 45, "ms"));
    step.set_client(static_cast<uint32_t>(i % 12 + 1));
    step.set_key(concat("register-", i * 7 % 10));
    step.set_what(i % 2 == 0 ? scenario::Script::WRITE : scenario::Script::READ);
    step.add_number(static_cast<uint32_t>(i + 1));
  }
  for (const char* name : {"memtable_bytes", "tables_max", "hedge_after"}) {
    scenario.add_tunable()->set_name(name);
  }
  return scenario;
}

bool has_fault_at(const scenario::Scenario& scenario, const std::string& at) {
  for (const scenario::Fault& fault : scenario.fault()) {
    if (span_of(fault.at()) / 100'000'000 == span_of(at) / 100'000'000 &&
        fault.crash().place_size() > 0)
      return true;
  }
  return false;
}

bool has_step(const scenario::Scenario& scenario, uint32_t number) {
  for (const scenario::Script::Step& step : scenario.workload().script().step()) {
    if (step.number_size() > 0 && step.number(0) == number) return true;
  }
  return false;
}

TEST(Shrink, finds_the_two_faults_and_three_operations_that_it_takes) {
  MadeUpTrials trials([](const scenario::Scenario& scenario) {
    return has_fault_at(scenario, "1500ms") && has_fault_at(scenario, "4100ms") &&
           has_step(scenario, 7) && has_step(scenario, 90) && has_step(scenario, 91);
  });
  const scenario::Scenario small = shrink(large(), trials, {});
  EXPECT_EQ(small.fault_size(), 2);
  EXPECT_EQ(small.workload().script().step_size(), 3);
  EXPECT_EQ(small.tunable_size(), 0);
  EXPECT_FALSE(small.has_cpu());
  EXPECT_LE(span_of(small.workload().for_()), 5 * kSecond);
  EXPECT_LT(trials.tried, 800u);
  for (const scenario::Fault& fault : small.fault()) {
    EXPECT_EQ(fault.crash().place_size(), 1);
    EXPECT_LE(span_of(fault.restart_after()), 100 * kMillisecond);
  }
}

TEST(Shrink, comes_to_the_same_whoever_tries_and_to_what_fails) {
  const Fails fails = [](const scenario::Scenario& scenario) {
    return scenario.fault_size() >= 3 && scenario.workload().script().step_size() % 5 == 0 &&
           scenario.workload().script().step_size() > 0;
  };
  MadeUpTrials first(fails), second(fails);
  const scenario::Scenario a = shrink(large(), first, {}), b = shrink(large(), second, {});
  EXPECT_EQ(a.SerializeAsString(), b.SerializeAsString());
  EXPECT_TRUE(fails(a));
  EXPECT_EQ(a.fault_size(), 3);
}

TEST(Shrink, ends_with_what_it_has_when_its_time_is_up) {
  const Fails fails = [](const scenario::Scenario& scenario) {
    return has_fault_at(scenario, "1500ms") && has_step(scenario, 7);
  };
  MadeUpTrials trials(fails);
  trials.most = 10;
  const scenario::Scenario small = shrink(large(), trials, {});
  EXPECT_TRUE(fails(small));
  EXPECT_LT(trials.tried, 40u);
}

TEST(Shrink, a_machine_that_is_taken_out_stands_by_and_no_fault_strikes_it) {
  const scenario::Scenario before = large();
  const scenario::Scenario after = without(before, Part::kMachines, 0, 1);
  EXPECT_EQ(size_of(after).machines, 5u);
  EXPECT_EQ(after.topology().spare(0), "east-a-1");
  for (const scenario::Fault& fault : after.fault())
    for (const std::string& place : fault.crash().place()) EXPECT_NE(place, "east-a-1");
  // Those that struck it alone are gone: here none, since each strikes east-c-1 too.
  EXPECT_EQ(after.fault_size(), before.fault_size());
  EXPECT_EQ(without(after, Part::kMachines, 3, 4).topology().spare(1), "east-c-1");
}

TEST(Shrink, machines_that_stand_by_leave_the_topology) {
  scenario::Scenario scenario = large();
  for (const char* machine : {"east-a-1", "east-b-1", "east-c-2"})
    scenario.mutable_topology()->add_spare(machine);
  const Alternatives smaller = smaller_topologies(scenario);
  ASSERT_EQ(smaller.size(), 1u);  // three zones of one
  EXPECT_EQ(size_of(smaller[0]).machines, 3u);
  EXPECT_EQ(smaller[0].topology().spare_size(), 0);
  EXPECT_EQ(smaller[0].topology().region(0).machines_per_zone(), 1u);
  EXPECT_EQ(smaller[0].fault(1).crash().place(0), "east-b-1");  // was east-b-2
  scenario.mutable_topology()->add_spare("east-a-2");
  const Alternatives two = smaller_topologies(scenario);
  ASSERT_EQ(two.size(), 1u);
  EXPECT_EQ(two[0].topology().region(0).zones(), 2u);
  EXPECT_TRUE(smaller_topologies(large()).empty());
}

TEST(Shrink, what_ends_earlier_has_nothing_that_begins_later) {
  const scenario::Scenario early = cut_after(large(), kSecond);
  for (const scenario::Fault& fault : early.fault()) EXPECT_LT(span_of(fault.at()), kSecond);
  for (const scenario::Script::Step& step : early.workload().script().step())
    EXPECT_LT(span_of(step.at()), kSecond);
  EXPECT_EQ(early.fault_size(), 5);
}

// Three machines, a client that writes, and a crash.
constexpr const char* kPlain = R"(name: "plain"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { for: "300ms" script { step { at: "100ms" client: 1 key: "k" what: BLIND_WRITE } } }
fault { at: "200ms" crash { place: "east-a-1" } restart_after: "10ms" }
expect { evidence { acknowledged_writes: 1 } }
seed: 7
)";

// A fresh process plays another run when a machine crashed.
std::vector<Again> differs_when_it_crashed(const std::vector<std::string>& recordings, unsigned) {
  std::vector<Again> verdicts;
  for (const std::string& path : recordings) {
    const Result<Recording> recording = read_recording(path);
    CHECK(recording.ok() && recording->finished && recording->seed == 7);
    verdicts.push_back(contains(recording->scenario_text, "crash") ? Again::kDifferent
                                                                   : Again::kSame);
  }
  return verdicts;
}

TEST(Trials, a_run_that_a_fresh_process_plays_otherwise_fails_if_it_tests_something) {
  const std::unique_ptr<scenario::Scenario> crashes = parse_scenario(kPlain, "plain").value();
  scenario::Scenario calm = *crashes, idle = *crashes;
  calm.clear_fault();
  idle.mutable_workload()->mutable_script()->clear_step();
  WorkerTrials trials(replay_anomaly(), {.jobs = 2,
                                         .seconds_max = 0,
                                         .on_progress = {},
                                         .play_again = differs_when_it_crashed,
                                         .tested = true});
  EXPECT_EQ(trials.all({calm, *crashes, idle}), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(trials.first_that_fails({calm, idle, *crashes}), 2u);
  EXPECT_EQ(trials.played(), 3u);  // each once
  WorkerTrials alone(
      replay_anomaly(),
      {.jobs = 1, .seconds_max = 0, .on_progress = {}, .play_again = {}, .tested = true});
  EXPECT_EQ(alone.first_that_fails({*crashes}), std::nullopt);
}

TEST(Anomalies, a_run_that_tested_nothing_has_none) {
  RunResult result;
  result.expectations = {{"evidence", false, "nothing was tested: 0 acknowledged writes"},
                         {"acknowledged_writes", false, "3 of 90 lost"},
                         {"no_resurrection", true, "fine"},
                         {"converges_within", false,
                          "2 of 9 keys differ between replicas, 5 s after the healing; node 3 does "
                          "not run at the end"}};
  const std::vector<Anomaly> found = anomalies_of(result);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(anomaly_text(found[0]), "acknowledged_writes: lost");
  EXPECT_EQ(anomaly_text(found[1]), "converges_within: replicas differ");
  EXPECT_EQ(anomaly_text(found[2]), "converges_within: a node does not run");
  EXPECT_EQ(choose_anomaly(found, "converges_within"), found[1]);
  EXPECT_EQ(choose_anomaly(found, "linearizable"), std::nullopt);
}

TEST(Anomalies, only_what_is_violated_is_expected_of_a_shrunk_scenario) {
  scenario::Scenario scenario;
  scenario::Expect& expect = *scenario.mutable_expect();
  expect.mutable_evidence()->set_acknowledged_writes(100);
  expect.mutable_evidence()->set_excuse_damaged_disks(true);
  expect.set_linearizable(true);
  expect.set_acknowledged_writes(scenario::Expect::PRESENT_OR_SUPERSEDED);
  expect_only({"acknowledged_writes", "lost"}, scenario);
  EXPECT_TRUE(expect.has_acknowledged_writes());
  EXPECT_FALSE(expect.has_linearizable());
  EXPECT_EQ(expect.evidence().acknowledged_writes(), 1u);
  EXPECT_TRUE(expect.evidence().excuse_damaged_disks());
}

}  // namespace
}  // namespace ringside::lab
