#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/channel.h"
#include "runtime/clock.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/gather.h"
#include "runtime/scope.h"
#include "runtime/semaphore.h"
#include "runtime/task.h"

namespace ringside {
namespace {

// A clock that moves when told to, and a ready list: the least host.
class TestClock : public Clock {
 public:
  Time now() override { return now_; }
  Time wall() override { return now_; }
  void start(Timer& timer, Time at) override {
    timer.slot = next_;
    timers_[{at, next_++}] = &timer;
  }
  void cancel(Timer& timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.second == &timer; });
    timer.slot = Timer::kIdle;
  }
  void advance(Duration by) {
    const Time until = now_ + by;
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      now_ = timers_.begin()->first.first;
      Timer* timer = timers_.begin()->second;
      timers_.erase(timers_.begin());
      timer->slot = Timer::kIdle;
      timer->fire();
      ready.drain();
    }
    now_ = until;
  }
  bool idle() const { return timers_.empty(); }

  ReadyList ready;

 private:
  Time now_ = 0;
  uint64_t next_ = 0;
  std::map<std::pair<Time, uint64_t>, Timer*> timers_;
};

// Says in `log` when it is destroyed, to see the order in which frames die.
struct Mourner {
  std::vector<std::string>& log;
  std::string name;
  ~Mourner() { log.push_back(name); }
};

Task<int> answer() { co_return 42; }
Task<int> deep(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await deep(depth - 1);
  co_return below + 1;
}

TEST(Task, is_lazy_and_hands_its_value_to_its_awaiter) {
  TestClock clock;
  Scope scope(clock.ready);
  int got = 0;
  scope.spawn([](int& out) -> Task<void> { out = co_await answer(); }(got));
  EXPECT_EQ(got, 42);
  EXPECT_TRUE(scope.empty());
}

TEST(Task, awaits_a_hundred_thousand_levels_deep_without_using_the_stack) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  constexpr int kDepth = 1'000;  // the sanitizer's builds make no tail calls
#else
  constexpr int kDepth = 100'000;
#endif
#endif
  TestClock clock;
  Scope scope(clock.ready);
  int got = 0;
  scope.spawn([](int& out) -> Task<void> { out = co_await deep(kDepth); }(got));
  EXPECT_EQ(got, kDepth);
}

TEST(Scope, destroys_its_children_newest_first) {
  TestClock clock;
  std::vector<std::string> log;
  auto sleeper = [](TestClock& time, std::vector<std::string>& out,
                    std::string name) -> Task<void> {
    Mourner mourner{out, name};
    co_await time.sleep(kSecond);
    out.push_back(name + " woke");
  };
  {
    Scope scope(clock.ready);
    scope.spawn(sleeper(clock, log, "first"));
    scope.spawn(sleeper(clock, log, "second"));
  }
  EXPECT_EQ(log, (std::vector<std::string>{"second", "first"}));
  EXPECT_TRUE(clock.idle()) << "a destroyed sleeper left its timer behind";
}

TEST(Scope, join_waits_for_every_child) {
  TestClock clock;
  Scope outer(clock.ready);
  Scope scope(clock.ready);
  std::vector<std::string> log;
  auto child = [](TestClock& time, Duration after, std::vector<std::string>& out) -> Task<void> {
    co_await time.sleep(after);
    out.push_back("child");
  };
  scope.spawn(child(clock, 10, log));
  scope.spawn(child(clock, 20, log));
  outer.spawn([](Scope& joined, std::vector<std::string>& out) -> Task<void> {
    co_await joined.join();
    out.push_back("joined");
  }(scope, log));
  clock.advance(30);
  EXPECT_EQ(log, (std::vector<std::string>{"child", "child", "joined"}));
}

TEST(WithDeadline, destroys_the_task_that_is_late_and_reports_a_timeout) {
  TestClock clock;
  Scope scope(clock.ready);
  std::vector<std::string> log;
  auto slow = [](TestClock& time, std::vector<std::string>& out) -> Task<Result<int>> {
    Mourner mourner{out, "slow"};
    co_await time.sleep(kSecond);
    co_return 1;
  };
  auto watch = [](TestClock& time, std::vector<std::string>& out, Task<Result<int>> task,
                  Time by) -> Task<void> {
    Result<int> result = co_await with_deadline(time, by, std::move(task));
    out.push_back(result.ok() ? "value" : code_name(result.code()));
  };
  scope.spawn(watch(clock, log, slow(clock, log), 10));
  clock.advance(2 * kSecond);
  EXPECT_EQ(log, (std::vector<std::string>{"slow", "timeout"}));
  scope.spawn(watch(clock, log, slow(clock, log), clock.now() + 2 * kSecond));
  clock.advance(2 * kSecond);
  EXPECT_EQ(log.back(), "value");
  EXPECT_TRUE(clock.idle());
}

