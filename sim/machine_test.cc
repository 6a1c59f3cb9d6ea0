#include <gtest/gtest.h>

#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kUs = kMicrosecond;

// Sends a frame every `gap` from machine 0, whose cpu is free, to a listener on machine 1 with
// `cpu`; the times at which the listener ran.
std::vector<Time> served(CpuModel cpu, Duration gap, int count, uint64_t bytes = 0) {
  WorldSpec spec = small_world(2, 10 * kUs);
  spec.network.ordered = true;
  spec.machines[1].cpu = cpu;
  World world(std::move(spec));
  Log log;
  world.place(1, 0, [=](Host& host) -> Task<void> {
    for (int i = 0; i < count; ++i) {
      co_await host.clock().sleep_until(kMillisecond + i * gap);
      CHECK(host.network().send(frame_to(2, std::string(bytes, 'x'))));
    }
  });
  world.place(2, 1, listener(world, log));
  world.start(2);
  world.start(1);
  world.run_until(kSecond);
  std::vector<Time> times;
  for (const Seen& seen : log)
    if (seen.what.find("reset") == std::string::npos) times.push_back(seen.at);
  return times;
}

// D/D/1 above saturation: the n-th of a queue starts n service times after the first.
TEST(Machine, events_wait_in_the_order_of_arrival_until_a_core_is_free) {
  const std::vector<Time> times = served({.per_event = 5 * kUs}, 2 * kUs, 20);
  ASSERT_EQ(times.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(times[i], times[0] + i * 5 * kUs);
}

TEST(Machine, two_cores_serve_twice_as_fast) {
  const std::vector<Time> times = served({.cores = 2, .per_event = 6 * kUs}, 1 * kUs, 20);
  ASSERT_EQ(times.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(times[i], times[0] + (i / 2) * 6 * kUs + (i % 2) * kUs);
}

TEST(Machine, bytes_cost_what_the_model_says) {
  const std::vector<Time> times = served({.per_byte = 10}, 0, 3, 500);
  ASSERT_EQ(times.size(), 3u);
  EXPECT_EQ(times[1] - times[0], 5 * kUs);
  EXPECT_EQ(times[2] - times[1], 5 * kUs);
}

// M/D/1 at half load: the mean wait is rho / (2 (1 - rho)) = half a service time (Pollaczek and
// Khinchine).
TEST(Machine, a_loaded_core_makes_events_wait_as_queueing_theory_says) {
  constexpr int kCount = 40'000;
  constexpr Duration kService = 10 * kUs;
  WorldSpec spec = small_world(2, kUs);
  spec.network.ordered = true;
  spec.machines[1].cpu.per_event = kService;
  World world(std::move(spec));
  const Distribution gaps = *Distribution::exponential(2.0 * kService);
  std::vector<Time> sent;
  double waited = 0;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    for (uint64_t i = 0; i < kCount; ++i) {
      Draw draw(mix(99, i));
      co_await host.clock().sleep(gaps.sample(draw));
      sent.push_back(host.clock().now());
      CHECK(host.network().send(frame_to(2, "x")));
    }
    co_await host.clock().sleep(kSecond);
  });
  world.place(2, 1, [&](Host& host) -> Task<void> {
    Listener ears(host);
    std::size_t served = 0;
    ears.frames = [&](const Frame&) { waited += double(world.now() - sent[served++] - kUs); };
    co_await host.clock().sleep_until(kNever);
  });
  world.start(2);
  world.start(1);
  world.run_until(kCount * 3 * kService);
  ASSERT_EQ(sent.size(), std::size_t{kCount});
  EXPECT_NEAR(waited / kCount, 0.5 * kService, 0.03 * kService);
}

TEST(Machine, what_an_event_sends_departs_after_what_was_charged_before) {
  WorldSpec spec = small_world(2, 10 * kUs);
  spec.machines[0].cpu = {.speed = 2.0};
  World world(std::move(spec));
  Log log;
  Time seen_now = 0;
  uint64_t units = 0;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    co_await host.clock().sleep(100 * kUs);
    host.network().send(frame_to(2, "early"));
    host.cpu().charge(1000);
    seen_now = host.clock().now();
    units = host.cpu().charged();
    host.network().send(frame_to(2, "late"));
    co_await host.clock().sleep(0);
    host.network().send(frame_to(2, "after " + std::to_string(host.cpu().charged())));
    co_await host.clock().sleep_until(kNever);
  });
  world.place(2, 1, listener(world, log));
  world.start(2);
  world.start(1);
  world.run_until(kSecond);
  EXPECT_EQ(seen_now, 102 * kUs);
  EXPECT_EQ(units, 1000u);
  EXPECT_EQ(log[0], (Seen{110 * kUs, 2, "early"}));
  ASSERT_EQ(log.size(), 3u);
  EXPECT_EQ(log[1].at, 112 * kUs);
  EXPECT_EQ(log[2].at, 112 * kUs);
}

TEST(Machine, a_timer_that_waits_for_a_core_can_be_cancelled) {
  WorldSpec spec = small_world(1);
  spec.machines[0].cpu.per_event = 10 * kUs;
  World world(std::move(spec));
  int fired = 0;
  struct Counting : Timer {
    Counting(Clock& clock, int& count) : Timer(clock), fired(count) {}
    void fire() override {
      ++fired;
      for (Timer* timer : others) timer->cancel();
    }
    int& fired;
    std::vector<Timer*> others;
  };
  world.place(1, 0, [&](Host& host) -> Task<void> {
    Counting a(host.clock(), fired), b(host.clock(), fired), c(host.clock(), fired);
    a.others = {&b, &c};
    b.others = {&a, &c};
    c.others = {&a, &b};
    for (Timer* timer : {&a, &b, &c}) timer->start(kMillisecond);
    co_await host.clock().sleep(2 * kMillisecond);
  });
  world.start(1);
  world.run_until(kSecond);
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(world.running(1));
}

TEST(Machine, with_no_costs_nothing_waits_and_no_event_is_added) {
  const std::vector<Time> times = served({}, 0, 5);
  ASSERT_EQ(times.size(), 5u);
  EXPECT_LE(times.back() - times.front(), 4);  // an ordered link keeps a nanosecond between two
}

TEST(Machine, clocks_drift_and_are_off_and_timers_follow_the_machines_own) {
  WorldSpec spec = small_world(1);
  spec.machines[0].clock = {.offset = -5 * kSecond, .drift_ppm = 100};
  const Time epoch = spec.wall_epoch;
  World world(std::move(spec));
  Time local = 0, wall = 0, woke = 0, stepped = 0;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    co_await host.clock().sleep_until(1000 * kSecond);
    woke = world.now();
    local = host.clock().now();
    wall = host.clock().wall();
    co_await host.clock().sleep(10 * kSecond);
    stepped = host.clock().wall();
  });
  world.start(1);
  world.at(1005 * kSecond, "step", [&] { world.step_wall_clock(0, -20 * kSecond); });
  world.run_until(2000 * kSecond);
  EXPECT_NEAR(double(local), double(1000 * kSecond), 1);
  EXPECT_NEAR(double(woke), 1000.0 * kSecond / 1.0001, 2);
  EXPECT_EQ(wall, epoch - 5 * kSecond + local);
  EXPECT_EQ(stepped, wall - 10 * kSecond);
}

}  // namespace
}  // namespace ringside::sim
