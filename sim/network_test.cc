#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sim/room_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kMs = kMillisecond;

TEST(SimNetwork, a_frame_takes_its_links_latency_and_a_named_kind_its_own) {
  WorldSpec spec = small_world(2, 3 * kMs);
  spec.network.by_kind.push_back({7, Distribution::constant(kMs)});
  Room room(std::move(spec), 2);
  room.send(1, 2, "slow", 1);
  room.send(1, 2, "fast", 7);
  room.send(1, 1, "self", 7);
  room.world.run_until(kSecond);
  Log log = room.take();
  std::sort(log.begin(), log.end(), [](const Seen& a, const Seen& b) {
    return std::pair(a.at, a.node) < std::pair(b.at, b.node);
  });
  EXPECT_EQ(log, (Log{{kMs, 1, "self"}, {kMs, 2, "fast"}, {3 * kMs, 2, "slow"}}));
}

TEST(SimNetwork, a_named_kind_takes_longer_from_one_region_to_another) {
  WorldSpec spec;
  for (const std::string region : {"east", "west"}) {
    const PlaceId zone = *spec.topology.add_zone(*spec.topology.add_region(region), region + "-a");
    const PlaceId rack = *spec.topology.add_rack(zone, region + "-a-r1");
    for (const char* name : {"1", "2"})
      ASSERT_TRUE(spec.topology.add_machine(rack, region + "-a-" + name).ok());
  }
  spec.machines.resize(4);
  spec.network.by_kind.push_back({7, Distribution::constant(kMs), 75 * kMs});
  spec.network.by_kind.push_back({8, Distribution::constant(2 * kMs)});
  Room room(std::move(spec), 4);
  room.send(1, 2, "near", 7);
  room.send(1, 3, "far", 7);
  room.send(1, 4, "far and plain", 8);
  room.world.run_until(kSecond);
  EXPECT_EQ(room.take(),
            (Log{{kMs, 2, "near"}, {2 * kMs, 4, "far and plain"}, {76 * kMs, 3, "far"}}));
}

// Sends `count` frames of distinct operations and returns for each arrival (operation, time).
std::multimap<uint64_t, Time> arrivals(const NetworkModel& model, uint64_t count) {
  WorldSpec spec = small_world(2);
  spec.network = model;
  LinkModel link;
  link.latency = *Distribution::exponential(double(kMs));
  for (std::size_t i = 0; i < kLinkClasses; ++i)
    spec.topology.set_class(static_cast<LinkClass>(i), link);
  spec.network.window_bytes = 1u << 30;
  Room room(std::move(spec), 2);
  for (uint64_t i = 1; i <= count; ++i) room.send(1, 2, std::to_string(i), 1, i);
  room.world.run_until(kSecond);
  std::multimap<uint64_t, Time> result;
  for (const Seen& seen : room.log) result.emplace(std::stoull(seen.what), seen.at);
  return result;
}

TEST(SimNetwork, loss_happens_at_its_rate_and_moves_no_other_frame) {
  constexpr uint64_t kCount = 20'000;
  const auto clean = arrivals({}, kCount);
  NetworkModel lossy;
  lossy.loss = 0.1;
  const auto lost = arrivals(lossy, kCount);
  EXPECT_EQ(clean.size(), kCount);
  EXPECT_NEAR(double(lost.size()), 0.9 * kCount, 4 * 43);  // four sigma of a binomial
  for (const auto& [operation, at] : lost) EXPECT_EQ(clean.find(operation)->second, at);
}

TEST(SimNetwork, duplication_happens_at_its_rate_and_moves_no_other_frame) {
  constexpr uint64_t kCount = 20'000;
  const auto clean = arrivals({}, kCount);
  NetworkModel doubling;
  doubling.duplication = 0.1;
  const auto twice = arrivals(doubling, kCount);
  EXPECT_NEAR(double(twice.size()), 1.1 * kCount, 4 * 43);
  for (const auto& [operation, at] : clean) {
    const auto [first, last] = twice.equal_range(operation);
    EXPECT_TRUE(
        std::any_of(first, last, [&, when = at](const auto& seen) { return seen.second == when; }));
  }
}