TEST(Gather, returns_at_the_needed_success_and_can_wait_for_the_stragglers) {
  TestClock clock;
  Scope scope(clock.ready);
  Gather gather(clock.ready, clock, 3);
  std::vector<Gather::Outcome> seen;
  scope.spawn([](Gather& all, std::vector<Gather::Outcome>& out) -> Task<void> {
    out.push_back(co_await all.wait(2, kNever));
    out.push_back(co_await all.wait(3, 100));
  }(gather, seen));
  gather.succeed();
  clock.ready.drain();
  EXPECT_TRUE(seen.empty());
  gather.succeed();
  clock.ready.drain();
  EXPECT_EQ(seen, (std::vector<Gather::Outcome>{Gather::Outcome::kReached}));
  clock.advance(200);
  EXPECT_EQ(seen.back(), Gather::Outcome::kDeadline);
}

TEST(Gather, says_impossible_as_soon_as_too_many_failed) {
  TestClock clock;
  Scope scope(clock.ready);
  Gather gather(clock.ready, clock, 3);
  std::vector<Gather::Outcome> seen;
  scope.spawn([](Gather& all, std::vector<Gather::Outcome>& out) -> Task<void> {
    out.push_back(co_await all.wait(2, kNever));
  }(gather, seen));
  gather.fail();
  gather.fail();
  clock.ready.drain();
  EXPECT_EQ(seen, (std::vector<Gather::Outcome>{Gather::Outcome::kImpossible}));
}

TEST(Semaphore, a_permit_granted_to_a_frame_that_then_dies_is_given_back) {
  TestClock clock;
  Semaphore semaphore(clock.ready, 1);
  std::vector<std::string> log;
  auto take = [](Semaphore& from, TestClock& time, std::vector<std::string>& out,
                 std::string name) -> Task<void> {
    Permit permit = co_await from.acquire();
    out.push_back(name);
    co_await time.sleep(10);
  };
  Scope others(clock.ready);
  others.spawn(take(semaphore, clock, log, "first"));
  {
    Scope doomed(clock.ready);
    doomed.spawn(take(semaphore, clock, log, "doomed"));
    others.spawn(take(semaphore, clock, log, "last"));
  }
  clock.advance(100);
  EXPECT_EQ(log, (std::vector<std::string>{"first", "last"}));
  EXPECT_EQ(semaphore.available(), 1u);
}

TEST(Channel, refuses_when_full_and_ends_when_closed) {
  TestClock clock;
  Scope scope(clock.ready);
  Channel<int> channel(clock.ready, 2);
  std::vector<int> got;
  EXPECT_TRUE(channel.push(1));
  EXPECT_TRUE(channel.push(2));
  EXPECT_FALSE(channel.push(3));
  scope.spawn([](Channel<int>& from, std::vector<int>& out) -> Task<void> {
    while (std::optional<int> item = co_await from.pop()) out.push_back(*item);
    out.push_back(-1);
  }(channel, got));
  channel.push(4);
  clock.ready.drain();
  channel.close();
  clock.ready.drain();
  EXPECT_EQ(got, (std::vector<int>{1, 2, 4, -1}));
}

TEST(Event, wakes_everyone_who_waits_and_lets_later_ones_through) {
  TestClock clock;
  Scope scope(clock.ready);
  Event event(clock.ready);
  int woken = 0;
  auto wait = [](Event& waited, int& out) -> Task<void> {
    co_await waited.wait();
    ++out;
  };
  scope.spawn(wait(event, woken));
  scope.spawn(wait(event, woken));
  event.set();
  EXPECT_EQ(woken, 0) << "a wake-up must not run inside the code that caused it";
  clock.ready.drain();
  scope.spawn(wait(event, woken));
  EXPECT_EQ(woken, 3);
}

}  // namespace
}  // namespace ringside
