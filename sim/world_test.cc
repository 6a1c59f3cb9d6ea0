#include "sim/world.h"

#include <gtest/gtest.h>

#include <set>

#include "sim/world_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kMs = kMillisecond;

// Two processes that chat, sleep for drawn times and write to disk: a bit of everything.
Task<void> busy(Host* host, NodeId peer) {
  Listener ears(*host);
  ears.frames = [host](const Frame& frame) {
    if (frame.bytes.size() < 100)
      host->network().send(frame_to(frame.from, std::string(frame.bytes.view()) + "x"));
  };
  Random& random = host->random("busy");
  const Result<FileId> file = co_await host->disk().open("f", Disk::kCreate);
  CHECK(file.ok());
  for (uint64_t i = 0;; ++i) {
    co_await host->clock().sleep(static_cast<Duration>(random.below(kMs)));
    host->network().send(frame_to(peer, "hello", 2, i));
    const Result<void> done =
        co_await host->disk().write_at(*file, i * 8, Buffer::copy_of("12345678"));
    CHECK(done.ok());
    if (i % 4 == 0) CHECK((co_await host->disk().sync(*file)).ok());
  }
}

struct Outcome {
  uint64_t fingerprint;
  uint64_t events;
  uint64_t disk;
  std::vector<Checkpoint> checkpoints;
  bool operator==(const Outcome& other) const {
    return fingerprint == other.fingerprint && events == other.events && disk == other.disk;
  }
};

Outcome run_busy(uint64_t seed, bool watched = false, bool faults = true) {
  WorldSpec spec = small_world(2, kMs, seed);
  spec.network.loss = 0.01;
  spec.network.duplication = 0.01;
  for (MachineModel& machine : spec.machines) {
    machine.disk = DiskModel::ssd();
    machine.cpu.per_event = 1000;
  }
  World world(std::move(spec));
  Outcome outcome{};
  Observer observer;
  world.place(1, 0, [](Host& host) { return busy(&host, 2); });
  world.place(2, 1, [](Host& host) { return busy(&host, 1); });
  world.start(1);
  world.start(2);
  if (watched) {
    world.set_observer(&observer);
    world.set_tracing(true);
    world.set_event_sink([](const EventRecord&) {});
    world.checkpoint_every(100,
                           [&](const Checkpoint& point) { outcome.checkpoints.push_back(point); });
  }
  if (faults) {
    world.at(100 * kMs, "crash", [&] { world.crash(1); });
    world.at(120 * kMs, "restart", [&] { world.restart(1); });
    world.at(130 * kMs, "power", [&] { world.power_loss(1); });
    world.at(140 * kMs, "restart", [&] { world.restart(2); });
  }
  world.run_until(300 * kMs);
  outcome.fingerprint = world.fingerprint();
  outcome.events = world.events();
  outcome.disk = world.image(1).content_hash() ^ world.image(2).content_hash();
  return outcome;
}

TEST(World, one_seed_makes_one_run) {
  const Outcome first = run_busy(7);
  EXPECT_GT(first.events, 1'000u);
  EXPECT_EQ(first, run_busy(7));
}

TEST(World, another_seed_makes_another_run) {
  EXPECT_NE(run_busy(7).fingerprint, run_busy(8).fingerprint);
}

TEST(World, watching_does_not_change_the_run) {
  const Outcome watched = run_busy(7, true);
  EXPECT_EQ(watched, run_busy(7));
  ASSERT_EQ(watched.checkpoints.size(), watched.events / 100);
  EXPECT_EQ(watched.checkpoints[2].events, 300u);
}

TEST(World, a_fault_leaves_the_run_before_it_alone) {
  std::vector<Checkpoint> points[2];
  points[0] = run_busy(7, true, true).checkpoints;
  points[1] = run_busy(7, true, false).checkpoints;
  std::size_t same = 0;
  while (same < points[0].size() && same < points[1].size() &&
         points[0][same].hash == points[1][same].hash) {
    EXPECT_LT(points[0][same].time, 100 * kMs);
    ++same;
  }
  EXPECT_GT(same, 2u);
}

TEST(World, the_event_sink_sees_every_event_with_the_fingerprint_after_it) {
  World world(small_world(1));
  std::vector<EventRecord> records;
  world.set_event_sink([&](const EventRecord& record) { records.push_back(record); });
  world.place(1, 0, [](Host& host) -> Task<void> { co_await host.clock().sleep(kMs); });
  world.start(1);
  world.at(5 * kMs, "look", [] {});
  while (world.step()) EXPECT_EQ(records.back().hash, world.fingerprint());
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].kind, EventKind::kStart);
  EXPECT_EQ(records[1].kind, EventKind::kTimer);
  EXPECT_EQ(records[1].time, kMs);
  EXPECT_EQ(records[2].kind, EventKind::kAction);
  EXPECT_EQ(records[2].index, 3u);
  EXPECT_EQ(records[2].node, kNoNode);
}

