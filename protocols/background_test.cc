#include "protocols/background.h"

#include <gtest/gtest.h>

#include "protocols/test_host.h"

namespace ringside {
namespace {

using test::TestWorld;

constexpr BackgroundOptions kTight{.target = 50 * kMillisecond,
                                   .window = 6 * kSecond,
                                   .bytes_per_second = 10'000'000,
                                   .bytes_per_second_min = 100'000};

Task<void> work_for_ever(Background& background, uint64_t& done) {
  while (true) {
    co_await background.admit(10'000);
    done += 10'000;
  }
}

struct ControlRig {
  explicit ControlRig(BackgroundOptions options = kTight)
      : background(world.host(1), options), scope(world.host(1).ready()) {
    scope.spawn(work_for_ever(background, done));
  }
  // A hundred foreground reads a second that take so long; returns the background's bytes.
  uint64_t run(Duration time, Duration read_takes) {
    const uint64_t before = done;
    for (Duration passed = 0; passed < time; passed += 10 * kMillisecond) {
      background.note(read_takes);
      world.run_for(10 * kMillisecond);
    }
    return done - before;
  }

  TestWorld world;
  uint64_t done = 0;
  Background background;
  Scope scope;
};

TEST(RecentDurations, the_percentile_is_at_most_an_eighth_too_long_and_never_too_short) {
  for (Duration took = kMicrosecond; took < 100 * kSecond; took += took / 3 + 1) {
    RecentDurations recent(kSecond);
    recent.add(0, took);
    EXPECT_GE(recent.p99(0), took);
    EXPECT_LE(recent.p99(0), took + took / 8 + 2 * kMicrosecond);
  }
}

TEST(RecentDurations, one_in_a_hundred_may_be_slow_and_what_is_older_than_the_window_is_gone) {
  RecentDurations recent(60 * kSecond);
  for (int i = 0; i < 99; ++i) recent.add(i, kMillisecond);
  recent.add(100, kSecond);
  EXPECT_LT(recent.p99(200), 2 * kMillisecond);
  recent.add(300, kSecond);
  EXPECT_GE(recent.p99(300), kSecond);
  EXPECT_EQ(recent.count(59 * kSecond), 101u);
  EXPECT_EQ(recent.count(61 * kSecond), 0u);
  EXPECT_EQ(recent.p99(61 * kSecond), 0);
}

TEST(Background, moves_what_it_is_allowed_while_the_foreground_is_well) {
  ControlRig rig;
  const uint64_t moved = rig.run(10 * kSecond, kMillisecond);
  EXPECT_GT(moved, 90'000'000u);
  EXPECT_LT(moved, 110'000'000u);
}

TEST(Background, falls_to_its_floor_within_seconds_of_slow_reads_and_recovers_after_them) {
  ControlRig rig;
  rig.run(10 * kSecond, kMillisecond);
  rig.run(5 * kSecond, 80 * kMillisecond);
  EXPECT_EQ(rig.background.bytes_per_second(), kTight.bytes_per_second_min);
  const uint64_t at_the_floor = rig.run(10 * kSecond, 80 * kMillisecond);
  EXPECT_LT(at_the_floor, 1'100'000u);
  EXPECT_GT(at_the_floor, 900'000u) << "it is never starved";
  // The window forgets the trouble, then the rate doubles every two seconds or so.
  rig.run(kTight.window + 12 * kSecond, kMillisecond);
  EXPECT_EQ(rig.background.bytes_per_second(), kTight.bytes_per_second);
  EXPECT_GT(rig.run(10 * kSecond, kMillisecond), 90'000'000u);
}

TEST(Background, a_few_slow_reads_are_no_evidence) {
  ControlRig rig;
  for (int i = 0; i < 10; ++i) rig.background.note(kSecond);
  rig.world.run_for(5 * kSecond);
  EXPECT_EQ(rig.background.bytes_per_second(), kTight.bytes_per_second);
}

TEST(Background, whoever_asks_for_much_delays_the_others_until_it_is_paid_for) {
  TestWorld world;
  Background background(world.host(1), kTight);
  Scope scope(world.host(1).ready());
  bool second = false;
  scope.spawn([](Background& from) -> Task<void> { co_await from.admit(30'000'000); }(background));
  scope.spawn([](Background& from, bool& done) -> Task<void> {
    co_await from.admit(1);
    done = true;
  }(background, second));
  world.run_for(2 * kSecond);
  EXPECT_FALSE(second);
  world.run_for(2 * kSecond);
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace ringside
