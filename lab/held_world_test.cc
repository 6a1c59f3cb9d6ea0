#include "lab/held_world.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <map>

#include "lab/result_message.h"
#include "lab/walk.h"

namespace ringside::lab {
namespace {

using End = WorkerResult::End;

const std::string kScenario =
    std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/violations/acknowledged_writes.textproto";

std::unique_ptr<scenario::Scenario> scenario_of_test() {
  auto scenario = load_scenario(kScenario);
  CHECK(scenario.ok());
  return std::move(*scenario);
}

// Without the history, which stays with a worker.
std::string bytes_of(const RunResult& result) { return encode_result(result); }

// Played in one go, from the beginning, in this process.
RunResult from_the_beginning(const scenario::Scenario& scenario, const Onward& until,
                             uint64_t seed) {
  int stood = 0;
  RunOptions options;
  options.on_stand = [&](const Standing& here) -> Onward {
    if (++stood == 1) return until;
    EXPECT_FALSE(here.over);
    return {.seed = seed};
  };
  Result<RunResult> result = run_scenario(scenario, 1, options);
  CHECK(result.ok());
  EXPECT_EQ(stood, 2);
  return std::move(*result);
}

std::map<uint64_t, WorkerResult> futures_of(HeldWorld& world, const std::vector<uint64_t>& seeds,
                                            unsigned jobs = 2) {
  std::map<uint64_t, WorkerResult> results;
  WorkerOptions options;
  options.jobs = jobs;
  options.on_result = [&](WorkerResult run) {
    results[run.seed] = std::move(run);
    return true;
  };
  run_launched(seeds, [&](uint64_t seed) { return world.future(seed); }, options);
  return results;
}

std::unique_ptr<HeldWorld> held_at(const scenario::Scenario& scenario, const Onward& until,
                                   const HeldOptions& options = {}) {
  auto held = HeldWorld::begin(scenario, 1, options);
  CHECK(held.ok());
  EXPECT_EQ((*held)->here().events(), 0u);
  (*held)->go_on(until);
  EXPECT_TRUE((*held)->wait());
  return std::move(*held);
}

TEST(HeldWorld, a_copys_future_is_to_the_last_bit_that_future_played_from_the_beginning) {
  const auto scenario = scenario_of_test();
  const RunResult plain = *run_scenario(*scenario, 1);
  // In the middle, by number and by time; before the first event; while it comes to rest.
  const Onward moments[] = {{.until_event = plain.events / 2},
                            {.until = 1234567890},
                            {.until_event = 0},
                            {.until_event = plain.events - 3}};
  for (const Onward& moment : moments) {
    SCOPED_TRACE(moment.until_event);
    const auto held = held_at(*scenario, moment);
    const auto futures = futures_of(*held, {7, 8, 0});
    ASSERT_EQ(futures.size(), 3u);
    for (const auto& [seed, future] : futures) {
      ASSERT_EQ(future.end, End::kFinished) << future.message;
      const RunResult again = from_the_beginning(*scenario, moment, seed);
      EXPECT_EQ(future.result.fingerprint, again.fingerprint);
      EXPECT_EQ(bytes_of(future.result), bytes_of(again)) << seed;
    }
    // Seed 0 is no other seed; the others are futures of their own.
    EXPECT_EQ(bytes_of(futures.at(0).result), bytes_of(plain));
    if (moment.until_event == plain.events - 3) continue;  // hardly anything is left to draw
    EXPECT_NE(futures.at(7).result.fingerprint, plain.fingerprint);
    EXPECT_NE(futures.at(7).result.fingerprint, futures.at(8).result.fingerprint);
  }
}

TEST(HeldWorld, so_it_is_while_machines_crash_and_disks_fail) {
  const auto scenario =
      load_scenario(std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/dynamo/swarm_dynamo.textproto");
  ASSERT_TRUE(scenario.ok());
  const Onward moment{.until = 4 * kSecond};
  const auto held = held_at(**scenario, moment);
  for (const auto& [seed, future] : futures_of(*held, {7, 8})) {
    ASSERT_EQ(future.end, End::kFinished) << future.message;
    EXPECT_EQ(bytes_of(future.result), bytes_of(from_the_beginning(**scenario, moment, seed)));
  }
}

TEST(HeldWorld, a_future_is_the_run_itself_up_to_where_it_branches) {
  const auto scenario = scenario_of_test();
  const uint64_t half = run_scenario(*scenario, 1)->events / 2;
  const auto dump = [&](uint64_t branch_seed) {
    std::vector<std::pair<Time, uint64_t>> events;
    RunOptions options;
    options.on_event = [&](const EventLine& event) {
      events.emplace_back(event.at, event.payload);
    };
    bool begun = false;
    options.on_stand = [&](const Standing&) -> Onward {
      if (std::exchange(begun, true)) return {.seed = branch_seed};
      return {.until_event = half};
    };
    EXPECT_TRUE(run_scenario(*scenario, 1, options).ok());
    return events;
  };
  const auto plain = dump(0), other = dump(7);
  ASSERT_GT(plain.size(), half);
  ASSERT_GT(other.size(), half);
  const auto middle = static_cast<std::ptrdiff_t>(half);
  EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + middle, other.begin()));
  // What was on its way comes first, soon nothing is alike.
  EXPECT_FALSE(
      std::equal(plain.begin() + middle, plain.begin() + middle + 500, other.begin() + middle));
}

TEST(HeldWorld, copies_leave_the_world_that_they_were_made_from_as_it_was) {
  const auto scenario = scenario_of_test();
  const RunResult plain = *run_scenario(*scenario, 1);
  const auto held = held_at(*scenario, {.until_event = plain.events / 3});
  const std::string before = held->here().SerializeAsString();
  EXPECT_EQ(futures_of(*held, {1, 2, 3, 4, 5}, 3).size(), 5u);
  // A copy of a copy, which goes its own way for a while.
  auto copy = held->copy();
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ((*copy)->here().SerializeAsString(), before);
  (*copy)->go_on({.until_event = plain.events / 2, .seed = 9});
  ASSERT_TRUE((*copy)->wait());
  auto copy_of_copy = (*copy)->copy();
  ASSERT_TRUE(copy_of_copy.ok());
  copy->reset();
  (*copy_of_copy)->go_on({});
  EXPECT_FALSE((*copy_of_copy)->wait());
  const WorkerResult other = (*copy_of_copy)->ended();
  EXPECT_EQ(other.end, End::kFinished);
  EXPECT_NE(other.result.fingerprint, plain.fingerprint);

  held->go_on({});
  EXPECT_FALSE(held->wait());
  EXPECT_EQ(bytes_of(held->ended().result), bytes_of(plain));
}

TEST(HeldWorld, a_future_that_crashes_or_is_killed_is_told_of_and_takes_nothing_down) {
  const auto scenario = scenario_of_test();
  // The world's process aborts where a future's draws say so.
  HeldOptions options;
  options.trip_wire = false;
  options.run.on_event = [](const EventLine& event) {
    if (event.index > 6000 && event.payload % 4096 == 0) abort();
  };
  const auto held = held_at(*scenario, {.until_event = 6000}, options);
  std::vector<uint64_t> seeds;
  for (uint64_t seed = 1; seed <= 12; ++seed) seeds.push_back(seed);
  uint64_t crashed = 0, finished = 0;
  for (const auto& [seed, run] : futures_of(*held, seeds)) {
    if (run.end == End::kFinished) ++finished;
    if (run.end != End::kCrashed) continue;
    ++crashed;
    EXPECT_NE(run.message.find("signal 6"), std::string::npos) << run.message;
  }
  EXPECT_EQ(crashed + finished, 12u);
  EXPECT_GT(crashed, 0u);

  const Result<Started> started = held->future(99);
  ASSERT_TRUE(started.ok());
  kill(started->process, SIGKILL);
  WorkerProcess victim(99, *started);
  while (victim.listen()) {
  }
  const WorkerResult ended = victim.take();
  EXPECT_EQ(ended.end, End::kCrashed);
  EXPECT_NE(ended.message.find("signal 9"), std::string::npos) << ended.message;
  EXPECT_TRUE(held->copy().ok());
}

TEST(HeldWorld, a_copy_of_one_that_is_no_more_is_an_error) {
  const auto scenario = scenario_of_test();
  HeldOptions options;
  options.trip_wire = false;
  options.run.on_event = [](const EventLine& event) {
    if (event.index == 3000) abort();
  };
  const auto held = held_at(*scenario, {.until_event = 2000}, options);
  auto copy = held->copy();
  ASSERT_TRUE(copy.ok());
  (*copy)->go_on({.until_event = 4000});
  EXPECT_FALSE((*copy)->wait());
  EXPECT_EQ((*copy)->ended().end, End::kCrashed);
  EXPECT_FALSE((*copy)->stands());
  EXPECT_TRUE(held->copy().ok()) << "the one before still stands";
}

// A walk through a recorded run.
class WalkTest : public testing::Test {
 protected:
  WalkTest() : recorded_{"x.run", {}, scenario_of_test()} {
    recorded_.recording.seed = 1;
    recorded_.recording.build = build_id();
    recorded_.recording.finished = true;
    recorded_.recording.result = *run_scenario(*recorded_.scenario, 1);
  }
  const RunResult& run() const { return recorded_.recording.result; }
  // The fingerprints after these events, which must rise.
  std::map<uint64_t, uint64_t> fingerprints(const std::vector<uint64_t>& events) const {
    std::map<uint64_t, uint64_t> all;
    std::size_t next = 0;
    RunOptions options;
    options.on_stand = [&](const Standing& here) -> Onward {
      all[here.events] = here.fingerprint;
      if (next == events.size()) return {};
      return {.until_event = events[next++]};
    };
    EXPECT_TRUE(run_scenario(*recorded_.scenario, 1, options).ok());
    return all;
  }

