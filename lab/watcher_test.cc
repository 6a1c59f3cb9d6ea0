#include "lab/watcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lab/experiment.h"

namespace ringside::lab {
namespace {

constexpr const char* kScenario = R"(name: "watched"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 request_timeout: "200ms" } } }
workload { registers { keys: 5 } clients: 3 rate: "200/s" timeout: "400ms" for: "5s" }
fault { at: "1s" for: "1s" partition { isolate: "east-b" } }
fault { at: "3s" power_loss { place: "east-a-1" } restart_after: "500ms" }
expect {
  evidence { acknowledged_writes: 5 verified_reads: 5 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)";

struct Watched {
  RunResult result;
  std::vector<record::Snapshot> snapshots;
  std::size_t steps = 0;
};

Watched play(Duration every) {
  auto scenario = parse_scenario(kScenario, "watched.textproto");
  EXPECT_TRUE(scenario.ok());
  Watched watched;
  RunOptions options;
  if (every > 0) {
    options.snapshot_every = every;
    options.on_snapshot = [&](std::string_view bytes) {
      EXPECT_TRUE(watched.snapshots.emplace_back().ParseFromArray(bytes.data(),
                                                                  static_cast<int>(bytes.size())));
    };
  }
  options.on_steps = [&](const std::vector<ScriptStep>& steps) { watched.steps = steps.size(); };
  auto result = run_scenario(**scenario, 3, options);
  EXPECT_TRUE(result.ok());
  watched.result = std::move(*result);
  return watched;
}

double metric(const RunResult& result, const std::string& name) {
  for (const Metric& one : result.metrics) {
    if (one.name == name) return one.value;
  }
  ADD_FAILURE() << name;
  return -1;
}

TEST(Watcher, a_run_that_is_watched_is_the_same_run) {
  const Watched alone = play(0);
  EXPECT_TRUE(alone.snapshots.empty());
  EXPECT_GT(alone.steps, 100u);
  for (const Duration every : {kMillisecond, 100 * kMillisecond, 10 * kSecond}) {
    const Watched watched = play(every);
    EXPECT_EQ(watched.result.fingerprint, alone.result.fingerprint);
    EXPECT_EQ(watched.result.history_hash, alone.result.history_hash);
    EXPECT_EQ(watched.steps, alone.steps);
    EXPECT_FALSE(watched.snapshots.empty());
  }
}

TEST(Watcher, snapshots_come_in_order_at_whole_steps_and_end_with_the_last) {
  const Watched watched = play(100 * kMillisecond);
  ASSERT_GT(watched.snapshots.size(), 40u);  // none where nothing happens
  for (std::size_t i = 0; i < watched.snapshots.size(); ++i) {
    const record::Snapshot& snapshot = watched.snapshots[i];
    const bool last = i + 1 == watched.snapshots.size();
    EXPECT_EQ(snapshot.last(), last);
    if (!last) {
      EXPECT_EQ(snapshot.now() % (100 * kMillisecond), 0);
    }
    if (i > 0) {
      EXPECT_GT(snapshot.now(), watched.snapshots[i - 1].now());
      EXPECT_GE(snapshot.frames_sent(), watched.snapshots[i - 1].frames_sent());
    }
  }
}

TEST(Watcher, the_last_snapshot_says_what_the_verdict_says) {
  const Watched watched = play(100 * kMillisecond);
  const record::Snapshot& last = watched.snapshots.back();
  EXPECT_EQ(static_cast<double>(last.frames_sent()), metric(watched.result, "frames_sent"));
  EXPECT_EQ(static_cast<double>(last.frames_lost()), metric(watched.result, "frames_lost"));
  EXPECT_EQ(last.writes_ok() + last.reads_ok() + last.failed() + last.unknown(),
            watched.result.operations);
  std::map<std::string, uint64_t> probes;
  for (const record::Snapshot& snapshot : watched.snapshots) {
    for (const auto& probe : snapshot.reached()) probes[probe.name()] = probe.times();
  }
  EXPECT_FALSE(probes.empty());
  for (const auto& [name, times] : probes)
    EXPECT_EQ(static_cast<double>(times), metric(watched.result, "probe " + name));
}

TEST(Watcher, a_fault_shows_while_it_lasts) {
  const Watched watched = play(100 * kMillisecond);
  std::set<std::string> states;
  bool told = false;
  for (const record::Snapshot& snapshot : watched.snapshots) {
    states.insert(snapshot.nodes());
    for (const auto& event : snapshot.event())
      told = told || event.text() == "power loss of east-a-1";
  }
  EXPECT_TRUE(states.contains("uuu"));
  EXPECT_TRUE(states.contains("duu"));
  EXPECT_TRUE(told);
  EXPECT_EQ(watched.snapshots.back().nodes(), "uuu");
}

}  // namespace
}  // namespace ringside::lab
