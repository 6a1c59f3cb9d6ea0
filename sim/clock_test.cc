#include <gtest/gtest.h>

#include <vector>

#include "sim/machine_clock.h"
#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kUs = kMicrosecond;
constexpr Time kMs = kMillisecond;

TEST(MachineClock, shows_true_time_without_drift_and_runs_fast_or_slow_with_it) {
  EXPECT_EQ(MachineClock(0).shows(kSecond), kSecond);
  EXPECT_EQ(MachineClock(100).shows(kSecond), kSecond + 100 * kUs);
  EXPECT_EQ(MachineClock(-100).shows(kSecond), kSecond - 100 * kUs);
  EXPECT_TRUE(MachineClock(0).exact());
  EXPECT_FALSE(MachineClock(1).exact());
}

// Through many changes, some still ahead: it never goes back and never jumps, and `when` is the
// very first moment.
TEST(MachineClock, never_jumps_or_goes_back_and_knows_the_first_moment_of_each_time) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Draw draw(seed);
    MachineClock clock(static_cast<double>(draw.between(-400'000, 400'000)));
    Time now = 0;
    Time shown = 0;
    for (int change = 0; change < 20; ++change) {
      const auto ahead = static_cast<Duration>(draw.below(40));
      const double ppm = static_cast<double>(draw.between(-499'999, 499'999));
      const Time before = clock.shows(now);
      clock.set_drift(now, now + ahead, ppm);
      EXPECT_EQ(clock.shows(now), before);
      const auto steps = static_cast<Duration>(draw.below(100));
      for (Time end = now + steps; now < end; ++now) {
        const Time next = clock.shows(now + 1);
        ASSERT_GE(next, clock.shows(now));
        ASSERT_LE(next, clock.shows(now) + 2);
        for (Time local = clock.shows(now) + 1; local <= next; ++local)
          ASSERT_EQ(clock.when(local), now + 1);
      }
      EXPECT_GE(clock.shows(now), shown);
      shown = clock.shows(now);
    }
  }
}

TEST(MachineClock, forgets_changes_that_make_no_difference) {
  MachineClock clock(0);
  clock.set_drift(kMs, kMs, 0);
  EXPECT_TRUE(clock.exact());
  clock.set_drift(kMs, kMs, 200);
  clock.set_drift(2 * kMs, 2 * kMs, 0);
  EXPECT_FALSE(clock.exact());
  EXPECT_EQ(clock.drift_ppm(), 0);
  EXPECT_EQ(clock.shows(9 * kMs), 9 * kMs + 200);
}

TEST(MachineClock, has_no_end) {
  MachineClock clock(-100'000);
  clock.set_drift(kSecond, kSecond, -300'000);
  EXPECT_EQ(clock.when(kNever - 1), kNever - 1);
  clock.set_drift(kSecond, kSecond, 300'000);
  EXPECT_LT(clock.shows(kNever - 1), kNever);
}

// What machine 0 of a world with this drift sees at each of its timers, which it sets to
// irregular times of its own clock.
struct Fired {
  Time wanted;
  Time local;
  Time at;
};

std::vector<Fired> fired(double drift, const std::vector<std::pair<Time, double>>& changes) {
  WorldSpec spec = small_world(1);
  spec.machines[0].clock.drift_ppm = drift;
  World world(std::move(spec));
  std::vector<Fired> seen;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    Scope scope(host.ready());
    for (int i = 1; i <= 200; ++i)
      scope.spawn([](Host* with, World* in, std::vector<Fired>* out, Time wanted) -> Task<void> {
        co_await with->clock().sleep_until(wanted);
        out->push_back({wanted, with->clock().now(), in->now()});
      }(&host, &world, &seen, i * 1'000'003));
    co_await scope.join();
  });
  world.start(1);
  for (const auto& [at, ppm] : changes)
    world.at(at, "drift", [&world, to = ppm] { world.set_drift(0, to); });
  world.run_until(kSecond);
  return seen;
}

void expect_each_fires_when_the_clock_shows_it(const std::vector<Fired>& seen) {
  ASSERT_EQ(seen.size(), 200u);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].local, seen[i].wanted);
    EXPECT_LE(seen[i].local, seen[i].wanted + 1);  // a fast clock skips some nanoseconds
    if (i > 0) EXPECT_GT(seen[i].at, seen[i - 1].at);
  }
}

