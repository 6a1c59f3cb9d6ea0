// Each kind of weather, to the nanosecond where nothing is drawn.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sim/room_for_test.h"

namespace ringside::sim {
namespace {

using Kind = LinkWeather::Kind;
constexpr Time kMs = kMillisecond;

TEST(Weather, cuts_need_not_be_transitive) {
  Room room(small_world(3, kMs), 3);
  room.world.begin_weather({.from = {0}, .to = {1}});
  for (const NodeId from : {1u, 2u, 3u})
    for (const NodeId to : {1u, 2u, 3u})
      if (from != to) room.send(from, to, std::to_string(from) + std::to_string(to));
  room.world.run_until(10 * kMs);
  std::vector<std::string> heard;
  for (const Seen& seen : room.take()) heard.push_back(seen.what);
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (std::vector<std::string>{"13", "23", "31", "32"}));
}

TEST(Weather, failing_lookups_stop_new_connections_and_let_standing_ones_go_on) {
  Room room(small_world(3, kMs), 3);
  room.send(1, 2, "before");
  room.world.run_until(5 * kMs);
  room.take();
  const World::WeatherId id =
      room.world.begin_weather({.kind = Kind::kLookupFails, .from = {0}, .to = {1, 2}});
  room.send(1, 2, "stands");
  room.send(2, 1, "answers");  // on the connection that 1 made
  room.send(1, 3, "new");
  room.send(1, 3, "new too");
  room.world.run_until(8 * kMs);
  Log log = room.take();
  std::sort(log.begin(), log.end(), [](const Seen& a, const Seen& b) {
    return std::pair(a.at, a.node) < std::pair(b.at, b.node);
  });
  EXPECT_EQ(log,
            (Log{{6 * kMs, 1, "answers"}, {6 * kMs, 2, "stands"}, {7 * kMs, 1, "unavailable 3"}}));
  EXPECT_TRUE(room.world.end_weather(id));
  room.send(1, 3, "after");
  room.world.run_until(20 * kMs);
  EXPECT_EQ(room.take(), (Log{{9 * kMs, 3, "after"}}));
}

TEST(Weather, a_clog_holds_what_is_sent_until_it_ends_and_then_it_takes_its_latency) {
  Room room(small_world(2, kMs), 2);
  const World::WeatherId id =
      room.world.begin_weather({.kind = Kind::kClog, .from = {0}, .to = {1}, .both_ways = false});
  room.send(1, 2, "held");
  room.send(2, 1, "passes");
  room.world.run_until(50 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 1, "passes"}}));
  room.world.end_weather(id);
  room.send(1, 2, "free");
  room.world.run_until(100 * kMs);
  std::vector<Seen> log = room.take();
  ASSERT_EQ(log.size(), 2u);
  for (const Seen& seen : log) EXPECT_EQ(seen.at, 51 * kMs);
  EXPECT_EQ(room.world.counters().frames_lost, 0u);
}

TEST(Weather, what_was_under_way_when_a_clog_began_arrives_at_its_end_in_its_order) {
  Room room(small_world(2, kMs), 2);
  for (int i = 0; i < 5; ++i) {
    room.world.run_until(i * 100'000);
    room.send(1, 2, std::to_string(i));
  }
  const World::WeatherId id =
      room.world.begin_weather({.kind = Kind::kClog, .from = {0}, .to = {1}});
  room.world.at(1'150'000, "end", [&] { room.world.end_weather(id); });  // 0 and 1 were caught
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{1'150'000, 2, "0"},
                              {1'150'000, 2, "1"},
                              {1'200'000, 2, "2"},
                              {1'300'000, 2, "3"},
                              {1'400'000, 2, "4"}}));
}

TEST(Weather, a_clog_fills_the_window_and_its_end_wakes_who_waits) {
  WorldSpec spec = small_world(2, kMs);
  spec.network.window_bytes = 1'000;
  Room room(std::move(spec), 2);
  const World::WeatherId id =
      room.world.begin_weather({.kind = Kind::kClog, .from = {0}, .to = {1}});
  const std::string bytes(300, 'x');
  EXPECT_TRUE(room.send(1, 2, bytes) && room.send(1, 2, bytes) && room.send(1, 2, bytes));
  room.world.run_until(kSecond);
  EXPECT_FALSE(room.send(1, 2, bytes));
  room.world.end_weather(id);
  EXPECT_FALSE(room.send(1, 2, bytes));
  room.world.run_until(2 * kSecond);
  EXPECT_EQ(room.take().size(), 3u);
  EXPECT_TRUE(room.send(1, 2, bytes));
}