TEST(SimNetwork, frames_overtake_each_other_unless_the_links_are_ordered) {
  const auto free = arrivals({}, 1'000);
  NetworkModel model;
  model.ordered = true;
  const auto ordered = arrivals(model, 1'000);
  const auto sorted = [](const auto& map) {
    return std::is_sorted(map.begin(), map.end(),
                          [](auto& a, auto& b) { return a.second < b.second; });
  };
  EXPECT_FALSE(sorted(free));
  EXPECT_TRUE(sorted(ordered));
}

TEST(SimNetwork, a_retry_draws_anew_and_the_same_question_gets_the_same_answer) {
  const auto times = [](uint64_t background) {
    WorldSpec spec = small_world(2);
    LinkModel link;
    link.latency = *Distribution::uniform(0, double(kSecond));
    spec.topology.set_class(LinkClass::kSameRack, link);
    Room room(std::move(spec), 2);
    for (uint64_t i = 0; i < background; ++i) room.send(1, 2, "noise", 9);
    for (int i = 0; i < 3; ++i) room.send(1, 2, "try " + std::to_string(i), 1, 77);
    room.world.run_until(2 * kSecond);
    std::map<std::string, Time> result;
    for (const Seen& seen : room.log)
      if (seen.what != "noise") result[seen.what] = seen.at;
    return result;
  };
  const auto alone = times(0);
  EXPECT_EQ(alone, times(1'000));
  EXPECT_NE(alone.at("try 0"), alone.at("try 1"));
  EXPECT_NE(alone.at("try 1"), alone.at("try 2"));
}

TEST(SimNetwork, a_link_with_a_bandwidth_lets_bytes_queue) {
  WorldSpec spec = small_world(2);
  LinkModel link;
  link.latency = Distribution::constant(kMs);
  link.bandwidth_bytes_per_second = 1'000'000;
  spec.topology.set_class(LinkClass::kSameRack, link);
  Room room(std::move(spec), 2);
  for (int i = 0; i < 3; ++i)
    room.send(1, 2, std::string(968, 'x'));  // 1000 with the frame's overhead
  room.world.run_until(kSecond);
  ASSERT_EQ(room.log.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(room.log[i].at, (i + 2) * kMs);
}

TEST(SimNetwork, a_silent_cut_loses_frames_and_tells_nobody_until_it_heals) {
  Room room(small_world(3, kMs), 3);
  const World::WeatherId id = room.world.begin_weather({.from = {0}, .to = {1}});
  room.send(1, 2, "a");
  room.send(2, 1, "b");
  room.send(1, 3, "c");
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 3, "c"}}));
  room.world.end_weather(id);
  room.send(1, 2, "d");
  room.world.run_until(20 * kMs);
  EXPECT_EQ(room.take(), (Log{{11 * kMs, 2, "d"}}));
}

TEST(SimNetwork, a_one_way_cut_lets_the_other_way_pass) {
  Room room(small_world(2, kMs), 2);
  room.world.begin_weather({.from = {0}, .to = {1}, .both_ways = false});
  room.send(1, 2, "a");
  room.send(2, 1, "b");
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 1, "b"}}));
}

TEST(SimNetwork, overlapping_cuts_heal_one_by_one) {
  Room room(small_world(2, kMs), 2);
  const World::WeatherId first = room.world.begin_weather({.from = {0}, .to = {1}});
  const World::WeatherId second = room.world.begin_weather({.from = {0, 1}, .to = {0, 1}});
  room.world.end_weather(first);
  room.send(1, 2, "a");
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), Log{});
  room.world.end_weather(second);
  room.send(1, 2, "b");
  room.world.run_until(20 * kMs);
  EXPECT_EQ(room.take().size(), 1u);
}

TEST(SimNetwork, a_refusing_cut_tells_the_sender_after_a_round_trip) {
  Room room(small_world(2, kMs), 2);
  room.world.begin_weather({.kind = LinkWeather::Kind::kRefuse, .from = {0}, .to = {1}});
  room.send(1, 2, "a");
  room.send(1, 2, "b");
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{2 * kMs, 1, "unavailable 2"}}));
}

