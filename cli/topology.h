// Topology of a scenario as a person wants to see it: where the nodes, their disks and the clients
// are, how far apart, and which of the written faults touch which place. `topology_of` reads it off
// the plan that a run would be made from; the drawings (text, SVG, JSON) know nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/plan.h"

namespace ringside::cli {

struct Topology {
  // Faults are numbered from 1, as drawn; each place lists those that name it.
  using Marks = std::vector<unsigned>;

  struct Machine {
    std::string name;
    std::string rack;
    std::string disk;
    NodeId node = kNoNode;
    Marks faults;
  };
  struct Client {
    unsigned number = 0;  // as in logs: client 1
    unsigned sessions = 0;
  };
  struct Zone {
    std::string name;
    unsigned racks = 0;
    std::vector<Machine> machines;  // of one rack after the other
    std::vector<Client> clients;
    sim::MachineId first = 0;  // one of its machines, to ask for links
    Marks faults;
  };
  struct Region {
    std::string name;
    std::vector<Zone> zones;
    Marks faults;
  };
  struct Latency {
    std::string of;      // "between zones", "frames replica_put_request"
    std::string law;     // in words
    std::string median;  // "500us", to two digits
  };
  struct Fault {
    std::string when;
    std::string what;
    std::string touches;  // "nodes 3–4, client 2", "every node", "whom the seed draws"
    std::vector<std::string> places;
  };

  std::string scenario;
  std::string about;
  std::string summary;  // one line: how many of what, and the strategy
  std::vector<Region> regions;
  std::vector<Latency> latencies;  // the classes, then links and kinds of frame that differ
  std::vector<Fault> faults;
  Marks everywhere;   // faults that strike every node
  std::string swarm;  // empty: none

  // Median one-way latency between two machines, as text.
  std::string median(sim::MachineId from, sim::MachineId to) const;
  sim::Topology links;
};

Topology topology_of(const scenario::Scenario& scenario, const lab::Plan& plan);

// "1–4, 7"
std::string ranges(const std::vector<uint64_t>& ascending);
// "▲1 ▲3"; empty for none.
std::string marks_text(const Topology::Marks& marks);

inline constexpr std::size_t kTopologyColumns = 100;
std::string draw_topology(const Topology& topology);
std::string topology_as_json(const Topology& topology);
// One file that needs no other.
std::string topology_as_svg(const Topology& topology);

}  // namespace ringside::cli
