// Room: a world of listeners whose hosts a test may use between steps, as if a node's code did.
// Nodes 1, 2, … live on machines 0, 1, …; what they hear goes into one log.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside::sim {

class Room {
 public:
  Room(WorldSpec spec, uint32_t nodes) : world(std::move(spec)) {
    for (NodeId node = 1; node <= nodes; ++node) {
      world.place(node, node - 1, [this](Host& host) -> Task<void> {
        hosts[host.network().self()] = &host;
        Listener ears(host);
        const NodeId self = host.network().self();
        ears.frames = [this, self](const Frame& frame) {
          log.push_back({world.now(), self, std::string(frame.bytes.view())});
        };
        ears.lost = [this, self](NodeId peer, Code why) {
          log.push_back(
              {world.now(), self, std::string(code_name(why)) + " " + std::to_string(peer)});
        };
        co_await host.clock().sleep_until(kNever);
      });
      world.start(node);
    }
    world.run_until(0);
  }
  bool send(NodeId from, NodeId to, std::string_view bytes, FrameKind kind = 1,
            uint64_t operation = 0) {
    return hosts.at(from)->network().send(frame_to(to, bytes, kind, operation));
  }
  Log take() { return std::exchange(log, {}); }

  World world;
  std::map<NodeId, Host*> hosts;
  Log log;
};

}  // namespace ringside::sim
