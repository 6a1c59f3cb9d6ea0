#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>
#include <vector>

#include "runtime/random.h"

namespace ringside::sim {
namespace {

using Key = std::tuple<Time, uint64_t, uint64_t>;  // time, priority, order of insertion

// The queue beside the plainest thing that is surely right: a sorted set.
class Pair {
 public:
  void insert(Time time, uint64_t priority) {
    const uint64_t number = handles_.size();
    handles_.push_back(queue.insert(time, priority, {nullptr, {number}, 0, 0}));
    keys_.emplace_back(time, priority, number);
    expected_.insert(keys_.back());
  }
  void cancel(uint64_t number) {
    const bool was_there = expected_.erase(keys_[number]) > 0;
    ASSERT_EQ(queue.cancel(handles_[number]), was_there);
  }
  // False when both say that there is nothing up to `limit`.
  bool pop(Time limit) {
    QueuedEvent event;
    const bool some = queue.pop(limit, event);
    const bool expects = !expected_.empty() && std::get<0>(*expected_.begin()) <= limit;
    EXPECT_EQ(some, expects);
    if (!some || !expects) return false;
    const Key first = *expected_.begin();
    expected_.erase(expected_.begin());
    EXPECT_EQ(first, Key(event.time, event.priority, event.payload.number));
    now = event.time;
    return true;
  }
  uint64_t inserted() const { return handles_.size(); }
  std::size_t size() const { return expected_.size(); }

  EventQueue queue;
  Time now = 0;