TEST(World, runs_up_to_and_including_the_moment_and_stands_there) {
  World world(small_world(1));
  int ran = 0;
  world.at(kMs, "a", [&] { ++ran; });
  world.at(kMs + 1, "b", [&] { ++ran; });
  world.run_until(kMs);
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(world.now(), kMs);
  world.run_until(5 * kMs);
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(world.now(), 5 * kMs);
  EXPECT_TRUE(world.idle());
  EXPECT_FALSE(world.step());
}

// The order at one moment is drawn, not the order of insertion, and each seed draws its own.
TEST(World, draws_the_order_of_events_at_one_moment) {
  const auto order = [](uint64_t seed) {
    World world(small_world(1, 0, seed));
    std::string result;
    world.place(1, 0, [&](Host& host) -> Task<void> {
      Scope scope(host.ready());
      for (char name = 'a'; name <= 'j'; ++name)
        scope.spawn([](Host* with, char what, std::string* out) -> Task<void> {
          co_await with->clock().sleep(kMs);
          out->push_back(what);
        }(&host, name, &result));
      co_await scope.join();
    });
    world.start(1);
    world.run_until(kSecond);
    EXPECT_EQ(result.size(), 10u);
    return result;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), "abcdefghij");
  EXPECT_NE(order(1), order(2));
}

struct Watcher : Observer {
  void on_start(Time, NodeId node, uint64_t incarnation) override {
    log.push_back("start " + std::to_string(node) + "." + std::to_string(incarnation));
  }
  void on_stop(Time, NodeId node, std::string_view why) override {
    log.push_back("stop " + std::to_string(node) + ": " + std::string(why));
  }
  void on_probe(Time, NodeId node, std::string_view name) override {
    log.push_back("probe " + std::to_string(node) + ": " + std::string(name));
  }
  std::vector<std::string> log;
};

TEST(World, a_process_ends_when_its_program_returns) {
  World world(small_world(1));
  Watcher watcher;
  world.set_observer(&watcher);
  world.place(1, 0, [](Host& host) -> Task<void> { co_await host.clock().sleep(kMs); });
  world.start(1);
  EXPECT_TRUE(world.running(1));
  world.run_until(kSecond);
  EXPECT_FALSE(world.running(1));
  EXPECT_EQ(watcher.log, (std::vector<std::string>{"start 1.1", "stop 1: end"}));
}

// From the abort on, what the process asks for is not done, and its frames go when control is back.
TEST(World, a_process_that_gives_up_is_ignored_at_once_and_ends_when_control_is_back) {
  World world(small_world(2));
  Watcher watcher;
  Log log;
  world.set_observer(&watcher);
  bool went_on = false;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    host.abort("poisoned");
    went_on = true;
    host.network().send(frame_to(2, "from the dead"));
    host.spawn([](bool* on) -> Task<void> {
      *on = false;
      co_return;
    }(&went_on));
    co_await host.clock().sleep(kMs);
    went_on = false;
  });
  world.place(2, 1, listener(world, log));
  world.start(2);
  world.start(1);
  world.run_until(kSecond);
  EXPECT_TRUE(went_on);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(watcher.log.back(), "stop 1: poisoned");
}

Task<void> probing(Host* host) {
  co_await host->clock().sleep(kMs);
  host->trace().probe("test.before");
  host->trace().probe("test.here");
  host->trace().probe("test.after");
  co_await host->clock().sleep(kMs);
  host->trace().probe("test.later");
}

