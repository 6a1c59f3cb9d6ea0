// Processes die at random moments, wherever their tasks are: asleep, in a disk call, in line for a
// semaphore, waiting for replies, under a deadline, before a full window. Run under
// AddressSanitizer this finds a frame that was left behind or one that was touched after its end;
// without it, the tokens count.
#include <gtest/gtest.h>

#include "runtime/channel.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/gather.h"
#include "runtime/semaphore.h"
#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside::sim {
namespace {

constexpr NodeId kNodes = 3;

// Lives in every frame of the test, and holds memory: a frame that was lost leaks.
struct Token {
  explicit Token(int64_t& the_count) : count(the_count), memory(new int(1)) { ++count; }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() { count -= *memory; }
  int64_t& count;
  std::unique_ptr<int> memory;
};

// What the tasks of one process share; lives in the program's frame.
struct Shared : FrameHandler {
  Shared(Host& the_host, int64_t& the_tokens)
      : host(the_host),
        tokens(the_tokens),
        random(the_host.random("kill")),
        semaphore(the_host.ready(), 2),
        event(the_host.ready()),
        channel(the_host.ready(), 4) {
    host.network().attach(this);
  }
  void on_frame(const Frame& frame) override {
    event.pulse();
    if (gather != nullptr && gather->outstanding() > 0) gather->succeed();
    channel.push(frame.from);
    if (frame.kind == 1) host.network().send(frame_to(frame.from, frame.bytes.view(), 2));
    if (random.below(50) == 0) host.trace().probe("kill.now");
    if (random.below(100) == 0) host.abort("it said so");
  }
  void on_peer_lost(NodeId, Code) override {
    if (gather != nullptr && gather->outstanding() > 0) gather->fail();
    if (random.below(20) == 0) host.abort("lonely");
  }
  Duration some_time() { return static_cast<Duration>(random.below(300 * kMicrosecond)); }
  NodeId someone() { return static_cast<NodeId>(1 + random.below(kNodes)); }

