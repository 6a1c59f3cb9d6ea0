// The simulator's stage: machines in one rack, with jitter so that frames do overtake each
// other.
#include <array>

#include "posix/conformance_stages.h"
#include "sim/world.h"

namespace ringside::conformance {
namespace {

constexpr uint64_t kEventsMax = 2'000'000;
constexpr Duration kTimeMax = 100 * kSecond;

sim::WorldSpec spec(const StageOptions& options) {
  sim::WorldSpec made;
  sim::Topology& topology = made.topology;
  const sim::PlaceId zone = *topology.add_zone(*topology.add_region("east"), "east-a");
  const sim::PlaceId rack = *topology.add_rack(zone, "east-a-r1");
  for (NodeId node = 1; node <= kPlaces; ++node)
    CHECK(topology.add_machine(rack, "m" + std::to_string(node)).ok());
  topology.set_class(sim::LinkClass::kSameRack, {.latency = *sim::Distribution::uniform(
                                                     20 * kMicrosecond, 200 * kMicrosecond)});
  made.machines.resize(kPlaces);
  if (options.disk_bytes != 0) {
    for (sim::MachineModel& machine : made.machines)
      machine.disk.capacity_bytes = options.disk_bytes;
  }
  return made;
}

class SimStage final : public Stage {
 public:
  explicit SimStage(const StageOptions& options) : world_(spec(options)) {
    for (NodeId node = 1; node <= kPlaces; ++node) {
      world_.place(node, node - 1,
                   [this, node](Host& host) { return stay(&host, programs_[node](host)); });
    }
  }

  void start(NodeId node, Program program) override {
    CHECK(!world_.running(node));
    programs_[node] = std::move(program);
    if (world_.incarnation(node) == 0)
      world_.start(node);
    else
      world_.restart(node);
  }
  void kill(NodeId node) override {
    if (world_.running(node)) world_.crash(node);
  }
  void vanish(NodeId node) override { world_.power_loss(world_.machine_of(node)); }
  bool running(NodeId node) override { return world_.running(node); }
  bool run_until(const std::function<bool()>& done) override {
    const uint64_t events_max = world_.events() + kEventsMax;
    const Time until = world_.now() + kTimeMax;
    while (!done()) {
      if (world_.events() > events_max || world_.now() > until || !world_.step()) return done();
    }
    return true;
  }
  void run_turns(int turns) override {
    while (turns-- > 0 && world_.step()) {
    }
  }
  std::string address(NodeId node) override { return "10.0.0." + std::to_string(node) + ":7000"; }
  bool takes_any_address() const override { return true; }

 private:
  // Here a process ends with its program; on a stage it stays until it is killed.
  static Task<void> stay(Host* host, Task<void> program) {
    co_await std::move(program);
    while (true) co_await host->clock().sleep(3'600 * kSecond);
  }

  std::array<Program, kPlaces + 1> programs_;  // outlive the processes
  sim::World world_;
};

}  // namespace

std::unique_ptr<Stage> sim_stage(const StageOptions& options) {
  return std::make_unique<SimStage>(options);
}

}  // namespace ringside::conformance
