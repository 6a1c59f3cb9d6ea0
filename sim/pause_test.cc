#include <gtest/gtest.h>

#include <vector>

#include "sim/pair_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kMs = kMillisecond;

TEST(Pause, what_is_due_waits_and_runs_afterwards_in_the_order_of_arrival) {
  Pair pair;
  pair.world.at(40 * kMs, "pause", [&] { pair.world.pause(1, 62 * kMs); });
  pair.world.run_until(50 * kMs);
  EXPECT_TRUE(pair.world.paused(1));
  pair.world.run_until(80 * kMs);
  EXPECT_FALSE(pair.world.paused(1));
  // The second tick was set when the first had run.
  EXPECT_EQ(pair.between(35 * kMs, 72 * kMs), (Log{{35 * kMs, 2, "tick 3"},
                                                   {62 * kMs, 2, "4"},
                                                   {62 * kMs, 2, "tick 4"},
                                                   {62 * kMs, 2, "5"},
                                                   {62 * kMs, 2, "6"},
                                                   {62 * kMs, 2, "tick 5"},
                                                   {65 * kMs, 2, "tick 6"},
                                                   {71 * kMs, 2, "7"}}));
  EXPECT_TRUE(pair.faults.lost.empty());
  EXPECT_EQ(pair.faults.log, (Log{{40 * kMs, kNoNode, "pause of m2 for 22ms"}}));
  EXPECT_EQ(pair.world.machine_load(1).longest_line, 4u);
  EXPECT_EQ(pair.world.machine_load(1).line, 0u);
  EXPECT_EQ(pair.world.machine_load(1).busy, 0);
}

TEST(Pause, a_later_end_extends_it_and_an_earlier_one_does_not_shorten_it) {
  Pair pair;
  pair.world.at(40 * kMs, "pause", [&] { pair.world.pause(1, 50 * kMs); });
  pair.world.at(42 * kMs, "extend", [&] { pair.world.pause(1, 64 * kMs); });
  pair.world.at(43 * kMs, "less", [&] { pair.world.pause(1, 45 * kMs); });
  pair.world.run_until(80 * kMs);
  const Log seen = pair.between(36 * kMs, 70 * kMs);
  ASSERT_GT(seen.size(), 4u);
  EXPECT_EQ(seen[0], (Seen{64 * kMs, 2, "4"}));
  EXPECT_EQ(pair.faults.log, (Log{{40 * kMs, kNoNode, "pause of m2 for 10ms"},
                                  {42 * kMs, kNoNode, "pause of m2 for 22ms"}}));
}

TEST(Pause, ends_early_when_the_machine_is_resumed) {
  for (const Time until : {90 * kMs, kNever}) {
    Pair pair;
    pair.world.resume(1);  // nothing to end
    pair.world.at(40 * kMs, "pause", [&] { pair.world.pause(1, until); });
    pair.world.at(57 * kMs, "resume", [&] { pair.world.resume(1); });
    pair.world.run_until(200 * kMs);
    const Log seen = pair.between(36 * kMs, 61 * kMs);
    ASSERT_EQ(seen.size(), 5u);
    EXPECT_EQ(seen[0], (Seen{57 * kMs, 2, "4"}));
    EXPECT_EQ(seen[3], (Seen{57 * kMs, 2, "tick 5"}));
    EXPECT_EQ(seen[4], (Seen{61 * kMs, 2, "6"}));
    EXPECT_EQ(pair.between(180 * kMs, 186 * kMs).size(), 2u);
    EXPECT_EQ(pair.faults.log.back(), (Seen{57 * kMs, kNoNode, "resume of m2"}));
  }
}

// Nothing is left to happen while the only machine stands still for ever.
TEST(Pause, without_an_end_leaves_the_world_idle_until_it_is_resumed) {
  World world(small_world(1));
  int woke = 0;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    co_await host.clock().sleep(kMs);
    ++woke;
  });
  world.start(1);
  world.run_until(10);
  world.pause(0, kNever);
  EXPECT_FALSE(world.step());
  EXPECT_TRUE(world.idle());
  EXPECT_EQ(woke, 0);
  world.resume(0);
  world.run_until(kSecond);
  EXPECT_EQ(woke, 1);
}

// A frame takes 3 ms: "4" begins at 41 ms and has 1 ms left when the machine stops at 43 ms.
TEST(Pause, work_that_had_begun_goes_on_afterwards) {
  Pair pair({.per_event = 3 * kMs});
  pair.world.at(43 * kMs, "pause", [&] { pair.world.pause(1, 70 * kMs); });
  pair.world.at(50 * kMs, "extend", [&] { pair.world.pause(1, 90 * kMs); });
  pair.world.at(60 * kMs, "resume", [&] { pair.world.resume(1); });
  pair.world.run_until(80 * kMs);
  EXPECT_EQ(pair.between(41 * kMs, 68 * kMs), (Log{{41 * kMs, 2, "4"},
                                                   {61 * kMs, 2, "tick 4"},
                                                   {64 * kMs, 2, "5"},
                                                   {67 * kMs, 2, "tick 5"}}));
}

