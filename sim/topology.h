// Topology: regions, zones, racks and machines, and the links between them, as a graph
// (Boost.Graph, behind this plain header). What a frame meets on its way from one machine to
// another is decided by the most specific link that was set between places that hold the two, else
// by how near they are (LinkClass). The answer for every pair lies in one flat table, so that the
// hot path is two loads. Names are unique over all places. A Topology is a value: copies are
// independent.
//
//   Topology topology;
//   PlaceId zone = *topology.add_zone(*topology.add_region("east"), "east-a");
//   MachineId machine = *topology.add_machine(*topology.add_rack(zone, "east-a-r1"), "n1");
//   topology.set_class(LinkClass::kSameZone, {Distribution::constant(100 * kMicrosecond)});
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"
#include "sim/distribution.h"

namespace ringside::sim {

using MachineId = uint32_t;  // index of a machine, in the order of adding
using PlaceId = uint32_t;    // any place: region, zone, rack or machine
inline constexpr PlaceId kNoPlace = ~PlaceId{0};

enum class LinkClass : uint8_t { kSameMachine, kSameRack, kSameZone, kSameRegion, kCrossRegion };
inline constexpr std::size_t kLinkClasses = 5;
const char* link_class_name(LinkClass link_class);

enum class PlaceKind : uint8_t { kWorld, kRegion, kZone, kRack, kMachine };
const char* place_kind_name(PlaceKind kind);

struct LinkModel {
  Distribution latency;
  double loss = 0;                          // probability a frame
  uint64_t bandwidth_bytes_per_second = 0;  // 0: without limit
};

class Topology {
 public:
  Topology();
  ~Topology();
  Topology(const Topology& other);
  Topology(Topology&& other) noexcept;
  Topology& operator=(Topology other) noexcept;

  // Building. kExists for a name that is taken, kInvalid for a parent of the wrong kind.
  Result<PlaceId> add_region(std::string name);
  Result<PlaceId> add_zone(PlaceId region, std::string name);
  Result<PlaceId> add_rack(PlaceId zone, std::string name);
  Result<MachineId> add_machine(PlaceId rack, std::string name);
  // How far apart places of a class are, where no link says otherwise.
  void set_class(LinkClass link_class, LinkModel model);
  const LinkModel& class_model(LinkClass link_class) const;
  // All frames from machines in `from` to machines in `to`, this direction only. Deeper places win;
  // at equal depth the link set last wins.
  Result<void> set_link(PlaceId from, PlaceId to, LinkModel model);
  Result<void> set_link_both_ways(PlaceId a, PlaceId b, LinkModel model);

  // The hot path.
  const LinkModel& link(MachineId from, MachineId to) const {
    if (!flat_.current) flatten();
    return flat_.models[flat_.index[from * flat_.machines + to]];
  }
  LinkClass link_class(MachineId from, MachineId to) const;

  // Looking around.
  uint32_t machines() const { return static_cast<uint32_t>(machines_.size()); }
  const std::string& machine_name(MachineId machine) const;
  PlaceId place_of(MachineId machine) const;
  // The rack, zone or region that holds the machine.
  PlaceId around(MachineId machine, PlaceKind kind) const;
  const std::string& name(PlaceId place) const;
  PlaceKind kind(PlaceId place) const;
  std::vector<PlaceId> places(PlaceKind kind) const;  // in the order of adding
  // kNotFound names the places there are.
  Result<PlaceId> find(std::string_view name) const;
  Result<MachineId> find_machine(std::string_view name) const;
  // Every machine in a place, ascending; a machine is in itself.
  std::vector<MachineId> machines_in(PlaceId place) const;
  Result<std::vector<MachineId>> machines_in(std::string_view name) const;

 private:
  struct Graph;
  struct MachineEntry {
    PlaceId place, rack, zone, region;
  };
  struct Flat {
    bool current = false;
    std::size_t machines = 0;
    std::vector<uint16_t> index;    // from * machines + to
    std::vector<LinkModel> models;  // the classes first, then the links
  };

  Result<PlaceId> add(PlaceKind kind, PlaceId parent, std::string name);
  void flatten() const;

  std::unique_ptr<Graph> graph_;
  std::vector<MachineEntry> machines_;
  std::array<LinkModel, kLinkClasses> classes_;
  mutable Flat flat_;  // rebuilt on the first look after a change
};

}  // namespace ringside::sim
