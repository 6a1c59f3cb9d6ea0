// Weather moves nothing that it does not lie on: the draws of other frames, the events of other
// links, and whatever else is drawn on its own.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "sim/room_for_test.h"

namespace ringside::sim {
namespace {

using Kind = LinkWeather::Kind;
constexpr Time kMs = kMillisecond;

LinkWeather everything_of(Kind kind, MachineId from, MachineId to) {
  return {.kind = kind,
          .from = {from},
          .to = {to},
          .slower = 2,
          .extra = *Distribution::exponential(1.0 * kMs),
          .loss = 0.3,
          .duplication = 0.3,
          .corruption = 0.3,
          .bandwidth_bytes_per_second = 20'000,
          .up_mean = 5 * kMs,
          .down_mean = 5 * kMs,
          .reset_mean = 3 * kMs};
}

struct Change {
  Time at;
  std::function<void(World&)> what;
};
using Event = std::tuple<Time, EventKind, NodeId, uint64_t>;

// Four nodes that talk, every 50 us one frame, over jittery, lossy links: node 1 with 2, 3 with 4,
// and never across. From 100 to 150 ms all are silent. What happened, but for the weather's own
// events; `nodes`: to whom.
std::vector<Event> events(const std::vector<Change>& changes, const std::set<NodeId>& nodes,
                          uint64_t seed = 1) {
  WorldSpec spec = small_world(4, kMs, seed);
  LinkModel link;
  link.latency = *Distribution::exponential(1.0 * kMs);
  link.loss = 0.05;
  spec.topology.set_class(LinkClass::kSameRack, link);
  spec.network.duplication = 0.05;
  Room room(std::move(spec), 4);
  std::vector<Event> seen;
  room.world.set_event_sink([&](const EventRecord& event) {
    if (event.kind != EventKind::kWeather && nodes.contains(event.node))
      seen.emplace_back(event.time, event.kind, event.node, event.payload);
  });
  std::size_t next = 0;
  for (uint64_t i = 0; i < 5'000; ++i) {
    const Time at = static_cast<Time>(i) * 50'000;
    for (; next < changes.size() && changes[next].at <= at; ++next) {
      room.world.run_until(changes[next].at);
      changes[next].what(room.world);
    }
    room.world.run_until(at);
    if (at >= 100 * kMs && at < 150 * kMs) continue;
    const auto node = static_cast<NodeId>(1 + i % 4);
    const NodeId peer = (node - 1 ^ 1) + 1;
    room.send(node, peer, "frame " + std::to_string(i), static_cast<FrameKind>(i % 3), i % 2 * i);
  }
  room.world.clear_weather();
  room.world.run_until(kSecond);
  return seen;
}

const std::set<NodeId> kAll = {1, 2, 3, 4};

TEST(WeatherDraws, weather_on_a_link_that_nobody_uses_changes_nothing) {
  const std::vector<Event> plain = events({}, kAll);
  EXPECT_GT(plain.size(), 3'000u);
  for (int kind = 0; kind <= static_cast<int>(Kind::kResetStorm); ++kind) {
    const LinkWeather weather = everything_of(static_cast<Kind>(kind), 0, 2);
    World::WeatherId id = 0;
    const auto seen = events({{5 * kMs, [&](World& world) { id = world.begin_weather(weather); }},
                              {180 * kMs, [&](World& world) { world.end_weather(id); }}},
                             kAll);
    EXPECT_EQ(plain, seen) << weather_kind_name(weather.kind);
  }
}

TEST(WeatherDraws, weather_on_one_link_changes_nothing_on_another) {
  const std::vector<Event> plain = events({}, {3, 4});
  for (int kind = 0; kind <= static_cast<int>(Kind::kResetStorm); ++kind) {
    const LinkWeather weather = everything_of(static_cast<Kind>(kind), 0, 1);
    const std::vector<Change> change = {{0, [&](World& world) { world.begin_weather(weather); }}};
    EXPECT_EQ(plain, events(change, {3, 4})) << weather_kind_name(weather.kind);
    EXPECT_NE(events({}, {1, 2}), events(change, {1, 2})) << weather_kind_name(weather.kind);
  }
}

TEST(WeatherDraws, weather_that_begins_and_ends_around_nothing_changes_nothing) {
  const std::vector<Event> plain = events({}, kAll);
  for (int kind = 0; kind <= static_cast<int>(Kind::kResetStorm); ++kind) {
    const LinkWeather weather = everything_of(static_cast<Kind>(kind), 0, 1);
    World::WeatherId id = 0;
    const std::vector<Change> nowhen = {{50 * kMs, [&](World& world) {
                                           id = world.begin_weather(weather);
                                           EXPECT_TRUE(world.end_weather(id));
                                         }}};
    EXPECT_EQ(plain, events(nowhen, kAll)) << weather_kind_name(weather.kind);
    // A storm does not need frames: it finds connections that stand.
    if (weather.kind == Kind::kResetStorm) continue;
    const std::vector<Change> silence = {
        {130 * kMs, [&](World& world) { id = world.begin_weather(weather); }},
        {150 * kMs, [&](World& world) { world.end_weather(id); }}};
    EXPECT_EQ(plain, events(silence, kAll)) << weather_kind_name(weather.kind);
  }
}

// By operation: when it arrived, and with which bytes.
using Arrivals = std::multimap<uint64_t, std::pair<Time, std::string>>;

struct Ears : Observer {
  void on_deliver(Time at, const Frame& frame) override {
    heard.emplace(frame.operation, std::pair(at, std::string(frame.bytes.view())));
  }
  Arrivals heard;
};

Arrivals arrivals(const std::vector<LinkWeather>& weathers) {
  WorldSpec spec = small_world(2);
  LinkModel link;
  link.latency = *Distribution::exponential(1.0 * kMs);
  spec.topology.set_class(LinkClass::kSameRack, link);
  Room room(std::move(spec), 2);
  Ears ears;
  room.world.set_observer(&ears);
  for (const LinkWeather& weather : weathers) room.world.begin_weather(weather);
  for (uint64_t i = 1; i <= 20'000; ++i) room.send(1, 2, "some bytes", 1, i);
  room.world.run_until(kSecond);
  room.world.set_observer(nullptr);
  return std::move(ears.heard);
}

TEST(WeatherDraws, a_frames_draws_do_not_depend_on_which_other_weather_is_on) {
  LinkWeather loss = {.kind = Kind::kLossy, .from = {0}, .to = {1}, .loss = 0.2};
  LinkWeather damage = {.kind = Kind::kLossy, .from = {0}, .to = {1}, .corruption = 0.2};
  LinkWeather twins = {.kind = Kind::kLossy, .from = {0}, .to = {1}, .duplication = 0.2};
  LinkWeather slow = {.kind = Kind::kSlow,
                      .from = {0},
                      .to = {1},
                      .slower = 3,
                      .extra = *Distribution::uniform(0, 1.0 * kMs)};
  const Arrivals all = arrivals({loss, damage, twins, slow});
  const Arrivals dry = arrivals({damage, twins, slow});
  EXPECT_GT(dry.size(), all.size() + 4'000);
  for (const auto& [operation, heard] : dry)  // what is not lost is the same
    if (all.contains(operation)) EXPECT_EQ(all.count(operation), dry.count(operation));
  for (const auto& [operation, heard] : all) {
    const auto [first, last] = dry.equal_range(operation);
    EXPECT_TRUE(std::any_of(first, last, [&](const auto& other) { return other.second == heard; }));
  }
  // Without the slowness: the same are lost, doubled and damaged, to the bit.
  const auto bytes_of = [](const Arrivals& arrivals) {
    std::multiset<std::pair<uint64_t, std::string>> bytes;
    for (const auto& [operation, heard] : arrivals) bytes.emplace(operation, heard.second);
    return bytes;
  };
  EXPECT_EQ(bytes_of(all), bytes_of(arrivals({loss, damage, twins})));
  // Without the damage: the same at the same times.
  const auto times_of = [](const Arrivals& arrivals) {
    std::multiset<std::pair<uint64_t, Time>> times;
    for (const auto& [operation, heard] : arrivals) times.emplace(operation, heard.first);
    return times;
  };
  EXPECT_EQ(times_of(all), times_of(arrivals({loss, twins, slow})));
  EXPECT_NE(bytes_of(all), bytes_of(arrivals({loss, twins, slow})));
}

TEST(WeatherDraws, more_loss_loses_what_less_would_have_lost_and_more) {
  const auto with = [](double loss) {
    return arrivals({{.kind = Kind::kLossy, .from = {0}, .to = {1}, .loss = loss}});
  };
  const Arrivals less = with(0.1), more = with(0.3);
  EXPECT_LT(more.size(), less.size());
  for (const auto& [operation, heard] : more) EXPECT_TRUE(less.contains(operation));
}

std::vector<Time> turns(bool other_first, uint64_t seed) {
  Room room(small_world(4, kMs, seed), 4);
  if (other_first) room.world.begin_weather(everything_of(Kind::kLossy, 2, 3));
  room.world.begin_weather(everything_of(Kind::kFlap, 0, 1));
  std::vector<Time> times;
  room.world.set_event_sink([&](const EventRecord& event) { times.push_back(event.time); });
  room.world.run_until(kSecond);
  return times;
}

TEST(WeatherDraws, a_flap_turns_when_it_turns_whatever_began_before_it) {
  const std::vector<Time> alone = turns(false, 1);
  EXPECT_GT(alone.size(), 100u);
  EXPECT_EQ(alone, turns(true, 1));
  EXPECT_NE(alone, turns(false, 2));
}

TEST(WeatherDraws, two_flaps_that_are_alike_turn_each_for_itself) {
  Room room(small_world(2), 2);
  std::multiset<Time> times;
  room.world.set_event_sink([&](const EventRecord& event) { times.insert(event.time); });
  for (int i = 0; i < 3; ++i) room.world.begin_weather(everything_of(Kind::kFlap, 0, 1));
  room.world.run_until(kSecond);
  EXPECT_EQ(std::set<Time>(times.begin(), times.end()).size(), times.size());
}

TEST(WeatherDraws, the_same_weather_gives_the_same_fingerprint_and_turns_enter_it) {
  const auto fingerprint = [](uint64_t seed, bool flap) {
    Room room(small_world(2, kMs, seed), 2);
    for (int kind = 0; kind <= static_cast<int>(Kind::kResetStorm); ++kind)
      if (flap || static_cast<Kind>(kind) != Kind::kFlap)
        room.world.begin_weather(everything_of(static_cast<Kind>(kind), 0, 1));
    for (uint64_t i = 1; i < 100; ++i) {
      room.world.run_until(static_cast<Time>(i) * kMs);
      if (i % 20 == 0) room.world.end_weather(i / 20);
      room.send(1, 2, "frame", 1, i);
    }
    return room.world.fingerprint();
  };
  EXPECT_EQ(fingerprint(1, true), fingerprint(1, true));
  EXPECT_NE(fingerprint(1, true), fingerprint(2, true));
  EXPECT_NE(fingerprint(1, true), fingerprint(1, false));
}

}  // namespace
}  // namespace ringside::sim
