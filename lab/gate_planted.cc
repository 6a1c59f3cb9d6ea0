// gate_planted [--no-frame-pool] [--trip-wire] [BUG…]: a world of three machines that run
// node/misbehave.h and nothing else, for a second; prints the fingerprint. It shows, at the cost of
// one small program, that the trip-wire and the ways in which the gate plays the suite catch a real
// clock, an order by pointer and a use of a dead frame.
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "node/misbehave.h"
#include "runtime/check.h"
#include "runtime/frame_pool.h"
#include "sim/trip_wire.h"
#include "sim/world.h"

int main(int count, char** arguments) {
  using namespace ringside;
  bool trip_wire = false;
  std::vector<std::string> bugs;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--no-frame-pool") {
      FramePool::set_enabled(false);
    } else if (argument == "--trip-wire") {
      trip_wire = true;
    } else {
      bugs.emplace_back(argument);
    }
  }
  set_planted_bugs(std::move(bugs));
  if (trip_wire) {
    const Result<void> armed = sim::arm_trip_wire();
    if (!armed.ok()) {
      std::fprintf(stderr, "gate_planted: %s\n", armed.error().text().c_str());
      return 3;
    }
  }

  sim::WorldSpec spec;
  const sim::PlaceId region = *spec.topology.add_region("here");
  const sim::PlaceId rack =
      *spec.topology.add_rack(*spec.topology.add_zone(region, "here-a"), "here-a-r1");
  for (NodeId node = 1; node <= 3; ++node) {
    CHECK(spec.topology.add_machine(rack, "m" + std::to_string(node)).ok());
    spec.machines.emplace_back();
  }
  sim::World world(std::move(spec));
  for (NodeId node = 1; node <= 3; ++node) {
    world.place(node, node - 1, [](Host& host) { return misbehave(host); });
    world.start(node);
  }
  world.run_until(kSecond);
  std::printf("%016" PRIx64 " after %" PRIu64 " events\n", world.fingerprint(), world.events());
  return 0;
}
