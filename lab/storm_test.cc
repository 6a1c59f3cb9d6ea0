// Storms: every kind of fault survives the way from a scenario to the simulator's structs and back,
// and one run's storm can be given to another.
#include "lab/storm.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <set>

#include "lab/experiment.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

std::unique_ptr<scenario::Scenario> scenario_with(const std::string& faults,
                                                  const std::string& workload = "for: \"8s\"") {
  const std::string text = concat(R"(name: "storm"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 request_timeout: "200ms" } } }
cpu { per_event: "1us" }
workload { registers { keys: 10 } clients: 6 rate: "100/s" timeout: "500ms" )",
                                  workload, R"( }
phases { final_reads: 2 }
expect {
  evidence { acknowledged_writes: 20 verified_reads: 20 excuse_damaged_disks: true }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)",
                                  faults);
  Result<std::unique_ptr<scenario::Scenario>> scenario = parse_scenario(text, "storm.textproto");
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().message);
  return scenario.ok() ? std::move(*scenario) : nullptr;
}

constexpr const char* kEveryKind = R"(
fault { at: "1s" for: "1s" partition { isolate: "east-a" } }
fault { at: "1s" for: "1s" partition { from: "east-a" to: "east-b" direction: INBOUND refuse: true } }
fault { at: "1100ms" restart_after: "300ms" crash { machines: 1 } }
fault { at: "1200ms" restart_after: "300ms" power_loss { place: "east-b" } }
fault { at: "1300ms" restart_after: "300ms" blackout {} }
fault { at: "1400ms" restart_after: "300ms" disk_loss { place: "east-c-1" } }
fault { at: "1500ms" for: "1s" links { isolate: "east-a-1" slower: 3 longer: "1500us" } }
fault { at: "1s" for: "1s" links { from: "east-a" to: "client-1" loss: 0.1 duplication: 0.2 corruption: 0.3 } }
fault { at: "1s" for: "1s" links { isolate: "east-b" bytes_per_second: 100000 } }
fault { at: "1s" for: "1s" links { isolate: "east-b" clog: true } }
fault { at: "2s" for: "1s" links { isolate: "east-b" half_open: true } }
fault { at: "2s" for: "1s" links { isolate: "east-b" lookup_fails: true } }
fault { at: "2s" for: "1s" links { isolate: "east-b" flap { up: "10ms" down: "20ms" } } }
fault { at: "3s" for: "1s" links { isolate: "east-b" reset_every: "50ms" } }
fault { at: "3s" restart_after: "300ms" out_of_memory { machines: 1 } }
fault { at: "3s" for: "300ms" pause { place: "east-a-1" } }
fault { at: "3s" for: "1s" throttle { place: "east-a-1" slower: 20 } }
fault { at: "3s" for: "1s" clock { place: "east-a-1" forward: "1h" } }
fault { at: "3s" for: "1s" clock { place: "east-b-1" back: "1s" } }
fault { at: "3s" for: "1s" clock { place: "east-c-1" drift_ppm: -300 } }
fault { at: "4s" restart_after: "300ms" older_disk { place: "east-c-1" age: "1s" } }
fault { at: "4s" for: "1s" disk { place: "east-c-1" read_error: 0.1 write_error: 0.01 sync_error: 0.01 files: "log" } }
fault { at: "5s" for: "1s" disk { place: "east-c-1" sync_fails_once: true sync_lies: 0.5 name_sync_lies: 0.5 short_read: 0.1 } }
fault { at: "5s" for: "1s" disk { place: "east-c-1" misdirected_read: 0.1 misdirected_write: 0.1 rot_on_read: 0.1 } }
fault { at: "5s" for: "500ms" disk { place: "east-c-1" full: true slower: 2 gray { good: "1s" bad: "1s" slower: 9 } } }
fault { at: "6s" for: "200ms" disk { place: "east-c-1" dead: true } }
fault { at: "6s" rot { place: "east-c-1" files: "tables/" flips: 3 } }
fault { at: "6s" restart_after: "100ms" restart_loop { place: "east-a-1" times: 3 every: "200ms" } }
fault { at: "7s" restart_after: "100ms" rolling_restart { every: "200ms" } }
fault { on_probe: "dynamo.read_repair" restart_after: "100ms" crash {} }
)";

