#include "lab/places.h"

#include <algorithm>
#include <charconv>

#include "lab/text.h"

namespace ringside::lab {

std::string zone_letter(uint32_t index) {
  const std::string last(1, static_cast<char>('a' + index % 26));
  return index < 26 ? last : zone_letter(index / 26 - 1) + last;
}

std::optional<uint32_t> client_number(std::string_view name) {
  constexpr std::string_view kPrefix = "client-";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  uint32_t number = 0;
  name.remove_prefix(kPrefix.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

Places::Places(const scenario::Topology& topology) {
  for (const scenario::Region& region : topology.region()) {
    const uint32_t region_index = static_cast<uint32_t>(regions_.size());
    regions_.push_back(region.name());
    for (uint32_t z = 0; z < region.zones(); ++z) {
      const uint32_t zone_index = static_cast<uint32_t>(zones_.size());
      zones_.push_back({concat(region.name(), "-", zone_letter(z)), region_index});
      for (uint32_t m = 1; m <= region.machines_per_zone(); ++m) {
        const uint32_t rack = (m - 1) % region.racks_per_zone() + 1;
        machines_.push_back({concat(zones_.back().name, "-", m), zone_index, region_index,
                             concat(zones_.back().name, "-r", rack)});
      }
    }
  }
  spare_.assign(machines_.size(), false);
  for (const std::string& place : topology.spare()) {
    for (const uint32_t machine : machines_in(place)) spare_[machine] = true;
  }
}

std::size_t Places::spares() const {
  return static_cast<std::size_t>(std::count(spare_.begin(), spare_.end(), true));
}

bool Places::is_machine(std::string_view name) const {
  return std::any_of(machines_.begin(), machines_.end(),
                     [&](const Machine& machine) { return machine.name == name; });
}

bool Places::known(std::string_view place) const { return !machines_in(place).empty(); }

std::vector<uint32_t> Places::machines_in(std::string_view place) const {
  std::vector<uint32_t> found;
  for (uint32_t i = 0; i < machines_.size(); ++i) {
    const Machine& machine = machines_[i];
    if (machine.name == place || machine.rack == place || zones_[machine.zone].name == place ||
        regions_[machine.region] == place) {
      found.push_back(i);
    }
  }
  return found;
}

std::vector<uint32_t> Places::zones_in(std::string_view place) const {
  std::vector<uint32_t> found;
  for (uint32_t i = 0; i < zones_.size(); ++i) {
    if (zones_[i].name == place || regions_[zones_[i].region] == place) found.push_back(i);
  }
  return found;
}

std::string Places::list() const {
  std::string text = concat("the regions are ", join(regions_, ", "), "; the zones ");
  std::vector<std::string> zones;
  for (const Zone& zone : zones_) zones.push_back(zone.name);
  if (zones.size() > 12) {
    zones.resize(12);
    zones.push_back("…");
  }
  append(text, join(zones, ", "));
  if (!machines_.empty()) {
    append(text, "; the machines ", machines_.front().name, " to ", machines_.back().name);
  }
  return text;
}

std::vector<std::string> Places::names() const {
  std::vector<std::string> names = regions_;
  for (const Zone& zone : zones_) names.push_back(zone.name);
  for (const Machine& machine : machines_) {
    if (names.back() != machine.rack) names.push_back(machine.rack);
    names.push_back(machine.name);
  }
  return names;
}

}  // namespace ringside::lab