TEST(SimNetwork, a_machine_without_the_process_refuses) {
  Room room(small_world(2, kMs), 2);
  room.world.crash(2);
  room.world.run_until(5 * kMs);
  EXPECT_EQ(room.take(), Log{});  // nothing was ever sent to it
  room.send(1, 2, "a");
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{7 * kMs, 1, "unavailable 2"}}));
}

TEST(SimNetwork, a_crash_resets_whoever_had_reached_the_process) {
  Room room(small_world(3, kMs), 3);
  room.send(1, 2, "a");
  room.world.run_until(5 * kMs);
  room.send(1, 2, "in flight");
  room.world.crash(2);
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 2, "a"}, {6 * kMs, 1, "connection reset 2"}}));
  room.send(1, 2, "again");
  room.world.run_until(20 * kMs);
  EXPECT_EQ(room.take(), (Log{{12 * kMs, 1, "unavailable 2"}}));
}

TEST(SimNetwork, a_power_loss_is_silent_until_the_restarted_process_meets_an_old_connection) {
  Room room(small_world(2, kMs), 2);
  room.send(1, 2, "a");
  room.world.run_until(5 * kMs);
  room.world.power_loss(1);
  room.send(1, 2, "b");
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 2, "a"}}));
  room.world.restart(2);
  room.send(1, 2, "c");
  room.world.run_until(15 * kMs);
  EXPECT_EQ(room.take(), (Log{{12 * kMs, 1, "connection reset 2"}}));
  room.send(1, 2, "d");
  room.world.run_until(20 * kMs);
  EXPECT_EQ(room.take(), (Log{{16 * kMs, 2, "d"}}));
}

TEST(SimNetwork, what_was_sent_before_a_crash_still_travels) {
  Room room(small_world(2, kMs), 2);
  room.send(1, 2, "last words");
  room.world.crash(1);
  room.world.run_until(10 * kMs);
  EXPECT_EQ(room.take(), (Log{{kMs, 2, "last words"}}));
}

// "Unavailable" promises that nothing of this connection was delivered, so what is still under way
// must not be.
TEST(SimNetwork, after_a_refusal_nothing_of_the_connection_arrives_any_more) {
  WorldSpec spec = small_world(2, kMs);
  spec.network.by_kind.push_back({7, Distribution::constant(30 * kMs)});
  Room room(std::move(spec), 2);
  room.world.crash(2);
  room.send(1, 2, "late", 7);
  room.send(1, 2, "early", 1);
  room.world.run_until(1 * kMs);
  room.world.restart(2);
  room.world.run_until(100 * kMs);
  EXPECT_EQ(room.take(), (Log{{2 * kMs, 1, "unavailable 2"}}));
}

TEST(SimNetwork, the_window_fills_and_wakes_who_waits_for_room) {
  WorldSpec spec = small_world(2, kMs);
  spec.network.window_bytes = 1'000;
  World world(std::move(spec));
  Log log;
  Time resumed = 0;
  int sent = 0;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    const std::string bytes(300, 'x');
    while (host.network().send(frame_to(2, bytes))) ++sent;
    co_await host.network().writable(2);
    resumed = host.clock().now();
    if (host.network().send(frame_to(2, bytes))) ++sent;
  });
  world.place(2, 1, listener(world, log));
  world.start(2);
  world.start(1);
  world.run_until(10 * kMs);
  EXPECT_EQ(sent, 4);
  EXPECT_EQ(resumed, kMs);
  EXPECT_EQ(log.size(), 4u);
}

TEST(SimNetwork, a_frame_larger_than_the_window_passes_alone) {
  WorldSpec spec = small_world(2, kMs);
  spec.network.window_bytes = 100;
  Room room(std::move(spec), 2);
  EXPECT_TRUE(room.send(1, 2, std::string(5'000, 'x')));
  EXPECT_FALSE(room.send(1, 2, "y"));
  room.world.run_until(10 * kMs);
  EXPECT_TRUE(room.send(1, 2, "y"));
}

}  // namespace
}  // namespace ringside::sim