TEST(Pause, the_second_core_of_a_busy_machine_moves_at_once_when_the_pause_ends) {
  Pair pair({.cores = 2, .per_event = 6 * kMs});
  pair.world.at(42 * kMs, "pause", [&] { pair.world.pause(1, 54 * kMs); });
  pair.world.run_until(80 * kMs);
  // One core has 5 ms of "4" left; the other takes what waits.
  EXPECT_EQ(pair.between(41 * kMs, 61 * kMs), (Log{{41 * kMs, 2, "4"},
                                                   {54 * kMs, 2, "tick 4"},
                                                   {59 * kMs, 2, "5"},
                                                   {60 * kMs, 2, "tick 5"}}));
}

TEST(Pause, the_machines_clocks_go_on) {
  World world(small_world(1));
  std::vector<Time> seen;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    const Time wall = host.clock().wall();
    co_await host.clock().sleep(10 * kMs);
    seen = {host.clock().now(), host.clock().wall() - wall};
  });
  world.start(1);
  world.at(5 * kMs, "pause", [&] { world.pause(0, 5 * kSecond); });
  world.run_until(6 * kSecond);
  EXPECT_EQ(seen, (std::vector<Time>{5 * kSecond, 5 * kSecond}));
}

TEST(Pause, a_disk_call_completes_for_the_process_only_afterwards) {
  WorldSpec spec = small_world(1);
  spec.machines[0].disk.write = Distribution::constant(kMs);
  World world(std::move(spec));
  Time done = 0;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    const Result<FileId> file = co_await host.disk().open("f", Disk::kCreate);
    co_await host.clock().sleep_until(10 * kMs);
    CHECK((co_await host.disk().write_at(*file, 0, Buffer::copy_of("bytes"))).ok());
    done = world.now();
  });
  world.start(1);
  world.at(10 * kMs + 1, "pause", [&] { world.pause(0, 30 * kMs); });
  world.run_until(kSecond);
  EXPECT_EQ(done, 30 * kMs);
  EXPECT_EQ(*world.image(1).contents("f"), "bytes");
}

TEST(Pause, a_timer_that_waits_for_its_end_can_be_cancelled_with_its_process) {
  Pair pair;
  pair.world.at(40 * kMs, "pause", [&] { pair.world.pause(1, 70 * kMs); });
  pair.world.at(48 * kMs, "crash", [&] { pair.world.crash(2); });
  pair.world.run_until(100 * kMs);
  EXPECT_EQ(pair.faults.lost[0], "crash");  // "4" had waited
  EXPECT_FALSE(pair.world.running(2));
  EXPECT_TRUE(pair.between(36 * kMs, 48 * kMs).empty());
  EXPECT_EQ(pair.between(49 * kMs, 49 * kMs), (Log{{49 * kMs, 1, "connection reset 2"}}));
}

TEST(Pause, a_process_that_is_restarted_in_it_starts_when_it_ends) {
  Pair pair;
  pair.world.at(40 * kMs, "pause", [&] { pair.world.pause(1, 70 * kMs); });
  pair.world.at(43 * kMs, "crash", [&] { pair.world.crash(2); });
  pair.world.at(45 * kMs, "restart", [&] { pair.world.restart(2); });
  pair.world.run_until(100 * kMs);
  const Log seen = pair.between(45 * kMs, 71 * kMs);
  ASSERT_GE(seen.size(), 3u);
  EXPECT_EQ(seen[0].at, 70 * kMs);
  EXPECT_EQ(pair.world.incarnation(2), 2u);
  EXPECT_EQ(seen.back(), (Seen{71 * kMs, 2, "7"}));
}

TEST(Pause, a_power_loss_ends_it_and_without_power_there_is_none) {
  Pair pair;
  pair.world.at(40 * kMs, "pause", [&] { pair.world.pause(1, kNever); });
  pair.world.at(43 * kMs, "power", [&] { pair.world.power_loss(1); });
  pair.world.at(44 * kMs, "pause", [&] { pair.world.pause(1, kNever); });
  pair.world.at(46 * kMs, "restart", [&] { pair.world.restart(2); });
  pair.world.run_until(70 * kMs);
  EXPECT_FALSE(pair.world.paused(1));
  EXPECT_EQ(pair.between(46 * kMs, 46 * kMs).size(), 4u);  // ticks that the new process is late for
  EXPECT_EQ(pair.between(61 * kMs, 61 * kMs), (Log{{61 * kMs, 2, "6"}}));
  int pauses = 0;
  for (const Seen& fault : pair.faults.log) pauses += fault.what.starts_with("pause");
  EXPECT_EQ(pauses, 1);
}

