// Weather that is drawn happens at the rates that were asked for. The bounds are four standard
// deviations of what is counted, the seeds are fixed.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "sim/rate_for_test.h"
#include "sim/room_for_test.h"

namespace ringside::sim {
namespace {

using Kind = LinkWeather::Kind;
constexpr uint64_t kFrames = 100'000;
constexpr Time kMs = kMillisecond;

// Programs that do nothing, and counters.
struct Quiet {
  explicit Quiet(WorldSpec spec, uint32_t nodes = 2) : world(std::move(spec)) {
    for (NodeId node = 1; node <= nodes; ++node) {
      world.place(node, node - 1, [this](Host& host) -> Task<void> {
        hosts[host.network().self()] = &host;
        co_await host.clock().sleep_until(kNever);
      });
      world.start(node);
    }
    world.run_until(0);
  }
  bool send(NodeId from, NodeId to, const Buffer& bytes) {
    return hosts.at(from)->network().send({.to = to, .kind = 1, .bytes = bytes});
  }
  World world;
  std::map<NodeId, Host*> hosts;
};

void expect_share(uint64_t count, uint64_t of, double share, const char* what) {
  const double sigma = std::sqrt(static_cast<double>(of) * share * (1 - share));
  EXPECT_NEAR(static_cast<double>(count), static_cast<double>(of) * share, 4 * sigma) << what;
  note_rate(what, share, static_cast<double>(count) / static_cast<double>(of), of);
}

Counters lossy(uint64_t seed, const NetworkModel& network,
               const std::vector<LinkWeather>& weathers) {
  WorldSpec spec = small_world(2, kMs, seed);
  spec.network = network;
  spec.network.window_bytes = 1u << 30;
  Quiet quiet(std::move(spec));
  for (const LinkWeather& weather : weathers) quiet.world.begin_weather(weather);
  const Buffer bytes = Buffer::copy_of("some bytes of a frame");
  for (uint64_t i = 0; i < kFrames; ++i) quiet.send(1, 2, bytes);
  quiet.world.run_until(kSecond);
  quiet.world.clear_weather();
  const Counters counters = quiet.world.counters();
  for (uint64_t i = 0; i < 1'000; ++i) quiet.send(1, 2, bytes);
  quiet.world.run_until(2 * kSecond);
  if (network.loss == 0) EXPECT_EQ(quiet.world.counters().frames_lost, counters.frames_lost);
  EXPECT_EQ(quiet.world.counters().frames_corrupted, counters.frames_corrupted);
  return counters;
}

TEST(WeatherRates, loss_duplication_and_corruption_are_the_shares_of_frames) {
  for (const uint64_t seed : {1, 2, 3}) {
    const Counters seen = lossy(seed, {},
                                {{.kind = Kind::kLossy,
                                  .from = {0},
                                  .to = {1},
                                  .loss = 0.1,
                                  .duplication = 0.05,
                                  .corruption = 0.02}});
    expect_share(seen.frames_lost, kFrames, 0.1, "frame lost");
    const uint64_t kept = kFrames - seen.frames_lost;
    expect_share(seen.frames_duplicated, kept, 0.05, "frame duplicated");
    EXPECT_EQ(seen.frames_delivered, kept + seen.frames_duplicated);
    expect_share(seen.frames_corrupted, seen.frames_delivered, 0.02, "frame corrupted");
  }
}

TEST(WeatherRates, overlapping_shares_are_independent_chances) {
  NetworkModel network;
  network.loss = 0.05;
  network.duplication = 0.1;
  for (const uint64_t seed : {1, 2, 3}) {
    const Counters seen =
        lossy(seed, network,
              {{.kind = Kind::kLossy, .from = {0}, .to = {1}, .loss = 0.1, .duplication = 0.2},
               {.kind = Kind::kLossy, .from = {1}, .to = {0}, .loss = 0.2, .corruption = 0.5},
               {.kind = Kind::kLossy, .from = {0}, .to = {1}, .corruption = 0.5}});
    expect_share(seen.frames_lost, kFrames, 1 - 0.95 * 0.9 * 0.8, "frame lost, three weathers");
    expect_share(seen.frames_duplicated, kFrames - seen.frames_lost, 1 - 0.9 * 0.8,
                 "frame duplicated, two weathers");
    expect_share(seen.frames_corrupted, seen.frames_delivered, 0.75,
                 "frame corrupted, two weathers");
  }
}

struct Damage : Observer {
  explicit Damage(std::string the_original) : original(std::move(the_original)) {}
  void on_deliver(Time, const Frame& frame) override {
    ASSERT_EQ(frame.bytes.size(), original.size());
    uint64_t turned = 0;
    for (std::size_t i = 0; i < original.size(); ++i) {
      const auto bits = static_cast<uint8_t>(frame.bytes.data()[i] ^ original[i]);
      turned += static_cast<uint64_t>(std::popcount(bits));
      for (uint32_t bit = 0; bit < 8; ++bit) places[i * 8 + bit] += bits >> bit & 1;
    }
    ++(frame.to == 2 ? flips : others)[turned];
  }
  std::string original;
  std::map<uint64_t, uint64_t> flips, others;
  std::array<uint64_t, 64 * 8> places{};
};

TEST(WeatherRates, a_damaged_frame_differs_in_one_to_eight_bits_and_only_for_its_receiver) {
  for (const uint64_t seed : {1, 2, 3}) {
    WorldSpec spec = small_world(3, kMs, seed);
    spec.network.window_bytes = 1u << 30;
    Quiet quiet(std::move(spec), 3);
    quiet.world.begin_weather({.kind = Kind::kLossy, .from = {0}, .to = {1}, .corruption = 1});
    Damage damage("sixty-four bytes that go to two peers; what one gets is damaged");
    damage.original.resize(64, '.');
    quiet.world.set_observer(&damage);
    const Buffer shared = Buffer::copy_of(damage.original);
    for (uint64_t i = 0; i < kFrames; ++i) {
      quiet.send(1, 2, shared);
      quiet.send(1, 3, shared);
    }
    quiet.world.run_until(kSecond);
    EXPECT_EQ(shared.view(), damage.original);
    EXPECT_EQ(damage.others, (std::map<uint64_t, uint64_t>{{0, kFrames}}));
    EXPECT_EQ(damage.flips.size(), 8u);
    EXPECT_EQ(damage.flips.begin()->first, 1u);
    for (const auto& [turned, count] : damage.flips)
      expect_share(count, kFrames, 1.0 / 8, "each number of flipped bits, 1 to 8");
    // Each of the 512 bits alike: chi-square, whose mean is 511 and standard deviation 32. Flips of
    // one frame are distinct, which only makes it smaller.
    double total = 0, squares = 0;
    for (const uint64_t count : damage.places) total += static_cast<double>(count);
    const double expected = total / 512;
    for (const uint64_t count : damage.places)
      squares += std::pow(static_cast<double>(count) - expected, 2) / expected;
    EXPECT_LT(squares, 511 + 4 * 32);
    quiet.world.set_observer(nullptr);
  }
}

TEST(WeatherRates, a_frame_of_one_byte_or_none_can_be_damaged_too_or_not_at_all) {
  Quiet quiet(small_world(2, kMs));
  quiet.world.begin_weather({.kind = Kind::kLossy, .from = {0}, .to = {1}, .corruption = 1});
  Damage damage("x");
  quiet.world.set_observer(&damage);
  for (int i = 0; i < 10'000; ++i) quiet.send(1, 2, Buffer::copy_of("x"));
  quiet.world.run_until(kSecond);
  EXPECT_EQ(damage.flips.size(), 8u);
  EXPECT_EQ(quiet.world.counters().frames_corrupted, 10'000u);
  damage.original.clear();
  quiet.send(1, 2, {});
  quiet.world.run_until(2 * kSecond);
  EXPECT_EQ(quiet.world.counters().frames_corrupted, 10'000u);
  quiet.world.set_observer(nullptr);
}

// Mean, and the shares beyond one and two means, of times that should be exponential.
void expect_exponential(const std::vector<Time>& times, double mean, const char* what) {
  const auto count = static_cast<double>(times.size());
  double sum = 0;
  uint64_t beyond_one = 0, beyond_two = 0;
  for (const Time time : times) {
    sum += static_cast<double>(time);
    beyond_one += static_cast<double>(time) > mean;
    beyond_two += static_cast<double>(time) > 2 * mean;
  }
  EXPECT_NEAR(sum / count, mean, 4 * mean / std::sqrt(count));
  note_rate(what, mean / 1e6, sum / count / 1e6, times.size(), "ms");
  expect_share(beyond_one, times.size(), std::exp(-1), "beyond one mean time");
  expect_share(beyond_two, times.size(), std::exp(-2), "beyond two mean times");
}

TEST(WeatherRates, a_flap_stays_up_and_down_for_exponential_times) {
  for (const uint64_t seed : {1, 2, 3}) {
    Quiet quiet(small_world(2, kMs, seed));
    std::array<std::vector<Time>, 2> stays;  // up, down
    Time last = 0;
    quiet.world.set_event_sink([&](const EventRecord& event) {
      std::vector<Time>& stay = stays[stays[0].size() == stays[1].size() ? 0 : 1];
      stay.push_back(event.time - last);
      last = event.time;
    });
    quiet.world.begin_weather(
        {.kind = Kind::kFlap, .from = {0}, .to = {1}, .up_mean = 70 * kMs, .down_mean = 20 * kMs});
    while (stays[1].size() < 50'000) quiet.world.step();
    expect_exponential(stays[0], 70.0 * kMs, "flapping link stays up");
    expect_exponential(stays[1], 20.0 * kMs, "flapping link stays down");
  }
}

// A frame every 10 us over a link of 1 us: a connection that was reset is told 1 us later and
// stands again when the next frame has arrived. Its storm goes on all the while, so that resets are
// as far apart as events of a Poisson process whose time stops while it is closed.
TEST(WeatherRates, a_storm_resets_an_open_connection_at_its_rate_and_no_other) {
  constexpr Time kGap = 10 * kMicrosecond;
  for (const uint64_t seed : {1, 2, 3}) {
    Quiet quiet(small_world(3, kMicrosecond, seed), 3);
    std::vector<Time> open;
    Time opened = kMicrosecond;
    quiet.world.set_event_sink([&](const EventRecord& event) {
      if (event.kind != EventKind::kWeather) return;
      open.push_back(event.time - opened);
      const Time told = event.time + kMicrosecond;
      opened = (told + kGap - 1) / kGap * kGap + kMicrosecond;
    });
    const Buffer bytes = Buffer::copy_of("x");
    for (Time at = 0; at < 5 * kSecond; at += kGap) {
      quiet.world.run_until(at);
      quiet.send(1, 2, bytes);
      if (at % (100 * kGap) == 0) quiet.send(1, 3, bytes);
      if (at == 0)
        quiet.world.begin_weather(
            {.kind = Kind::kResetStorm, .from = {0}, .to = {1}, .reset_mean = kMs / 2});
    }
    quiet.world.clear_weather();
    quiet.world.run_until(6 * kSecond);
    EXPECT_GT(open.size(), 9'000u);
    expect_exponential(open, 0.5 * kMs, "until a connection is reset");
    EXPECT_EQ(quiet.world.counters().resets, open.size());
  }
}

TEST(WeatherRates, an_extra_time_is_drawn_anew_for_every_frame) {
  for (const uint64_t seed : {1, 2, 3}) {
    WorldSpec spec = small_world(2, 0, seed);
    spec.network.window_bytes = 1u << 30;
    Quiet quiet(std::move(spec));
    quiet.world.begin_weather({.kind = Kind::kSlow,
                               .from = {0},
                               .to = {1},
                               .extra = *Distribution::exponential(3.0 * kMs)});
    std::vector<Time> times;
    quiet.world.set_event_sink([&](const EventRecord& event) { times.push_back(event.time); });
    const Buffer bytes = Buffer::copy_of("x");
    for (uint64_t i = 0; i < kFrames; ++i) quiet.send(1, 2, bytes);
    quiet.world.run_until(kSecond);
    EXPECT_EQ(times.size(), kFrames);
    expect_exponential(times, 3.0 * kMs, "extra time of a slow link");
  }
}

}  // namespace
}  // namespace ringside::sim