TEST(Clock, pending_timers_fire_when_the_machines_clock_shows_their_time) {
  expect_each_fires_when_the_clock_shows_it(fired(0, {{20 * kMs, 100'000}}));
  expect_each_fires_when_the_clock_shows_it(fired(-300, {{20 * kMs, 50'000}, {70 * kMs, 0}}));
  expect_each_fires_when_the_clock_shows_it(
      fired(0, {{kMs, -400'000}, {kMs + 1, 400'000}, {80 * kMs, 3.5}, {81 * kMs, -100'000}}));
  const std::vector<Fired> fast = fired(0, {{0, 100'000}});
  EXPECT_NEAR(double(fast.back().at), double(fast.back().wanted) / 1.1, 2);
}

TEST(Clock, a_drift_that_was_the_same_already_moves_no_event) {
  const auto fingerprint = [](double drift, bool change) {
    WorldSpec spec = small_world(1);
    spec.machines[0].clock.drift_ppm = drift;
    World world(std::move(spec));
    world.place(1, 0, [](Host& host) -> Task<void> {
      for (int i = 0; i < 100; ++i) co_await host.clock().sleep(kMs);
    });
    world.start(1);
    world.at(50 * kMs + 7, "drift", [&world, change, drift] {
      if (change) world.set_drift(0, drift);
    });
    world.run_until(kSecond);
    return world.fingerprint();
  };
  EXPECT_EQ(fingerprint(0, true), fingerprint(0, false));
  EXPECT_EQ(fingerprint(250, true), fingerprint(250, false));
}

// The code has read the clock as far as its charged work goes when the drift changes.
TEST(Clock, a_change_of_drift_during_charged_work_takes_no_time_back) {
  WorldSpec spec = small_world(1);
  spec.machines[0].cpu.speed = 1;
  World world(std::move(spec));
  std::vector<Time> reads;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    for (int i = 0; i < 20; ++i) {
      reads.push_back(host.clock().now());
      host.cpu().charge(10 * kMs);
      reads.push_back(host.clock().now());
      co_await host.clock().sleep(0);
    }
  });
  world.start(1);
  for (int i = 0; i < 15; ++i)
    world.at(i * 11 * kMs + 1, "drift",
             [&world, i] { world.set_drift(0, i % 2 == 0 ? -400'000 : 400'000); });
  world.run_until(kSecond);
  ASSERT_EQ(reads.size(), 40u);
  for (std::size_t i = 1; i < reads.size(); ++i) EXPECT_GE(reads[i], reads[i - 1]);
}

struct Reading {
  Time monotonic;
  Time wall;
};

// Both clocks of machine 0 at each of `at`, in true time.
std::vector<Reading> readings(WorldSpec spec, const std::vector<Time>& at,
                              const std::function<void(World&)>& faults) {
  World world(std::move(spec));
  std::vector<Reading> seen;
  Host* host = nullptr;
  world.place(1, 0, [&](Host& own) -> Task<void> {
    host = &own;
    co_await own.clock().sleep_until(kNever);
  });
  world.start(1);
  for (const Time when : at)
    world.at(when, "read", [&] {
      const Time monotonic = host->clock().now();
      const Time wall = host->clock().wall();
      seen.push_back({monotonic, wall});
    });
  faults(world);
  world.run_until(1000 * kSecond);
  return seen;
}

TEST(Clock, a_step_of_the_wall_clock_goes_forward_or_back_and_leaves_the_monotonic_clock_alone) {
  const WorldSpec spec = small_world(1);
  const auto seen = readings(spec, {kSecond, 2 * kSecond, 3 * kSecond}, [](World& world) {
    world.at(kSecond + 1, "forward", [&world] { world.step_wall_clock(0, 40 * kSecond); });
    world.at(2 * kSecond + 1, "back", [&world] { world.step_wall_clock(0, -100 * kSecond); });
  });
  ASSERT_EQ(seen.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(seen[i].monotonic, (i + 1) * kSecond);
  EXPECT_EQ(seen[0].wall, spec.wall_epoch + kSecond);
  EXPECT_EQ(seen[1].wall, spec.wall_epoch + 42 * kSecond);
  EXPECT_EQ(seen[2].wall, spec.wall_epoch - 57 * kSecond);
}

TEST(Clock, a_reset_gives_back_the_models_drift_and_wall_clock) {
  for (const double drift : {0.0, 75.0, -40.0}) {
    WorldSpec spec = small_world(1);
    spec.machines[0].clock = {.offset = 3 * kSecond, .drift_ppm = drift};
    const std::vector<Time> at = {5 * kSecond, 9 * kSecond, 100 * kSecond, 900 * kSecond};
    const auto calm = readings(spec, at, [](World&) {});
    const auto seen = readings(spec, at, [](World& world) {
      world.at(kSecond, "drift", [&world] { world.set_drift(0, 20'000); });
      world.at(2 * kSecond, "step", [&world] { world.step_wall_clock(0, -10 * kSecond); });
      world.at(6 * kSecond, "reset", [&world] { world.reset_clock(0); });
    });
    ASSERT_EQ(seen.size(), 4u);
    EXPECT_NEAR(double(seen[0].monotonic - calm[0].monotonic), 0.02 * 4 * kSecond - drift * 4000,
                3);
    EXPECT_NEAR(double(seen[0].wall - calm[0].wall), -9.92 * kSecond - drift * 4000, 600);
    for (int i = 1; i < 4; ++i) {
      EXPECT_NEAR(double(seen[i].wall - calm[i].wall), 0, 1);
      EXPECT_NEAR(double(seen[i].monotonic - calm[i].monotonic), 0.02 * 5 * kSecond - drift * 5000,
                  3);
    }
  }
}

}  // namespace
}  // namespace ringside::sim
