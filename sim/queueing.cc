#include "sim/queueing.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "runtime/check.h"
#include "sim/distribution.h"

namespace ringside::sim {
namespace {

constexpr Duration kLatency = kMicrosecond;
constexpr int kParts = 64;
constexpr int kAtOnce = 256;  // arrivals that one event of the source sends

WorldSpec two_machines(const QueueSpec& spec) {
  WorldSpec world;
  world.seed = spec.seed;
  const PlaceId region = *world.topology.add_region("r");
  const PlaceId rack = *world.topology.add_rack(*world.topology.add_zone(region, "z"), "k");
  LinkModel link;
  link.latency = Distribution::constant(kLatency);
  for (std::size_t i = 0; i < kLinkClasses; ++i)
    world.topology.set_class(static_cast<LinkClass>(i), link);
  for (const char* name : {"source", "server"}) {
    CHECK(world.topology.add_machine(rack, name).ok());
    world.machines.push_back({.cpu = {}, .clock = {}, .disk = DiskModel::free()});
  }
  world.machines[1].cpu.cores = spec.servers;
  world.network.ordered = true;
  world.network.window_bytes = uint64_t{1} << 40;  // no arrival is held back
  return world;
}

struct Run {
  explicit Run(const QueueSpec& the_spec)
      : spec(the_spec),
        gap(*Distribution::exponential(static_cast<double>(kMeanService) /
                                       (spec.load * spec.servers))),
        service(spec.constant ? Distribution::constant(kMeanService)
                              : *Distribution::exponential(static_cast<double>(kMeanService))) {}

  const QueueSpec spec;
  const Distribution gap;
  const Distribution service;
  std::deque<Time> arrivals;  // of frames that were sent and not served yet
  Time last_arrival = 0;
  uint64_t served = 0;
  double part_sums[kParts] = {};
  uint64_t part_counts[kParts] = {};
};

// What a frame sends departs after what was charged before, so charging the gaps makes many
// arrivals of one event.
Task<void> send_all(Host* host, Run* run) {
  co_await host->clock().sleep(kMillisecond);
  for (uint64_t i = 0; i < run->spec.arrivals; ++i) {
    Draw draw = Draw::of(run->spec.seed, 1, i);
    host->cpu().charge(static_cast<uint64_t>(run->gap.sample(draw)));
    run->last_arrival = std::max(host->clock().now() + kLatency, run->last_arrival + 1);
    run->arrivals.push_back(run->last_arrival);
    Frame frame;
    frame.to = 2;
    frame.kind = 1;
    CHECK(host->network().send(std::move(frame)));
    if (i % kAtOnce == kAtOnce - 1) co_await host->clock().sleep(0);
  }
  co_await host->clock().sleep_until(kNever);
}

struct Server : FrameHandler {
  Server(Host& the_host, Run& the_run, const std::function<void(const Served&)>& the_visitor)
      : host(the_host), run(the_run), each(the_visitor) {
    host.network().attach(this);
  }
  ~Server() override { host.network().attach(nullptr); }
  void on_frame(const Frame&) override {
    Draw draw = Draw::of(run.spec.seed, 2, run.served);
    const Served served{run.arrivals.front(), host.clock().now(), run.service.sample(draw)};
    run.arrivals.pop_front();
    host.cpu().charge(static_cast<uint64_t>(served.service));
    const auto part = static_cast<std::size_t>(run.served * kParts / run.spec.arrivals);
    run.part_sums[part] += static_cast<double>(served.began - served.arrived);
    ++run.part_counts[part];
    ++run.served;
    if (each) each(served);
  }
  void on_peer_lost(NodeId, Code) override { CHECK(false); }
  Host& host;
  Run& run;
  const std::function<void(const Served&)>& each;
};

Task<void> serve(Host* host, Run* run, const std::function<void(const Served&)>* each) {
  Server server(*host, *run, *each);
  co_await host->clock().sleep_until(kNever);
}

double mean_of(const Run& run) {
  double sum = 0;
  for (const double part : run.part_sums) sum += part;
  return sum / static_cast<double>(run.spec.arrivals) / static_cast<double>(kMeanService);
}

double standard_error_of(const Run& run, double mean) {
  double squares = 0;
  for (int i = 0; i < kParts; ++i) {
    const double part = run.part_sums[i] / static_cast<double>(run.part_counts[i]) /
                        static_cast<double>(kMeanService);
    squares += (part - mean) * (part - mean);
  }
  return std::sqrt(squares / (kParts - 1) / kParts);
}

}  // namespace

QueueResult run_queue(const QueueSpec& spec, const std::function<void(const Served&)>& each) {
  CHECK(spec.load > 0 && spec.load < 1 && spec.servers > 0 && spec.arrivals >= kParts);
  World world(two_machines(spec));
  Run run(spec);
  world.place(1, 0, [&](Host& host) { return send_all(&host, &run); });
  world.place(2, 1, [&](Host& host) { return serve(&host, &run, &each); });
  world.start(2);
  world.start(1);
  while (run.served < spec.arrivals) CHECK(world.step());
  const double mean = mean_of(run);
  return {mean, standard_error_of(run, mean), world.now(), world.machine_load(1)};
}

double theoretical_wait(const QueueSpec& spec) {
  if (spec.constant) {
    CHECK(spec.servers == 1);
    return spec.load / (2 * (1 - spec.load));
  }
  const double offered = spec.load * spec.servers;
  double term = 1;  // offered^k / k!
  double below = 0;
  for (uint32_t k = 0; k < spec.servers; ++k) {
    below += term;
    term *= offered / (k + 1);
  }
  const double all_busy = term / (1 - spec.load);
  return all_busy / (below + all_busy) / (spec.servers * (1 - spec.load));
}

}  // namespace ringside::sim
