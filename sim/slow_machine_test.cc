#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "sim/pair_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kUs = kMicrosecond;
constexpr Time kMs = kMillisecond;

TEST(Throttle, multiplies_the_costs_of_a_machine_until_it_is_restored) {
  Pair pair({.per_event = kMs, .per_byte = 1000, .speed = 1});
  pair.world.at(8 * kMs, "slow", [&] { pair.world.throttle(1, 20); });
  pair.world.at(100 * kMs, "restore", [&] { pair.world.throttle(1, 1); });
  pair.world.run_until(90 * kMs);
  const Log slow = pair.between(10 * kMs, 80 * kMs);
  ASSERT_GE(slow.size(), 3u);
  EXPECT_EQ(slow[0], (Seen{11 * kMs, 2, "1"}));
  EXPECT_EQ(slow[1], (Seen{31 * kMs + 20 * kUs, 2, "tick 1"}));
  EXPECT_EQ(slow[2], (Seen{51 * kMs + 20 * kUs, 2, "2"}));
  const uint64_t line = pair.world.machine_load(1).longest_line;
  EXPECT_GT(line, 3u);
  pair.world.run_until(300 * kMs);
  EXPECT_EQ(pair.between(291 * kMs, 291 * kMs), (Log{{291 * kMs, 2, "29"}}));
  EXPECT_EQ(pair.between(295 * kMs, 295 * kMs), (Log{{295 * kMs, 2, "tick 29"}}));
  EXPECT_EQ(pair.world.machine_load(1).line, 0u);
  EXPECT_EQ(pair.faults.log, (Log{{8 * kMs, kNoNode, "m2 works 20 times slower"},
                                  {100 * kMs, kNoNode, "m2 works at its own pace again"}}));
}

TEST(Throttle, does_nothing_to_a_machine_without_costs) {
  Pair pair;
  pair.world.throttle(1, 1000);
  pair.world.run_until(100 * kMs);
  EXPECT_EQ(pair.between(91 * kMs, 95 * kMs), (Log{{91 * kMs, 2, "9"}, {95 * kMs, 2, "tick 9"}}));
}

TEST(OutOfMemory, kills_the_process_and_its_peers_see_a_crash) {
  Pair pair;
  pair.world.at(15 * kMs, "oom", [&] { pair.world.out_of_memory(2); });
  pair.world.at(16 * kMs, "again", [&] { pair.world.out_of_memory(2); });
  pair.world.run_until(19 * kMs);
  EXPECT_FALSE(pair.world.running(2));
  EXPECT_TRUE(pair.world.powered(1));
  EXPECT_EQ(pair.log.back(), (Seen{16 * kMs, 1, "connection reset 2"}));
  EXPECT_EQ(pair.faults.log,
            (Log{{15 * kMs, kNoNode, "out of memory at node 2"}, {15 * kMs, 2, "out of memory"}}));
  pair.world.restart(2);
  pair.world.run_until(50 * kMs);
  EXPECT_EQ(pair.between(41 * kMs, 41 * kMs), (Log{{41 * kMs, 2, "4"}}));
}

TEST(MachineLoad, counts_events_work_and_the_longest_line) {
  Pair pair({.cores = 2, .per_event = 2 * kMs});
  pair.world.run_until(99 * kMs);
  const MachineLoad load = pair.world.machine_load(1);
  EXPECT_EQ(load.events, 1u + 10 + 9);  // its start, frames at 1, 11, ... 91, ticks at 15, ... 95
  EXPECT_EQ(load.busy, 20 * 2 * kMs);
  EXPECT_EQ(load.longest_line, 0u);
  EXPECT_EQ(pair.world.machine_load(0).busy, 0);
}

// Every fault of a machine in one world, and the same world once more.
uint64_t fingerprint_with_everything(bool faults) {
  Pair pair({.cores = 2, .per_event = kMs, .per_byte = 10, .speed = 1});
  World& world = pair.world;
  const auto at = [&](Time when, std::function<void()> fault) {
    world.at(when, "fault", [fault = std::move(fault), faults] {
      if (faults) fault();
    });
  };
  at(40 * kMs, [&] { world.pause(1, 63 * kMs); });
  at(50 * kMs, [&] { world.throttle(1, 30); });
  at(90 * kMs, [&] { world.set_drift(1, -20'000); });
  at(140 * kMs, [&] { world.pause(1, kNever); });
  at(141 * kMs, [&] { world.out_of_memory(2); });
  at(142 * kMs, [&] { world.restart(2); });
  at(160 * kMs, [&] { world.resume(1); });
  at(170 * kMs, [&] { world.throttle(1, 1); });
  at(180 * kMs, [&] { world.step_wall_clock(1, -kSecond); });
  at(190 * kMs, [&] { world.reset_clock(1); });
  world.run_until(300 * kMs);
  return world.fingerprint();
}

TEST(World, with_every_fault_of_a_machine_is_the_same_run_again) {
  EXPECT_EQ(fingerprint_with_everything(true), fingerprint_with_everything(true));
  EXPECT_NE(fingerprint_with_everything(true), fingerprint_with_everything(false));
}

}  // namespace
}  // namespace ringside::sim
