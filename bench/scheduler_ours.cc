#include <utility>

#include "bench/rows.h"
#include "bench/scheduler.h"
#include "runtime/check.h"
#include "sim/world.h"

namespace ringside::bench {
namespace {

using sim::Distribution;

// A coroutine each: set the timer, wait, again.
Task<void> timer(Host& host, Random& random) {
  while (true)
    co_await host.clock().sleep(static_cast<Duration>(1 + random.below(kDelayMax)) * kMicrosecond);
}

Task<void> timers(Host& host, uint32_t count) {
  Random& random = host.random("delays");
  Scope scope(host.ready());
  for (uint32_t i = 0; i < count; ++i) scope.spawn(timer(host, random));
  co_await scope.join();
}

class Echo : public FrameHandler {
 public:
  explicit Echo(Host& host) : network_(host.network()) {}
  void on_frame(const Frame& frame) override {
    Frame reply;
    reply.to = frame.from;
    reply.kind = frame.kind;
    reply.bytes = frame.bytes;
    network_.send(std::move(reply));
  }
  void on_peer_lost(NodeId, Code) override {}

 private:
  Network& network_;
};

// Process `self` sends `count` messages, in turns to the nine others, a moment after the start,
// when all are attached.
Task<void> ping_pong(Host& host, NodeId self, uint32_t count) {
  Echo echo(host);
  host.network().attach(&echo);
  co_await host.clock().sleep(kMicrosecond);
  for (uint32_t i = 0; i < count; ++i) {
    Frame frame;
    frame.to = 1 + (self - 1 + 1 + i % (kProcesses - 1)) % kProcesses;
    frame.kind = 1;
    frame.bytes = Buffer::copy_of("0123456789abcdef");
    CHECK(host.network().send(std::move(frame)));
  }
  co_await host.clock().sleep_until(kNever);
}

sim::WorldSpec ten_machines() {
  sim::WorldSpec spec;
  const sim::PlaceId region = *spec.topology.add_region("here");
  const sim::PlaceId rack =
      *spec.topology.add_rack(*spec.topology.add_zone(region, "here-a"), "here-a-r1");
  for (uint32_t i = 1; i <= kProcesses; ++i) {
    CHECK(spec.topology.add_machine(rack, "m" + std::to_string(i)).ok());
    spec.machines.emplace_back();
  }
  sim::LinkModel link;
  link.latency = *Distribution::uniform(1 * kMicrosecond, (kDelayMax + 1) * kMicrosecond);
  for (std::size_t i = 0; i < sim::kLinkClasses; ++i)
    spec.topology.set_class(static_cast<sim::LinkClass>(i), link);
  return spec;
}

}  // namespace

double ours(Pattern pattern, uint32_t pending, uint64_t events) {
  sim::World world(ten_machines());
  for (NodeId node = 1; node <= kProcesses; ++node) {
    const uint32_t share = pending / kProcesses;
    world.place(node, node - 1, [=](Host& host) {
      return pattern == Pattern::kTimers ? timers(host, share) : ping_pong(host, node, share);
    });
    world.start(node);
  }
  const auto after = [&](uint64_t more) {
    const uint64_t until = world.events() + more;
    while (world.events() < until) {
      // Half of what is still missing, at the rate that `pending` events of a mean delay make.
      const uint64_t missing = until - world.events();
      world.run_until(world.now() + 1 +
                      static_cast<Time>(missing * (kDelayMax / 2) / (2 * pending)) * kMicrosecond);
    }
  };
  after(2 * pending);
  const uint64_t first = world.events();
  const double started = cpu_seconds();
  after(events);
  const double seconds = cpu_seconds() - started;
  CHECK(world.fingerprint() != 0);
  return static_cast<double>(world.events() - first) / seconds;
}

}  // namespace ringside::bench
