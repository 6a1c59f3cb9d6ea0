// Two machines for tests of faults: node 1 on the first sends "0", "1", ... every 10 ms, 1 ms away
// from node 2 on the second, which logs them and ticks every 10 ms too; and an observer that keeps
// the faults.
#pragma once

#include <string>
#include <vector>

#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside::sim {

struct Faults : Observer {
  void on_fault(Time at, std::string_view what) override {
    log.push_back({at, kNoNode, std::string(what)});
  }
  void on_stop(Time at, NodeId node, std::string_view why) override {
    log.push_back({at, node, std::string(why)});
  }
  void on_lost(Time, const Frame&, std::string_view why) override { lost.emplace_back(why); }
  Log log;
  std::vector<std::string> lost;
};

struct Pair {
  explicit Pair(CpuModel cpu = {}) : world(spec_of(cpu)) {
    world.set_observer(&faults);
    world.place(1, 0, [this](Host& host) -> Task<void> {
      Listener ears(host);
      ears.lost = [this](NodeId peer, Code why) {
        log.push_back({world.now(), 1, std::string(code_name(why)) + " " + std::to_string(peer)});
      };
      for (int i = 0;; ++i) {
        co_await host.clock().sleep_until(i * 10 * kMillisecond);
        CHECK(host.network().send(frame_to(2, std::to_string(i))));
      }
    });
    world.place(2, 1, [this](Host& host) -> Task<void> {
      Listener ears(host);
      ears.frames = [this](const Frame& frame) {
        log.push_back({world.now(), 2, std::string(frame.bytes.view())});
      };
      for (int i = 1;; ++i) {
        co_await host.clock().sleep_until(i * 10 * kMillisecond + 5 * kMillisecond);
        log.push_back({world.now(), 2, "tick " + std::to_string(i)});
      }
    });
    world.start(2);
    world.start(1);
  }
  static WorldSpec spec_of(CpuModel cpu) {
    WorldSpec spec = small_world(2, kMillisecond);
    spec.machines[1].cpu = cpu;
    return spec;
  }
  // What was logged in [from, to].
  Log between(Time from, Time to) {
    Log found;
    for (const Seen& seen : log)
      if (seen.at >= from && seen.at <= to) found.push_back(seen);
    return found;
  }

  Faults faults;
  Log log;
  World world;
};

}  // namespace ringside::sim