  Recorded recorded_;
};

TEST_F(WalkTest, wherever_it_goes_and_whence_it_comes_it_finds_the_same_world) {
  std::vector<uint64_t> events;
  for (uint64_t i = 1; i < 40; ++i) events.push_back(run().events * i / 40);
  const auto known = fingerprints(events);
  auto walk = Walk::begin(recorded_, {.snapshots_max = 4, .spacing_first = 1024});
  ASSERT_TRUE(walk.ok());
  for (std::size_t i = 0; i < 80; ++i) {
    const uint64_t goal = events[i * 17 % events.size()];
    const Result<void> there = (*walk)->to_event(goal);
    ASSERT_TRUE(there.ok()) << there.error().message;
    EXPECT_EQ((*walk)->here().events(), goal);
    EXPECT_EQ((*walk)->here().fingerprint(), known.at(goal)) << goal;
    EXPECT_LE((*walk)->snapshots(), 4u);
  }
  EXPECT_GE((*walk)->snapshots(), 2u);
}

TEST_F(WalkTest, steps_back_do_not_play_from_the_beginning) {
  auto walk = Walk::begin(recorded_);
  ASSERT_TRUE(walk.ok());
  const uint64_t far = run().events * 9 / 10;
  ASSERT_TRUE((*walk)->to_event(far).ok());
  const uint64_t there = (*walk)->played();
  EXPECT_EQ(there, far);
  for (uint64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE((*walk)->to_event(far - i).ok());
    EXPECT_EQ((*walk)->here().events(), far - i);
    EXPECT_EQ((*walk)->here().event((*walk)->here().event_size() - 1).index(), far - i);
  }
  EXPECT_LT((*walk)->played() - there, 20u * 1200u);
}

TEST_F(WalkTest, a_time_is_everything_up_to_it) {
  auto walk = Walk::begin(recorded_);
  ASSERT_TRUE(walk.ok());
  for (const Time at : {2 * kSecond, kSecond + 1, 3 * kSecond, Time{0}}) {
    ASSERT_TRUE((*walk)->to_time(at).ok());
    EXPECT_LE((*walk)->here().at(), at);
    const uint64_t events = (*walk)->here().events();
    ASSERT_TRUE((*walk)->to_event(events + 1).ok());
    EXPECT_GT((*walk)->here().at(), at);
  }
  ASSERT_TRUE((*walk)->to_event(run().events + 1000).ok());
  EXPECT_TRUE((*walk)->here().over());
  EXPECT_EQ((*walk)->here().events(), run().events);
  EXPECT_EQ((*walk)->here().fingerprint(), run().fingerprint);
  ASSERT_TRUE((*walk)->to_event(run().events - 5).ok());
  EXPECT_FALSE((*walk)->here().over());
}

TEST_F(WalkTest, when_the_world_dies_it_stands_at_a_snapshot_before_and_goes_on_from_there) {
  auto walk = Walk::begin(recorded_, {.spacing_first = 1024});
  ASSERT_TRUE(walk.ok());
  ASSERT_TRUE((*walk)->to_event(5000).ok());
  kill((*walk)->world().process(), SIGKILL);
  const Result<void> lost = (*walk)->to_event(6000);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, Code::kReset);
  EXPECT_NE(lost.error().message.find("after event 5000"), std::string::npos);
  EXPECT_NE(lost.error().message.find("signal 9"), std::string::npos) << lost.error().message;
  EXPECT_LE((*walk)->here().events(), 5000u);
  EXPECT_GT((*walk)->here().events(), 3000u);
  ASSERT_TRUE((*walk)->to_time(10 * kSecond).ok());
  EXPECT_EQ((*walk)->here().fingerprint(), run().fingerprint);
}

TEST_F(WalkTest, another_run_than_the_recorded_one_is_noticed_at_the_next_checkpoint) {
  auto& checkpoints = recorded_.recording.result.checkpoints;
  ASSERT_GT(checkpoints.size(), 8u);
  checkpoints[checkpoints.size() / 2].fingerprint ^= 1;
  auto walk = Walk::begin(recorded_, {.spacing_first = 1024});
  ASSERT_TRUE(walk.ok());
  EXPECT_TRUE((*walk)->to_event(checkpoints[2].events).ok());
  const Result<void> there = (*walk)->to_event(run().events);
  ASSERT_FALSE(there.ok());
  EXPECT_EQ(there.error().code, Code::kCorrupt);
  recorded_.recording.build ^= 1;
  ASSERT_TRUE((*walk)->to_event(0).ok());
  const Result<void> of_another_build = (*walk)->to_event(run().events);
  ASSERT_FALSE(of_another_build.ok());
  EXPECT_EQ(of_another_build.error().code, Code::kInvalid);
}

}  // namespace
}  // namespace ringside::lab