TEST(World, a_probes_fault_strikes_once_where_it_hangs) {
  World world(small_world(2));
  Watcher watcher;
  world.set_observer(&watcher);
  NodeId reached = kNoNode;
  world.place(1, 0, [](Host& host) { return probing(&host); });
  world.on_probe("test.here", kNoNode, [&](NodeId node) {
    reached = node;
    world.power_loss(world.machine_of(node));
    world.restart(node);
  });
  world.start(1);
  world.run_until(kSecond);
  EXPECT_EQ(reached, 1u);
  EXPECT_EQ(watcher.log,
            (std::vector<std::string>{"start 1.1", "probe 1: test.before", "probe 1: test.here",
                                      "stop 1: power loss", "start 1.2", "probe 1: test.before",
                                      "probe 1: test.here", "probe 1: test.after",
                                      "probe 1: test.later", "stop 1: end"}));
}

TEST(World, a_probes_fault_may_let_the_process_live) {
  World world(small_world(1));
  Watcher watcher;
  world.set_observer(&watcher);
  bool struck = false;
  world.place(1, 0, [](Host& host) { return probing(&host); });
  world.on_probe("test.here", 2, [](NodeId) { FAIL(); });
  world.on_probe("test.here", 1, [&](NodeId) { struck = true; }, true);
  world.start(1);
  world.run_until(kSecond);
  EXPECT_TRUE(struck);
  EXPECT_EQ(watcher.log.back(), "stop 1: end");
  EXPECT_EQ(watcher.log.size(), 6u);
}

TEST(World, a_crash_keeps_what_was_written_and_a_power_loss_only_what_was_synced) {
  World world(small_world(1));
  world.place(1, 0, [](Host& host) -> Task<void> {
    const Result<FileId> file = co_await host.disk().open("f", Disk::kCreate);
    CHECK((co_await host.disk().sync_directory("")).ok());
    CHECK((co_await host.disk().write_at(*file, 0, Buffer::copy_of("synced"))).ok());
    CHECK((co_await host.disk().sync(*file)).ok());
    CHECK((co_await host.disk().write_at(*file, 0, Buffer::copy_of("SYNCED"))).ok());
    co_await host.clock().sleep_until(kNever);
  });
  world.start(1);
  world.run_until(kMs);
  world.crash(1);
  EXPECT_EQ(*world.image(1).contents("f"), "SYNCED");
  EXPECT_TRUE(world.powered(0));
  const DiskImage before = world.image(1);
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    DiskImage image = before;
    Draw draw(seed);
    image.power_loss(draw);
    const std::string left = *image.contents("f");
    seen.insert(left == "SYNCED" || left == "synced" ? left : "garbage");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"SYNCED", "garbage", "synced"}));
  world.power_loss(0);
  EXPECT_FALSE(world.powered(0));
  world.set_image(1, before);
  EXPECT_EQ(*world.image(1).contents("f"), "SYNCED");
  world.restart(1);
  EXPECT_TRUE(world.powered(0));
  EXPECT_EQ(world.incarnation(1), 2u);
}

// A write in flight when the process dies is there or not, and nobody hears of it.
TEST(World, a_write_in_flight_at_a_crash_is_drawn_done_or_not) {
  int applied = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    WorldSpec spec = small_world(1, kMs, seed);
    spec.machines[0].disk.write = Distribution::constant(10 * kMs);
    World world(std::move(spec));
    world.place(1, 0, [](Host& host) -> Task<void> {
      const Result<FileId> file = co_await host.disk().open("f", Disk::kCreate);
      const Result<void> done = co_await host.disk().write_at(*file, 0, Buffer::copy_of("bytes"));
      CHECK(!done.ok());  // never reached
    });
    world.start(1);
    world.run_until(5 * kMs);
    world.crash(1);
    world.run_until(kSecond);
    applied += *world.image(1).contents("f") == "bytes";
  }
  EXPECT_GT(applied, 10);
  EXPECT_LT(applied, 50);
}

TEST(World, a_restarted_process_draws_other_numbers) {
  World world(small_world(2));
  std::vector<uint64_t> draws;
  const Program program = [&](Host& host) -> Task<void> {
    const uint64_t a = host.random("a").next();
    const uint64_t b = host.random("b").next();
    draws.insert(draws.end(), {a, b});
    co_return;
  };
  world.place(1, 0, program);
  world.place(2, 1, program);
  world.start(1);
  world.start(2);
  world.run_until(kMs);
  world.restart(1);
  world.run_until(2 * kMs);
  EXPECT_EQ(draws.size(), 6u);
  EXPECT_EQ(std::set<uint64_t>(draws.begin(), draws.end()).size(), 6u);
}

}  // namespace
}  // namespace ringside::sim