// The code that reaches the probe runs to its end; the machine stands still from there.
TEST(Pause, may_strike_at_a_probe) {
  WorldSpec spec = small_world(1);
  spec.machines[0].cpu.per_event = kMs;
  World world(std::move(spec));
  std::vector<Time> seen;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    Scope scope(host.ready());
    for (int i = 0; i < 3; ++i)
      scope.spawn([](Host* with, World* in, std::vector<Time>* out) -> Task<void> {
        co_await with->clock().sleep_until(10 * kMs);
        with->trace().probe("test.here");
        out->push_back(in->now());
      }(&host, &world, &seen));
    co_await scope.join();
  });
  world.on_probe("test.here", 1, [&](NodeId) { world.pause(0, 20 * kMs); }, true);
  world.start(1);
  world.run_until(kSecond);
  EXPECT_EQ(seen, (std::vector<Time>{10 * kMs, 21 * kMs, 22 * kMs}));
}

TEST(Pause, a_sender_is_held_back_by_its_window_and_hears_nothing) {
  WorldSpec spec = small_world(2, kMs);
  spec.network.window_bytes = 100;  // of three empty frames
  World world(std::move(spec));
  Log log;
  std::vector<Time> sent;
  world.place(1, 0, [&](Host& host) -> Task<void> {
    Listener ears(host);
    ears.lost = [](NodeId, Code) { FAIL(); };
    for (int i = 0; i < 6; ++i) {
      co_await host.clock().sleep(kMs);
      while (!host.network().send(frame_to(2, ""))) co_await host.network().writable(2);
      sent.push_back(world.now());
    }
    co_await host.clock().sleep_until(kNever);
  });
  world.place(2, 1, listener(world, log));
  world.start(2);
  world.start(1);
  world.pause(1, kSecond);
  world.run_until(2 * kSecond);
  ASSERT_EQ(sent.size(), 6u);
  EXPECT_EQ(sent[2], 3 * kMs);
  EXPECT_EQ(sent[3], kSecond);
  EXPECT_EQ(log.size(), 6u);
}

// Everything but the events of `node` and the actions: time, kind, who and what.
std::vector<std::vector<uint64_t>> events_of_others(bool pause, MachineId machine, NodeId node) {
  WorldSpec spec = small_world(3, kMs, 5);
  spec.network.loss = 0.05;
  spec.network.duplication = 0.05;
  for (MachineModel& model : spec.machines) model.cpu.per_event = 10 * kMicrosecond;
  World world(std::move(spec));
  const auto chatter = [](NodeId peer) {
    return [peer](Host& host) -> Task<void> {
      Listener ears(host);
      Random& random = host.random("chatter");
      for (uint64_t i = 0;; ++i) {
        co_await host.clock().sleep(static_cast<Duration>(random.below(kMs)));
        host.network().send(frame_to(peer, "hello", 2, i));
      }
    };
  };
  world.place(1, 0, chatter(2));
  world.place(2, 1, chatter(1));
  world.place(3, 2, [](Host& host) -> Task<void> {
    Listener ears(host);
    while (true) co_await host.clock().sleep(kMs);
  });
  std::vector<std::vector<uint64_t>> events;
  world.set_event_sink([&](const EventRecord& record) {
    if (record.node == node || record.kind == EventKind::kAction) return;
    events.push_back({static_cast<uint64_t>(record.time), static_cast<uint64_t>(record.kind),
                      record.node, record.payload});
  });
  for (const NodeId each : {1u, 2u, 3u}) world.start(each);
  if (pause) {
    world.at(100 * kMs, "pause", [&world, machine] { world.pause(machine, 180 * kMs); });
    world.at(250 * kMs, "pause", [&world, machine] { world.pause(machine, kNever); });
    world.at(300 * kMs, "resume", [&world, machine] { world.resume(machine); });
  }
  world.run_until(400 * kMs);
  return events;
}

TEST(Pause, of_a_machine_that_nobody_talks_to_moves_no_event_and_no_draw_of_others) {
  const auto calm = events_of_others(false, 2, 3);
  EXPECT_GT(calm.size(), 2'000u);
  EXPECT_EQ(calm, events_of_others(true, 2, 3));
  EXPECT_NE(calm, events_of_others(true, 1, 3));
}

TEST(Pause, of_a_machine_with_nothing_to_do_adds_no_event) {
  const auto fingerprint = [](bool pause) {
    World world(small_world(1));
    world.place(1, 0, [](Host& host) -> Task<void> {
      for (int i = 0; i < 50; ++i) co_await host.clock().sleep(10 * kMs);
    });
    world.start(1);
    world.at(11 * kMs, "maybe", [&world, pause] {
      if (pause) world.pause(0, 19 * kMs);
    });
    world.run_until(kSecond);
    return world.fingerprint();
  };
  EXPECT_EQ(fingerprint(true), fingerprint(false));
}

}  // namespace
}  // namespace ringside::sim