// Operations are sent one a microsecond, before, in and after the clog, over latencies drawn
// exponentially.
std::map<uint64_t, Time> through_a_clog(bool ordered, bool clog, std::vector<uint64_t>* order) {
  WorldSpec spec = small_world(2);
  LinkModel link;
  link.latency = *Distribution::exponential(100.0 * kMicrosecond);
  spec.topology.set_class(LinkClass::kSameRack, link);
  spec.network.ordered = ordered;
  Room room(std::move(spec), 2);
  World::WeatherId id = 0;
  for (uint64_t i = 1; i <= 3'000; ++i) {
    room.world.run_until(static_cast<Time>(i) * kMicrosecond);
    if (clog && i == 1'000)
      id = room.world.begin_weather({.kind = Kind::kClog, .from = {0}, .to = {1}});
    if (clog && i == 2'000) room.world.end_weather(id);
    room.send(1, 2, std::to_string(i), 1, i);
  }
  room.world.run_until(kSecond);
  EXPECT_EQ(room.world.counters().frames_lost, 0u);
  std::map<uint64_t, Time> at;
  for (const Seen& seen : room.log) {
    at[std::stoull(seen.what)] = seen.at;
    if (order != nullptr) order->push_back(std::stoull(seen.what));
  }
  return at;
}

TEST(Weather, a_clog_loses_nothing_and_keeps_the_order_of_an_ordered_link) {
  std::vector<uint64_t> order;
  EXPECT_EQ(through_a_clog(true, true, &order).size(), 3'000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Weather, a_clog_adds_to_each_frame_the_time_to_its_end_and_nothing_to_others) {
  const auto clean = through_a_clog(false, false, nullptr);
  const auto clogged = through_a_clog(false, true, nullptr);
  constexpr Time kBegin = 1'000 * kMicrosecond;
  constexpr Time kEnd = 2'000 * kMicrosecond;
  uint64_t caught = 0;
  for (const auto& [operation, usual] : clean) {
    const Time at = clogged.at(operation);
    if (operation >= 1'000 && operation < 2'000) {
      const Time sent = static_cast<Time>(operation) * kMicrosecond;
      EXPECT_EQ(at, kEnd + usual - sent);
    } else if (operation < 1'000 && usual > kBegin && usual < kEnd) {
      ++caught;
      EXPECT_EQ(at, kEnd);
    } else {
      EXPECT_EQ(at, usual);
    }
  }
  EXPECT_GT(caught, 50u);
}

TEST(Weather, a_half_open_connection_swallows_frames_until_the_window_is_full_then_resets) {
  WorldSpec spec = small_world(2, kMs);
  spec.network.window_bytes = 1'000;
  Room room(std::move(spec), 2);
  const std::string bytes(300, 'x');
  room.send(1, 2, "before");
  room.world.run_until(5 * kMs);
  room.send(1, 2, bytes);  // under way
  const World::WeatherId id =
      room.world.begin_weather({.kind = Kind::kHalfOpen, .from = {0}, .to = {1}});
  EXPECT_TRUE(room.send(1, 2, bytes) && room.send(1, 2, bytes));
  EXPECT_FALSE(room.send(1, 2, bytes));
  room.world.run_until(kSecond);
  EXPECT_FALSE(room.send(1, 2, bytes));
  EXPECT_EQ(room.take(), (Log{{kMs, 2, "before"}}));
  EXPECT_EQ(room.world.counters().frames_lost, 0u);
  room.world.end_weather(id);
  EXPECT_EQ(room.world.counters().frames_lost, 3u);
  EXPECT_FALSE(room.send(1, 2, bytes));  // until it is told
  room.world.run_until(2 * kSecond);
  EXPECT_EQ(room.take(), (Log{{kSecond + kMs, 1, "connection reset 2"}}));
  EXPECT_EQ(room.world.counters().resets, 1u);
  EXPECT_TRUE(room.send(1, 2, "anew"));
  room.world.run_until(3 * kSecond);
  EXPECT_EQ(room.take(), (Log{{2 * kSecond + kMs, 2, "anew"}}));
}

TEST(Weather, a_reset_that_cannot_be_told_is_told_to_the_next_frame) {
  Room room(small_world(2, kMs), 2);
  room.send(1, 2, "before");
  room.world.run_until(5 * kMs);
  const World::WeatherId half =
      room.world.begin_weather({.kind = Kind::kHalfOpen, .from = {0}, .to = {1}});
  const World::WeatherId cut =
      room.world.begin_weather({.from = {1}, .to = {0}, .both_ways = false});
  room.send(1, 2, "swallowed");
  room.world.run_until(10 * kMs);
  room.world.end_weather(half);
  room.world.run_until(20 * kMs);
  room.world.end_weather(cut);
  room.send(1, 2, "into the void");
  room.world.run_until(30 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 2, "before"}, {22 * kMs, 1, "connection reset 2"}}));
  EXPECT_EQ(room.world.counters().frames_lost, 2u);
}