TEST(Storm, every_kind_of_fault_survives_the_way_there_and_back) {
  const auto written = scenario_with(kEveryKind);
  ASSERT_NE(written, nullptr);
  // Every field of a fault is among them.
  for (int i = 0; i < scenario::Fault::descriptor()->field_count(); ++i) {
    const auto* field = scenario::Fault::descriptor()->field(i);
    bool said = false;
    for (const scenario::Fault& fault : written->fault())
      said = said || fault.GetReflection()->HasField(fault, field);
    EXPECT_TRUE(said) << field->name();
  }
  const Result<Plan> plan = make_plan(*written, 7, false);
  ASSERT_TRUE(plan.ok());
  const std::string storm = storm_text(*written, *plan);

  uint32_t left_out = 0;
  const Result<std::string> again = with_storm(*written, storm, &left_out);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(left_out, 0u);
  const auto reread = parse_scenario(*again, "again.textproto");
  ASSERT_TRUE(reread.ok()) << reread.error().message << "\n" << *again;
  const Result<Plan> second = make_plan(**reread, 8, false);  // nothing is left to the seed
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(storm_text(**reread, *second), storm);
  ASSERT_EQ(second->faults.size(), plan->faults.size());
  for (std::size_t i = 0; i < plan->faults.size(); ++i) {
    EXPECT_EQ(sim::describe(second->faults[i], second->world.topology),
              sim::describe(plan->faults[i], plan->world.topology));
  }
}

TEST(Storm, every_kind_of_fault_plays_and_loses_nothing) {
  const auto scenario = scenario_with(kEveryKind);
  ASSERT_NE(scenario, nullptr);
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Result<RunResult> result = run_scenario(*scenario, seed);
    ASSERT_TRUE(result.ok());
    for (const Expectation& line : result->expectations)
      EXPECT_TRUE(line.holds) << line.name << ": " << line.detail;
    EXPECT_GE(result->faults.size(), 30u);
  }
}

TEST(Storm, the_storm_of_one_run_is_the_storm_of_another_scenario) {
  const auto drawn = scenario_with(
      R"(swarm { profile: EVERYTHING interval_min: "200ms" interval_max: "1s" down_min: "20ms" down_max: "500ms" })");
  ASSERT_NE(drawn, nullptr);
  const Result<RunResult> first = run_scenario(*drawn, 5);
  ASSERT_TRUE(first.ok());
  ASSERT_FALSE(first->storm.empty());
  const auto calm = scenario_with("", "for: \"4s\"");
  uint32_t left_out = 0;
  const Result<std::string> text = with_storm(*calm, first->storm, &left_out);
  ASSERT_TRUE(text.ok());
  const auto given = parse_scenario(*text, "given.textproto");
  ASSERT_TRUE(given.ok()) << given.error().message;
  const Result<RunResult> second = run_scenario(**given, 99);
  ASSERT_TRUE(second.ok());
  // All lines of the first run that begin within the second's workload, tunables apart.
  const auto lines = [](const std::string& storm) {
    const std::vector<std::string> all = split(storm, '\n');
    return std::set<std::string>(all.begin(), all.end());
  };
  const std::set<std::string> met = lines(second->storm);
  const std::set<std::string> all = lines(first->storm);
  EXPECT_GT(met.size(), 1u);
  EXPECT_EQ(met.size() + left_out, all.size());
  for (const std::string& line : met) EXPECT_TRUE(all.count(line)) << line;
}

TEST(Storm, a_machine_that_the_other_scenario_lacks_is_named) {
  const auto calm = scenario_with("");
  uint32_t left_out = 0;
  const Result<std::string> text = with_storm(
      *calm, R"(fault { at: "1s" restart_after: "1s" crash { place: "west-a-1" } })", &left_out);
  ASSERT_TRUE(text.ok());
  const auto given = parse_scenario(*text, "given.textproto");
  ASSERT_FALSE(given.ok());
  EXPECT_TRUE(
      contains(given.error().message, "\"west-a-1\" names no region, zone, rack or machine"));
}

TEST(Storm, the_same_storm_gives_the_same_run) {
  const auto drawn =
      scenario_with(R"(swarm { profile: HARDWARE interval_min: "1s" interval_max: "3s" })");
  const Result<RunResult> first = run_scenario(*drawn, 3);
  uint32_t left_out = 0;
  const auto given = parse_scenario(*with_storm(*drawn, first->storm, &left_out), "given");
  ASSERT_TRUE(given.ok()) << given.error().message;
  EXPECT_EQ(left_out, 0u);
  EXPECT_EQ(run_scenario(**given, 3)->storm, first->storm);
}

}  // namespace
}  // namespace ringside::lab
