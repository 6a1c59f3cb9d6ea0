// The world's disks: what is wrong with them, and what is on them.
#include <string>

#include "sim/world_impl.h"

namespace ringside::sim {

World::TroubleId World::begin_trouble(MachineId machine, const DiskTrouble& trouble) {
  const TroubleId id = ++impl_->troubles_begun;
  impl_->machine(machine).disk().begin_trouble(id, impl_->kernel.now, trouble);
  impl_->fault("trouble " + std::to_string(id) + " of the disk of " +
               impl_->spec.topology.machine_name(machine) + ": " + describe(trouble));
  return id;
}

bool World::end_trouble(TroubleId id) {
  for (const auto& machine : impl_->machines) {
    if (!machine->disk().end_trouble(id)) continue;
    impl_->fault("end of trouble " + std::to_string(id) + " of the disk of " +
                 impl_->spec.topology.machine_name(machine->id()));
    return true;
  }
  return false;
}

bool World::clear_troubles() {
  bool some = false;
  for (const auto& machine : impl_->machines) some = machine->disk().clear_troubles() || some;
  if (some) impl_->fault("end of every trouble of a disk");
  return some;
}

uint64_t World::rot(MachineId machine, std::string_view files, uint64_t flips) {
  const uint64_t flipped = impl_->machine(machine).disk().rot(impl_->kernel.now, files, flips);
  impl_->fault("rot on the disk of " + impl_->spec.topology.machine_name(machine) + ": " +
               std::to_string(flipped) + " bits flipped" +
               (files.empty() ? "" : " in files *" + std::string(files) + "*"));
  return flipped;
}

bool World::mend(MachineId machine) {
  if (!impl_->machine(machine).disk().mend()) return false;
  impl_->fault("the disk of " + impl_->spec.topology.machine_name(machine) + " is mended");
  return true;
}

const DiskCounters& World::disk_counters(MachineId machine) const {
  return impl_->machine(machine).disk().counters();
}

}  // namespace ringside::sim
