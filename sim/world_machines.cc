// World: machines that are slow and clocks that are wrong.
#include <fmt/format.h>

#include <string>

#include "sim/world_impl.h"

namespace ringside::sim {

namespace {
constexpr double kSlowerMax = 1e6;
}  // namespace

void World::pause(MachineId id, Time until) {
  Machine& machine = impl_->machine(id);
  CHECK(impl_->kernel.active == nullptr);
  if (!machine.powered) return;
  if (!machine.stand_still(until)) return;
  const std::string& name = impl_->spec.topology.machine_name(id);
  if (until == kNever) {
    impl_->fault("pause of " + name + " until it is resumed");
  } else {
    impl_->fault("pause of " + name + " for " +
                 describe_duration(static_cast<double>(until - impl_->kernel.now)));
  }
}

void World::resume(MachineId id) {
  Machine& machine = impl_->machine(id);
  CHECK(impl_->kernel.active == nullptr);
  if (machine.move_on()) impl_->fault("resume of " + impl_->spec.topology.machine_name(id));
}

bool World::paused(MachineId id) const { return impl_->machine(id).stands(); }

void World::throttle(MachineId id, double slower) {
  CHECK(impl_->kernel.active == nullptr);
  CHECK(slower >= 1 && slower <= kSlowerMax);
  impl_->machine(id).throttle(slower);
  const std::string& name = impl_->spec.topology.machine_name(id);
  impl_->fault(slower == 1 ? name + " works at its own pace again"
                           : fmt::format("{} works {} times slower", name, slower));
}

void World::out_of_memory(NodeId node) {
  Process& process = impl_->process(node);
  if (process.host == nullptr) return;
  impl_->fault("out of memory at node " + std::to_string(node));
  impl_->stop(process, "out of memory", true);
}

void World::step_wall_clock(MachineId machine, Duration by) {
  impl_->fault("step of the wall clock of " + impl_->spec.topology.machine_name(machine) + " by " +
               std::to_string(by) + " ns");
  impl_->machine(machine).step_wall(by);
}

void World::set_drift(MachineId id, double ppm) {
  CHECK(impl_->kernel.active == nullptr);
  impl_->machine(id).set_drift(ppm);
  impl_->fault(
      fmt::format("the clocks of {} drift by {} ppm", impl_->spec.topology.machine_name(id), ppm));
}

void World::reset_clock(MachineId id) {
  CHECK(impl_->kernel.active == nullptr);
  impl_->machine(id).reset_clock();
  impl_->fault("the clocks of " + impl_->spec.topology.machine_name(id) + " are set right");
}

MachineLoad World::machine_load(MachineId id) const { return impl_->machine(id).load(); }

}  // namespace ringside::sim