  Host& host;
  int64_t& tokens;
  Random& random;
  Semaphore semaphore;
  Event event;
  Channel<NodeId> channel;
  Gather* gather = nullptr;
};

Task<void> sleeper(Shared* shared) {
  Token token(shared->tokens);
  while (true) co_await shared->host.clock().sleep(shared->some_time());
}

Task<Result<uint64_t>> write_and_sync(Shared* shared, FileId file) {
  Token token(shared->tokens);
  const uint64_t offset = shared->random.below(100'000);
  const uint64_t size = 1 + shared->random.below(9'000);
  Result<void> done = co_await shared->host.disk().write_at(file, offset, Buffer::with_size(0));
  if (done.ok())
    done = co_await shared->host.disk().write_at(file, offset,
                                                 Buffer::copy_of(std::string(size, 'x')));
  if (done.ok()) done = co_await shared->host.disk().sync(file);
  if (!done.ok()) co_return done.error();
  const Result<Buffer> bytes = co_await shared->host.disk().read_at(file, offset, size);
  if (!bytes.ok()) co_return bytes.error();
  co_return bytes->size();
}

Task<void> writer(Shared* shared, int number) {
  Token token(shared->tokens);
  const std::string name = "f" + std::to_string(number);
  while (true) {
    const Result<FileId> file = co_await shared->host.disk().open(name, Disk::kCreate);
    if (!file.ok()) co_return;
    for (int i = 0; i < 3; ++i) {
      Clock& clock = shared->host.clock();
      const Result<uint64_t> done = co_await with_deadline(clock, clock.now() + shared->some_time(),
                                                           write_and_sync(shared, *file));
      if (!done.ok() && done.code() != Code::kTimeout) co_return;
    }
    const Result<void> closed = co_await shared->host.disk().close(*file);
    if (!closed.ok()) co_return;
  }
}

Task<void> in_line(Shared* shared) {
  Token token(shared->tokens);
  while (true) {
    Permit permit = co_await shared->semaphore.acquire();
    co_await shared->host.clock().sleep(shared->some_time());
  }
}

Task<void> asker(Shared* shared) {
  Token token(shared->tokens);
  while (true) {
    Gather gather(shared->host.ready(), shared->host.clock(), 3);
    shared->gather = &gather;
    for (int i = 0; i < 3; ++i) {
      const std::string bytes(shared->random.below(3'000), 'q');
      if (!shared->host.network().send(frame_to(shared->someone(), bytes)))
        co_await shared->host.network().writable(shared->someone());
    }
    const Time deadline = shared->host.clock().now() + shared->some_time();
    const auto outcome = co_await gather.wait(2, deadline);
    shared->gather = nullptr;
    if (outcome != Gather::Outcome::kReached) co_await shared->event.wait();
  }
}

// Scopes inside of tasks, cancelled and joined.
Task<void> nester(Shared* shared) {
  Token token(shared->tokens);
  while (true) {
    Scope scope(shared->host.ready());
    for (int i = 0; i < 3; ++i) scope.spawn(sleeper(shared));
    const std::optional<NodeId> item = co_await shared->channel.pop();
    if (item.has_value() && *item == 1) co_await shared->host.clock().sleep(shared->some_time());
  }
}

Task<void> program(Host* host, int64_t* tokens) {
  Token token(*tokens);
  Shared shared(*host, *tokens);
  Scope scope(host->ready());
  for (int i = 0; i < 3; ++i) {
    scope.spawn(sleeper(&shared));
    scope.spawn(writer(&shared, i));
    scope.spawn(in_line(&shared));
    scope.spawn(nester(&shared));
  }
  scope.spawn(asker(&shared));
  co_await host->clock().sleep(static_cast<Duration>(50 + shared.random.below(50)) * kMillisecond);
}

LinkWeather any_weather(Random& random, MachineId machine) {
  const uint64_t kinds = static_cast<uint64_t>(LinkWeather::Kind::kResetStorm) + 1;
  return {.kind = static_cast<LinkWeather::Kind>(random.below(kinds)),
          .from = {machine},
          .to = {0, 1, 2},
          .slower = 3,
          .extra = *Distribution::exponential(50.0 * kMicrosecond),
          .loss = 0.1,
          .duplication = 0.1,
          .corruption = 0.1,
          .bandwidth_bytes_per_second = 10'000'000,
          .up_mean = 500 * kMicrosecond,
          .down_mean = 500 * kMicrosecond,
          .reset_mean = 200 * kMicrosecond};
}

struct KillRun {
  uint64_t kills;
  uint64_t fingerprint;
};

KillRun kill_at_random(uint64_t seed, uint64_t kills) {
  int64_t tokens = 0;
  WorldSpec spec = small_world(kNodes, 50 * kMicrosecond, seed);
  LinkModel link;
  link.latency = *Distribution::exponential(50.0 * kMicrosecond);
  for (std::size_t i = 0; i < kLinkClasses; ++i)
    spec.topology.set_class(static_cast<LinkClass>(i), link);
  spec.network.loss = 0.02;
  spec.network.duplication = 0.02;
  spec.network.window_bytes = 4'000;
  for (MachineModel& machine : spec.machines) {
    machine.disk = DiskModel::nvme();
    machine.cpu.per_event = seed % 2 == 0 ? 1'000 : 0;
  }
  KillRun run{};
  {
    World world(std::move(spec));
    for (NodeId node = 1; node <= kNodes; ++node) {
      world.place(node, node - 1, [&tokens](Host& host) { return program(&host, &tokens); });
      world.start(node);
    }
    Random random(seed);
    int64_t most = 0;
    while (world.counters().kills < kills) {
      most = std::max(most, tokens);
      const auto node = static_cast<NodeId>(1 + random.below(kNodes));
      const uint64_t how = random.below(8);
      if (how == 0) world.on_probe("kill.now", node, [&](NodeId reached) { world.crash(reached); });
      if (how == 1)
        world.on_probe("kill.now", kNoNode,
                       [&](NodeId reached) { world.power_loss(world.machine_of(reached)); });
      if (how == 2) world.at(world.now() + 10, "crash", [&world, node] { world.crash(node); });
      const uint64_t steps = random.below(120);
      for (uint64_t i = 0; i < steps && world.step(); ++i) {
      }
      if (how == 3) world.power_loss(node - 1);
      if (how == 4) world.begin_weather(any_weather(random, node - 1));
      if (how == 5) world.clear_weather();
      if (how > 5) world.crash(node);
      for (NodeId other = 1; other <= kNodes; ++other)
        if (!world.running(other) && random.chance(0.7)) world.restart(other);
    }
    run = {world.counters().kills, world.fingerprint()};
    EXPECT_GT(most, 50);
  }
  EXPECT_EQ(tokens, 0);
  return run;
}

TEST(Kill, ten_thousand_kills_at_random_moments_leave_nothing_behind) {
  uint64_t kills = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) kills += kill_at_random(seed, 1'000).kills;
  EXPECT_GE(kills, 10'000u);
}

TEST(Kill, killing_is_deterministic_too) {
  for (uint64_t seed = 1; seed <= 4; ++seed)
    EXPECT_EQ(kill_at_random(seed, 50).fingerprint, kill_at_random(seed, 50).fingerprint);
}

}  // namespace
}  // namespace ringside::sim
