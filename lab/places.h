// Places: the regions, zones and machines of a scenario by name, and which machines each name
// means. Region "east" with two zones of two machines: zones east-a and east-b, machines east-a-1,
// east-a-2, east-b-1, east-b-2. Nodes are numbered from 1 in this order, one a machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/scenario.pb.h"

namespace ringside::lab {

class Places {
 public:
  struct Machine {
    std::string name;
    uint32_t zone = 0;    // index into zones()
    uint32_t region = 0;  // index into the topology's regions
    std::string rack;
  };
  struct Zone {
    std::string name;
    uint32_t region = 0;
  };

  explicit Places(const scenario::Topology& topology);

  const std::vector<Machine>& machines() const { return machines_; }
  const std::vector<Zone>& zones() const { return zones_; }

  // Machines that stand by (topology.spare): a node lives there only once it joins.
  bool is_spare(std::size_t machine) const { return spare_[machine]; }
  std::size_t spares() const;

  bool known(std::string_view place) const;
  bool is_machine(std::string_view name) const;
  // Indices of the machines (zones) that a place means: all of a region's, a zone's, or the one.
  // Empty when unknown.
  std::vector<uint32_t> machines_in(std::string_view place) const;
  // A rack or a machine means no zone.
  std::vector<uint32_t> zones_in(std::string_view place) const;
  // "east, east-a, east-b (zones), east-a-1 … (machines)", for error messages.
  std::string list() const;
  std::vector<std::string> names() const;

 private:
  std::vector<std::string> regions_;
  std::vector<Zone> zones_;
  std::vector<Machine> machines_;
  std::vector<bool> spare_;  // by machine
};

// 3 of "client-3", the machine of a client process.
std::optional<uint32_t> client_number(std::string_view name);

// "a" … "z", "aa" …: what the zone with this index within its region is called by.
std::string zone_letter(uint32_t index);

}  // namespace ringside::lab