TEST(Weather, slow_links_multiply_latency_and_then_add_and_overlaps_do_both) {
  Room room(small_world(2, kMs), 2);
  const World::WeatherId three = room.world.begin_weather(
      {.kind = Kind::kSlow, .from = {0}, .to = {1}, .both_ways = false, .slower = 3});
  room.send(1, 2, "a");
  room.send(2, 1, "back");
  room.world.begin_weather({.kind = Kind::kSlow,
                            .from = {0},
                            .to = {1},
                            .slower = 2,
                            .extra = Distribution::constant(7 * kMs)});
  room.send(1, 2, "b");
  room.world.end_weather(three);
  room.send(1, 2, "c");
  room.world.clear_weather();
  room.send(1, 2, "d");
  room.world.run_until(kSecond);
  Log log = room.take();
  std::sort(log.begin(), log.end(), [](const Seen& a, const Seen& b) { return a.what < b.what; });
  EXPECT_EQ(log, (Log{{3 * kMs, 2, "a"},
                      {13 * kMs, 2, "b"},
                      {kMs, 1, "back"},
                      {9 * kMs, 2, "c"},
                      {kMs, 2, "d"}}));
}

TEST(Weather, a_flap_is_a_cut_while_it_is_down_and_nothing_while_it_is_up) {
  Room room(small_world(2, kMicrosecond), 2);
  std::vector<Time> turns;
  room.world.set_event_sink([&](const EventRecord& event) {
    if (event.kind == EventKind::kWeather) turns.push_back(event.time);
  });
  room.world.begin_weather(
      {.kind = Kind::kFlap, .from = {0}, .to = {1}, .up_mean = 5 * kMs, .down_mean = 3 * kMs});
  for (uint64_t i = 1; i <= 10'000; ++i) {
    room.world.run_until(static_cast<Time>(i) * 100'000);
    room.send(1, 2, std::to_string(i), 1, i);
  }
  room.world.clear_weather();
  room.world.run_until(2 * kSecond);
  EXPECT_GT(turns.size(), 100u);
  std::map<uint64_t, Time> heard;
  for (const Seen& seen : room.log) heard[std::stoull(seen.what)] = seen.at;
  for (uint64_t i = 1; i <= 10'000; ++i) {
    const Time sent = static_cast<Time>(i) * 100'000;
    const auto down = [&](Time at) {
      return (std::upper_bound(turns.begin(), turns.end(), at) - turns.begin()) % 2 == 1;
    };
    EXPECT_EQ(heard.contains(i), !down(sent) && !down(sent + kMicrosecond)) << i;
  }
}

TEST(Weather, a_reset_loses_what_is_under_way_tells_the_sender_and_lets_it_connect_again) {
  Room room(small_world(3, 10 * kMs), 3);
  room.send(1, 2, "opens");
  room.send(3, 2, "other");
  room.world.run_until(20 * kMs);
  room.take();
  Time reset = 0;
  room.world.set_event_sink([&](const EventRecord& event) {
    if (event.kind == EventKind::kWeather) reset = event.time;
  });
  const World::WeatherId id = room.world.begin_weather(
      {.kind = Kind::kResetStorm, .from = {0}, .to = {1}, .reset_mean = kSecond});
  std::size_t others = 0;
  while (reset == 0) {
    room.send(1, 2, "sent");
    room.send(3, 2, "other");
    ++others;
    room.world.run_until(room.world.now() + kMs);
  }
  room.world.end_weather(id);
  const Time told = reset + 10 * kMs;
  room.world.run_until(told + kSecond);
  Log log = room.take();
  EXPECT_EQ(std::erase_if(log, [](const Seen& seen) { return seen.what == "other"; }), others);
  EXPECT_EQ(log.back(), (Seen{told, 1, "connection reset 2"}));
  log.pop_back();
  for (const Seen& seen : log) EXPECT_LE(seen.at, reset);
  EXPECT_EQ(room.world.counters().frames_lost, 10u);  // one a millisecond, of ten
  EXPECT_EQ(room.world.counters().resets, 1u);
  room.send(1, 2, "again");
  room.world.run_until(told + 2 * kSecond);
  EXPECT_EQ(room.take(), (Log{{told + kSecond + 10 * kMs, 2, "again"}}));
}

TEST(Weather, a_storm_over_closed_connections_sleeps_until_a_frame_comes) {
  Room room(small_world(2, kMs), 2);
  const World::WeatherId cut = room.world.begin_weather({.from = {0}, .to = {1}});
  room.send(1, 2, "lost");
  room.world.begin_weather(
      {.kind = Kind::kResetStorm, .from = {0}, .to = {1}, .reset_mean = 20 * kMs});
  EXPECT_FALSE(room.world.step());
  EXPECT_TRUE(room.world.idle());
  room.world.end_weather(cut);
  room.send(1, 2, "opens");
  while (room.world.step()) {
  }
  ASSERT_EQ(room.log.size(), 2u);
  EXPECT_EQ(room.log[1].what, "connection reset 2");
  EXPECT_TRUE(room.world.idle());
}

TEST(Weather, all_of_it_ends_at_once_and_leaves_nothing_to_happen) {
  Room room(small_world(2, kMs), 2);
  for (int kind = 0; kind <= static_cast<int>(Kind::kResetStorm); ++kind)
    room.world.begin_weather({.kind = static_cast<Kind>(kind),
                              .from = {0},
                              .to = {1},
                              .bandwidth_bytes_per_second = 1,
                              .up_mean = kMs,
                              .down_mean = kMs,
                              .reset_mean = kMs});
  room.send(1, 2, "lost");
  EXPECT_TRUE(room.world.clear_weather());
  EXPECT_FALSE(room.world.clear_weather());
  EXPECT_FALSE(room.world.end_weather(1));
  EXPECT_TRUE(room.world.idle());
  room.send(1, 2, "arrives");
  room.world.run_until(kSecond);
  EXPECT_EQ(room.take(), (Log{{kMs, 2, "arrives"}}));
}

struct FaultLines : Observer {
  void on_fault(Time, std::string_view what) override { lines.emplace_back(what); }
  std::vector<std::string> lines;
};

TEST(Weather, is_told_in_words) {
  Room room(small_world(8), 2);
  FaultLines faults;
  room.world.set_observer(&faults);
  room.world.begin_weather({.from = {0}, .to = {1, 2}});
  room.world.begin_weather({.kind = Kind::kSlow,
                            .from = {0, 1, 2, 3, 4, 5, 6, 7},
                            .to = {1},
                            .both_ways = false,
                            .slower = 4,
                            .extra = Distribution::constant(5 * kMs)});
  room.world.begin_weather({.kind = Kind::kLossy, .from = {0}, .to = {1}, .loss = 0.01});
  room.world.end_weather(1);
  room.world.clear_weather();
  EXPECT_EQ(
      faults.lines,
      (std::vector<std::string>{
          "weather 1 begins: cut: m1 <-> m2, m3",
          "weather 2 begins: slow (4 times, then 5ms): m1, m2, m3, m4, m5, m6 and 2 more -> m2",
          "weather 3 begins: lossy (loss 1 %, duplication 0 %, corruption 0 %): m1 <-> m2",
          "weather 1 ends: cut: m1 <-> m2, m3", "all weather ends"}));
  room.world.set_observer(nullptr);
}

TEST(Weather, what_cannot_be_is_refused_in_words) {
  const WorldSpec spec = small_world(2);
  const auto wrong = [&](const LinkWeather& weather) {
    const Result<void> valid = validate(weather, spec.topology);
    return valid.ok() ? std::string() : valid.error().text();
  };
  EXPECT_EQ(wrong({.from = {0}, .to = {1}}), "");
  EXPECT_EQ(wrong({.from = {0}, .to = {2}}), "invalid: cut needs machines of the topology");
  EXPECT_EQ(wrong({.kind = Kind::kSlow, .slower = 0}), "invalid: slow needs a factor above 0");
  EXPECT_EQ(wrong({.kind = Kind::kLossy, .corruption = 1.1}),
            "invalid: lossy needs shares from 0 to 1");
  EXPECT_EQ(wrong({.kind = Kind::kNarrow}), "invalid: narrow needs a bandwidth above 0");
  EXPECT_EQ(wrong({.kind = Kind::kFlap, .up_mean = 1}),
            "invalid: flap needs a mean time up and a mean time down above 0");
  EXPECT_EQ(wrong({.kind = Kind::kResetStorm}),
            "invalid: reset storm needs a mean time between resets above 0");
}

}  // namespace
}  // namespace ringside::sim
