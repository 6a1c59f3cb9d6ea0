// Small worlds for tests: n machines in one rack, one constant latency, disks that take no time,
// and an observer that keeps what it saw.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/check.h"
#include "sim/world.h"

namespace ringside::sim {

inline WorldSpec small_world(uint32_t machines, Duration latency = 100 * kMicrosecond,
                             uint64_t seed = 1) {
  WorldSpec spec;
  spec.seed = seed;
  const PlaceId region = *spec.topology.add_region("r");
  const PlaceId rack = *spec.topology.add_rack(*spec.topology.add_zone(region, "z"), "k");
  for (uint32_t i = 1; i <= machines; ++i) {
    CHECK(spec.topology.add_machine(rack, "m" + std::to_string(i)).ok());
    spec.machines.push_back({.cpu = {}, .clock = {}, .disk = DiskModel::free()});
  }
  LinkModel link;
  link.latency = Distribution::constant(latency);
  for (std::size_t i = 0; i < kLinkClasses; ++i)
    spec.topology.set_class(static_cast<LinkClass>(i), link);
  return spec;
}

// A handler made of functions, attached as long as it lives.
struct Listener : FrameHandler {
  explicit Listener(Host& the_host) : host(the_host) { host.network().attach(this); }
  ~Listener() override { host.network().attach(nullptr); }
  void on_frame(const Frame& frame) override {
    if (frames) frames(frame);
  }
  void on_peer_lost(NodeId peer, Code why) override {
    if (lost) lost(peer, why);
  }
  Host& host;
  std::function<void(const Frame&)> frames;
  std::function<void(NodeId, Code)> lost;
};

inline Frame frame_to(NodeId to, std::string_view bytes, FrameKind kind = 1,
                      uint64_t operation = 0) {
  Frame frame;
  frame.to = to;
  frame.kind = kind;
  frame.operation = operation;
  frame.bytes = Buffer::copy_of(bytes);
  return frame;
}

struct Seen {
  Time at = 0;
  NodeId node = kNoNode;  // who saw it
  std::string what;
  bool operator==(const Seen&) const = default;
};

inline void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.at << " ns, node " << seen.node << ": " << seen.what;
}

// What processes saw, in order; programs of a test write into it.
using Log = std::vector<Seen>;

// Answers nothing, logs every frame's bytes and every lost peer.
inline Program listener(World& world, Log& log) {
  return [&world, &log](Host& host) -> Task<void> {
    Listener ears(host);
    const NodeId self = host.network().self();
    ears.frames = [&world, &log, self](const Frame& frame) {
      log.push_back({world.now(), self, std::string(frame.bytes.view())});
    };
    ears.lost = [&world, &log, self](NodeId peer, Code why) {
      log.push_back({world.now(), self, std::string(code_name(why)) + " " + std::to_string(peer)});
    };
    co_await host.clock().sleep_until(kNever);
  };
}

}  // namespace ringside::sim
