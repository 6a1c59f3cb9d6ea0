// Machines that stand by for nobody leave the topology.
#include <map>

#include "lab/check_scenario.h"
#include "lab/places.h"
#include "lab/shrink_edits.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

using scenario::Scenario;

using Renaming = std::map<std::string, std::string>;

// `zones` zones of as many machines each; `kept` in order, which fill them one after the other.
Scenario packed(const Scenario& scenario, const std::vector<std::string>& kept, uint32_t zones) {
  Scenario out = scenario;
  scenario::Region& region = *out.mutable_topology()->mutable_region(0);
  const auto each = static_cast<uint32_t>(kept.size()) / zones;
  Renaming names;
  for (uint32_t i = 0; i < kept.size(); ++i) {
    names[kept[i]] = concat(region.name(), "-", zone_letter(i / each), "-", i % each + 1);
  }
  region.set_zones(zones);
  region.set_machines_per_zone(each);
  if (region.racks_per_zone() > each) region.clear_racks_per_zone();
  out.mutable_topology()->clear_spare();
  for (scenario::Fault& fault : *out.mutable_fault()) {
    for (auto* list : name_lists_of(fault)) {
      for (std::string& name : *list) {
        if (const auto found = names.find(name); found != names.end()) name = found->second;
      }
    }
  }
  return out;
}

}  // namespace

Alternatives smaller_topologies(const Scenario& scenario) {
  Alternatives found;
  const scenario::Topology& topology = scenario.topology();
  const bool plain = topology.region_size() == 1 && topology.spare_size() > 0 &&
                     scenario.admin_size() == 0 && scenario.cluster().capacity_size() == 0 &&
                     scenario.cluster().wire_size() == 0;
  if (!plain) return found;
  const Places places(topology);
  std::vector<std::string> kept;
  std::map<uint32_t, uint32_t> in_zone;
  for (std::size_t i = 0; i < places.machines().size(); ++i) {
    if (places.is_spare(i)) continue;
    kept.push_back(places.machines()[i].name);
    ++in_zone[places.machines()[i].zone];
  }
  if (kept.empty()) return found;
  bool even = true;
  for (const auto& [zone, machines] : in_zone) even = even && machines == in_zone.begin()->second;
  if (even) found.push_back(packed(scenario, kept, static_cast<uint32_t>(in_zone.size())));
  if (!even || in_zone.size() != kept.size())
    found.push_back(packed(scenario, kept, static_cast<uint32_t>(kept.size())));
  return found;
}

}  // namespace ringside::lab
