#include <algorithm>
#include <set>

#include "posix/conformance.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/scope.h"

namespace ringside::conformance {
namespace {

class ProcessConformance : public Conformance {};
RINGSIDE_CONFORMANCE(ProcessConformance);

Task<void> sleeper(Host* host, Time at, int name, std::vector<int>* log) {
  co_await host->clock().sleep_until(at);
  EXPECT_GE(host->clock().now(), at) << "woken early";
  log->push_back(name);
}

Task<void> sleep_many(Host* host, std::vector<int>* log, bool* done) {
  const Time start = host->clock().now();
  {
    Scope scope(host->ready());
    for (int i = 0; i < 200; ++i) {
      const int name = (i * 77) % 200;
      scope.spawn(sleeper(host, start + 5 * kMillisecond + name * 20 * kMicrosecond, name, log));
    }
    co_await scope.join();
  }
  *done = true;
}

TEST_P(ProcessConformance, sleepers_wake_in_the_order_of_their_times_and_never_early) {
  std::vector<int> log;
  bool done = false;
  stage().start(1, [&](Host& host) { return sleep_many(&host, &log, &done); });
  ASSERT_TRUE(stage().run_until([&] { return done; }));
  EXPECT_EQ(log.size(), 200u);
  EXPECT_TRUE(std::is_sorted(log.begin(), log.end()));
}

Task<void> yield_for_ever(Host* host, uint64_t* turns) {
  while (true) {
    co_await host->clock().sleep(0);
    ++*turns;
  }
}

Task<void> sleep_for_the_past(Host* host, uint64_t* turns) {
  while (true) {
    co_await host->clock().sleep_until(host->clock().now() - kSecond);
    ++*turns;
  }
}

// Virtual time may stand still while somebody only yields, so the others yield too.
TEST_P(ProcessConformance, those_who_sleep_for_no_time_take_turns) {
  uint64_t turns[3] = {};
  stage().start(1, [&](Host& host) {
    host.spawn(sleep_for_the_past(&host, &turns[0]));
    host.spawn(yield_for_ever(&host, &turns[1]));
    return yield_for_ever(&host, &turns[2]);
  });
  ASSERT_TRUE(stage().run_until([&] { return turns[0] + turns[1] + turns[2] >= 3'000; }));
  for (const uint64_t each : turns) EXPECT_GT(each, 200u);
}

struct Bell : Timer {
  using Timer::Timer;
  void fire() override { ++rings; }
  int rings = 0;
};

Task<void> use_bells(Host* host, bool* done) {
  Clock& clock = host->clock();
  Bell cancelled(clock), moved(clock), again(clock);
  const Time start = clock.now();
  cancelled.start(start + kMillisecond);
  moved.start(start + kMillisecond);
  again.start(start + kMillisecond);
  EXPECT_TRUE(cancelled.pending());
  cancelled.cancel();
  EXPECT_FALSE(cancelled.pending());
  moved.cancel();
  moved.start(start + 4 * kMillisecond);
  co_await clock.sleep_until(start + 2 * kMillisecond);
  EXPECT_EQ(again.rings, 1);
  EXPECT_FALSE(again.pending());
  again.start(clock.now());
  co_await clock.sleep(5 * kMillisecond);
  EXPECT_EQ(cancelled.rings, 0);
  EXPECT_EQ(moved.rings, 1);
  EXPECT_EQ(again.rings, 2);
  *done = true;
}

TEST_P(ProcessConformance, timers_can_be_cancelled_moved_and_started_again) {
  bool done = false;
  stage().start(1, [&](Host& host) { return use_bells(&host, &done); });
  ASSERT_TRUE(stage().run_until([&] { return done; }));
}

Task<void> watch_clock(Host* host, bool* done) {
  Time before = host->clock().now();
  EXPECT_GE(before, 0);
  EXPECT_GT(host->clock().wall(), 1'500'000'000 * kSecond);
  for (int i = 0; i < 100; ++i) {
    if (i % 10 == 0) co_await host->clock().sleep(10 * kMicrosecond);
    const Time now = host->clock().now();
    EXPECT_GE(now, before);
    before = now;
  }
  *done = true;
}

TEST_P(ProcessConformance, the_clock_never_goes_back) {
  bool done = false;
  stage().start(1, [&](Host& host) { return watch_clock(&host, &done); });
  ASSERT_TRUE(stage().run_until([&] { return done; }));
}

Task<void> draw(Host* host, std::set<uint64_t>* seen) {
  seen->insert(host->random("a").next());
  seen->insert(host->random("a").next());
  seen->insert(host->random("b").next());
  co_return;
}

TEST_P(ProcessConformance, a_restarted_process_never_replays_its_draws) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 3; ++i) {
    stage().start(1, [&](Host& host) { return draw(&host, &seen); });
    stage().run_turns(10);
    stage().kill(1);
  }
  EXPECT_EQ(seen.size(), 9u);
}

struct Mourner {
  std::vector<std::string>* log;
  std::string name;
  ~Mourner() { log->push_back(name); }
};

Task<void> mourned(Host* host, std::vector<std::string>* log, std::string name) {
  Mourner mourner{log, name};
  co_await host->clock().sleep(10 * kSecond);
}

Task<void> give_up(Host* host, std::vector<std::string>* log) {
  Mourner mourner{log, "main"};
  host->spawn(mourned(host, log, "child"));
  co_await host->clock().sleep(kMillisecond);
  host->abort("the log is poisoned");
  log->push_back("still here");  // until control returns to the host
  co_await host->clock().sleep(0);
  log->push_back("resumed after abort");
}

TEST_P(ProcessConformance, abort_ends_the_process_when_control_returns_to_the_host) {
  std::vector<std::string> log;
  stage().start(1, [&](Host& host) { return give_up(&host, &log); });
  ASSERT_TRUE(stage().run_until([&] { return !stage().running(1); }));
  EXPECT_EQ(log, (std::vector<std::string>{"still here", "child", "main"}));
}

Task<void> set_soon(Host* host, Event* event) {
  co_await host->clock().sleep(kMillisecond);
  event->set();
}

Task<Result<int>> wait_for(Event* event) {
  co_await event->wait();
  co_return 7;
}

Task<void> race(Host* host, std::vector<std::string>* log, bool* done) {
  Event early(host->ready()), never(host->ready());
  host->spawn(set_soon(host, &early));
  Result<int> first =
      co_await with_deadline(host->clock(), host->clock().now() + kSecond, wait_for(&early));
  log->push_back(first.ok() ? "value" : code_name(first.code()));
  Result<int> second =
      co_await with_deadline(host->clock(), host->clock().now() + kMillisecond, wait_for(&never));
  log->push_back(second.ok() ? "value" : code_name(second.code()));
  *done = true;
}

TEST_P(ProcessConformance, what_one_task_sets_wakes_another_and_a_deadline_ends_the_wait) {
  std::vector<std::string> log;
  bool done = false;
  stage().start(1, [&](Host& host) { return race(&host, &log, &done); });
  ASSERT_TRUE(stage().run_until([&] { return done; }));
  EXPECT_EQ(log, (std::vector<std::string>{"value", "timeout"}));
}

TEST_P(ProcessConformance, a_killed_process_destroys_every_frame_and_stays_silent) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> log;
    bool started = false;
    stage().start(2, [&](Host& host) {
      started = true;
      for (int i = 0; i < 5; ++i) host.spawn(mourned(&host, &log, "child"));
      return mourned(&host, &log, "main");
    });
    ASSERT_TRUE(stage().run_until([&] { return started; }));
    EXPECT_TRUE(stage().running(2));
    stage().run_turns(round);
    stage().kill(2);
    EXPECT_FALSE(stage().running(2));
    EXPECT_EQ(log.size(), 6u);
  }
}

}  // namespace
}  // namespace ringside::conformance