 private:
  std::vector<EventQueue::Handle> handles_;
  std::vector<Key> keys_;
  std::set<Key> expected_;
};

// A mix of operations; `delay` and `priority` draw what is inserted.
template <class Delay>
void compare(uint64_t seed, int operations, std::size_t size, Delay delay, uint64_t priorities) {
  Random random(seed);
  Pair pair;
  for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
    const uint64_t what = random.below(16);
    if (pair.size() < size / 2 || what < 6) {
      const Duration after = delay(random);
      const uint64_t priority = random.below(priorities);
      pair.insert(pair.now + after, priority);
    } else if (what < 9) {
      // Mostly what is still there: the latest ones.
      const uint64_t back = 1 + random.below(std::min<uint64_t>(pair.inserted(), 2 * size));
      pair.cancel(pair.inserted() - back);
    } else if (what < 10) {
      // A run up to a moment between events, as World::run_until does it.
      const Time until = pair.now + delay(random) / 8;
      while (pair.pop(until)) {
      }
      pair.now = until;
    } else {
      pair.pop(kNever);
    }
    ASSERT_EQ(pair.queue.size(), pair.size());
  }
  while (pair.pop(kNever)) {
  }
  ASSERT_TRUE(pair.queue.empty());
}

TEST(EventQueue, agrees_with_a_sorted_set_on_delays_of_one_scale) {
  const auto delay = [](Random& random) { return static_cast<Duration>(random.below(2'000'000)); };
  compare(1, 400'000, 10, delay, ~uint64_t{0});
  compare(2, 400'000, 1'000, delay, ~uint64_t{0});
  compare(3, 400'000, 30'000, delay, ~uint64_t{0});
}

TEST(EventQueue, agrees_with_a_sorted_set_on_delays_of_every_scale) {
  const auto delay = [](Random& random) {
    const uint64_t bits = random.below(62);
    return static_cast<Duration>(random.below(uint64_t{1} << bits) % (uint64_t{1} << 44));
  };
  compare(4, 400'000, 10, delay, 4);
  compare(5, 400'000, 3'000, delay, ~uint64_t{0});
}

TEST(EventQueue, agrees_with_a_sorted_set_when_many_events_fall_on_one_moment) {
  const auto ties = [](Random& random) { return static_cast<Duration>(random.below(3)) * 1000; };
  compare(6, 300'000, 2'000, ties, 3);
  compare(7, 300'000, 2'000, ties, ~uint64_t{0});
  const auto now = [](Random& random) { return static_cast<Duration>(random.below(50) == 0); };
  compare(8, 300'000, 5'000, now, ~uint64_t{0});
}

TEST(EventQueue, orders_equal_times_by_priority_and_then_by_insertion) {
  EventQueue queue;
  queue.insert(5, 2, {nullptr, {1}, 0, 0});
  queue.insert(5, 1, {nullptr, {2}, 0, 0});
  queue.insert(5, 2, {nullptr, {3}, 0, 0});
  queue.insert(4, 9, {nullptr, {4}, 0, 0});
  std::vector<uint64_t> order;
  QueuedEvent event;
  while (queue.pop(kNever, event)) order.push_back(event.payload.number);
  EXPECT_EQ(order, (std::vector<uint64_t>{4, 2, 1, 3}));
}

TEST(EventQueue, gives_nothing_beyond_the_limit_and_takes_earlier_events_after_that) {
  EventQueue queue;
  QueuedEvent event;
  queue.insert(1'000'000, 0, {nullptr, {1}, 0, 0});
  EXPECT_FALSE(queue.pop(999'999, event));
  queue.insert(999'999, 0, {nullptr, {2}, 0, 0});
  queue.insert(1, 0, {nullptr, {3}, 0, 0});
  ASSERT_TRUE(queue.pop(kNever, event));
  EXPECT_EQ(event.payload.number, 3u);
  ASSERT_TRUE(queue.pop(kNever, event));
  EXPECT_EQ(event.payload.number, 2u);
  ASSERT_TRUE(queue.pop(1'000'000, event));
  EXPECT_EQ(event.payload.number, 1u);
}

TEST(EventQueue, forgets_a_cancelled_event_and_knows_a_handle_that_is_over) {
  EventQueue queue;
  const EventQueue::Handle handle = queue.insert(10, 0, {});
  EXPECT_TRUE(queue.cancel(handle));
  EXPECT_FALSE(queue.cancel(handle));
  const EventQueue::Handle other = queue.insert(20, 0, {});
  EXPECT_NE(handle, other);
  EXPECT_FALSE(queue.cancel(handle));
  QueuedEvent event;
  EXPECT_TRUE(queue.pop(kNever, event));
  EXPECT_EQ(event.time, 20);
  EXPECT_FALSE(queue.cancel(other));
}

// Whether near, in a bucket or late; cancelled ones and those that were taken are not among them.
TEST(EventQueue, lists_what_an_owner_has_pending_in_order) {
  EventQueue queue;
  Random random(3);
  std::set<Key> expected;
  uint64_t number = 0;
  const auto insert = [&](Time from, uint64_t within) {
    const Time time = from + static_cast<Time>(random.below(within));
    const uint64_t priority = random.below(4);
    const auto owner = static_cast<uint32_t>(random.below(3));
    const auto tag = static_cast<uint32_t>(random.below(2));
    const bool cancelled = random.below(4) == 0;
    ++number;
    const auto handle = queue.insert(time, priority, {nullptr, {number}, owner, tag});
    if (cancelled) {
      EXPECT_TRUE(queue.cancel(handle));
    } else if (owner == 1 && tag == 0) {
      expected.emplace(time, priority, number);
    }
  };
  const auto expect_all_listed = [&] {
    std::vector<Key> found;
    for (const EventQueue::Pending& pending : queue.pending(1, 0))
      found.emplace_back(pending.event.time, pending.event.priority, pending.event.payload.number);
    EXPECT_EQ(found, std::vector<Key>(expected.begin(), expected.end()));
  };
  for (int i = 0; i < 2'000; ++i) insert(0, kSecond);
  expect_all_listed();
  for (int i = 0; i < 1'000; ++i) {
    QueuedEvent event;
    ASSERT_TRUE(queue.pop(kNever, event));
    expected.erase({event.time, event.priority, event.payload.number});
    for (int j = 0; j < 3; ++j) insert(event.time, j == 0 ? kSecond : 1'000);
    if (i % 100 == 0) expect_all_listed();
  }
  EXPECT_GT(expected.size(), 300u);
}

// A far event was looked at, then a crowd comes before it: no operation may become slow.
TEST(EventQueue, takes_a_crowd_before_a_far_event_in_order) {
  EventQueue queue;
  QueuedEvent event;
  queue.insert(kSecond, 0, {});
  EXPECT_FALSE(queue.pop(kSecond - 1, event));
  Random random(1);
  for (int i = 0; i < 200'000; ++i)
    queue.insert(static_cast<Time>(random.below(kSecond)), random.next(), {});
  Time last = 0;
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(queue.pop(kNever, event));
    ASSERT_LE(last, event.time);
    last = event.time;
  }
}

}  // namespace
}  // namespace ringside::sim
