#include "sim/topology.h"

#include <boost/graph/adjacency_list.hpp>
#include <map>
#include <utility>

namespace ringside::sim {

namespace {

struct Place {
  PlaceKind kind = PlaceKind::kWorld;
  std::string name;
  MachineId machine = 0;  // kMachine
};

struct Edge {
  bool contains = true;  // a parent's edge to its child; otherwise a link with a model
  LinkModel model;
};

using PlaceGraph =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Place, Edge>;

Error invalid_topology(std::string message) { return Error{Code::kInvalid, std::move(message)}; }

}  // namespace

struct Topology::Graph {
  PlaceGraph graph;
  std::map<std::string, PlaceId, std::less<>> names;

  PlaceId parent(PlaceId place) const {
    for (auto [edge, end] = boost::in_edges(place, graph); edge != end; ++edge) {
      if (graph[*edge].contains) return static_cast<PlaceId>(boost::source(*edge, graph));
    }
    return kNoPlace;
  }
  bool holds(PlaceId place) const { return place < boost::num_vertices(graph); }
};

const char* link_class_name(LinkClass link_class) {
  switch (link_class) {
    case LinkClass::kSameMachine: return "same machine";
    case LinkClass::kSameRack: return "same rack";
    case LinkClass::kSameZone: return "same zone";
    case LinkClass::kSameRegion: return "same region";
    case LinkClass::kCrossRegion: return "cross region";
  }
  return "?";
}

const char* place_kind_name(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::kWorld: return "world";
    case PlaceKind::kRegion: return "region";
    case PlaceKind::kZone: return "zone";
    case PlaceKind::kRack: return "rack";
    case PlaceKind::kMachine: return "machine";
  }
  return "?";
}

// The world is the root of the tree of places; it has no name that can be looked up.
Topology::Topology() : graph_(std::make_unique<Graph>()) {
  boost::add_vertex(Place{}, graph_->graph);
}
Topology::~Topology() = default;
Topology::Topology(const Topology& other)
    : graph_(std::make_unique<Graph>(*other.graph_)),
      machines_(other.machines_),
      classes_(other.classes_),
      flat_(other.flat_) {}
Topology::Topology(Topology&& other) noexcept = default;
Topology& Topology::operator=(Topology other) noexcept {
  std::swap(graph_, other.graph_);
  std::swap(machines_, other.machines_);
  std::swap(classes_, other.classes_);
  std::swap(flat_, other.flat_);
  return *this;
}

Result<PlaceId> Topology::add(PlaceKind kind, PlaceId parent, std::string name) {
  const auto parent_kind = static_cast<PlaceKind>(static_cast<uint8_t>(kind) - 1);
  if (!graph_->holds(parent) || this->kind(parent) != parent_kind) {
    return invalid_topology(std::string("a ") + place_kind_name(kind) + " lies in a " +
                            place_kind_name(parent_kind));
  }
  if (name.empty())
    return invalid_topology(std::string("a ") + place_kind_name(kind) + " needs a name");
  if (graph_->names.contains(name))
    return Error{Code::kExists, "two places are called \"" + name + "\""};
  const auto place = static_cast<PlaceId>(boost::add_vertex(Place{kind, name, 0}, graph_->graph));
  boost::add_edge(parent, place, Edge{}, graph_->graph);
  graph_->names.emplace(std::move(name), place);
  flat_.current = false;
  return place;
}

Result<PlaceId> Topology::add_region(std::string name) {
  return add(PlaceKind::kRegion, 0, std::move(name));
}
Result<PlaceId> Topology::add_zone(PlaceId region, std::string name) {
  return add(PlaceKind::kZone, region, std::move(name));
}
Result<PlaceId> Topology::add_rack(PlaceId zone, std::string name) {
  return add(PlaceKind::kRack, zone, std::move(name));
}

Result<MachineId> Topology::add_machine(PlaceId rack, std::string name) {
  Result<PlaceId> place = add(PlaceKind::kMachine, rack, std::move(name));
  if (!place.ok()) return place.error();
  const auto machine = static_cast<MachineId>(machines_.size());
  graph_->graph[*place].machine = machine;
  const PlaceId zone = graph_->parent(rack);
  machines_.push_back(
      {.place = *place, .rack = rack, .zone = zone, .region = graph_->parent(zone)});
  return machine;
}

void Topology::set_class(LinkClass link_class, LinkModel model) {
  classes_[static_cast<std::size_t>(link_class)] = std::move(model);
  flat_.current = false;
}

const LinkModel& Topology::class_model(LinkClass link_class) const {
  return classes_[static_cast<std::size_t>(link_class)];
}

Result<void> Topology::set_link(PlaceId from, PlaceId to, LinkModel model) {
  if (!graph_->holds(from) || !graph_->holds(to))
    return invalid_topology("a link needs two places of this topology");
  if (!(model.loss >= 0 && model.loss <= 1))
    return invalid_topology("a link's loss is a probability from 0 to 1");
  boost::add_edge(from, to, Edge{.contains = false, .model = std::move(model)}, graph_->graph);
  flat_.current = false;
  return {};
}

Result<void> Topology::set_link_both_ways(PlaceId a, PlaceId b, LinkModel model) {
  Result<void> there = set_link(a, b, model);
  if (!there.ok() || a == b) return there;
  return set_link(b, a, std::move(model));
}

LinkClass Topology::link_class(MachineId from, MachineId to) const {
  CHECK(from < machines_.size() && to < machines_.size());
  const MachineEntry& a = machines_[from];
  const MachineEntry& b = machines_[to];
  if (from == to) return LinkClass::kSameMachine;
  if (a.rack == b.rack) return LinkClass::kSameRack;
  if (a.zone == b.zone) return LinkClass::kSameZone;
  if (a.region == b.region) return LinkClass::kSameRegion;
  return LinkClass::kCrossRegion;
}

void Topology::flatten() const {
  const std::size_t count = machines_.size();
  flat_.machines = count;
  flat_.models.assign(classes_.begin(), classes_.end());
  flat_.index.assign(count * count, 0);
  for (MachineId from = 0; from < count; ++from) {
    for (MachineId to = 0; to < count; ++to) {
      flat_.index[from * count + to] = static_cast<uint16_t>(link_class(from, to));
    }
  }
  // Shallow places first, so that deeper ones overwrite them; the graph lists edges in the order of
  // adding.
  const PlaceGraph& graph = graph_->graph;
  constexpr int kDeepest = 2 * static_cast<int>(PlaceKind::kMachine);
  for (int depth = 0; depth <= kDeepest; ++depth) {
    for (auto [edge, end] = boost::edges(graph); edge != end; ++edge) {
      if (graph[*edge].contains) continue;
      const auto from = static_cast<PlaceId>(boost::source(*edge, graph));
      const auto to = static_cast<PlaceId>(boost::target(*edge, graph));
      if (static_cast<int>(graph[from].kind) + static_cast<int>(graph[to].kind) != depth) continue;
      CHECK(flat_.models.size() < 65'536);
      const auto model = static_cast<uint16_t>(flat_.models.size());
      flat_.models.push_back(graph[*edge].model);
      const std::vector<MachineId> targets = machines_in(to);
      for (MachineId sender : machines_in(from)) {
        for (MachineId target : targets) {
          // A machine's way to itself is its own.
          if (sender == target && from != machines_[sender].place) continue;
          flat_.index[sender * count + target] = model;
        }
      }
    }
  }
  flat_.current = true;
}

const std::string& Topology::machine_name(MachineId machine) const {
  return name(place_of(machine));
}

PlaceId Topology::place_of(MachineId machine) const {
  CHECK(machine < machines_.size());
  return machines_[machine].place;
}

PlaceId Topology::around(MachineId machine, PlaceKind kind) const {
  CHECK(machine < machines_.size());
  const MachineEntry& entry = machines_[machine];
  switch (kind) {
    case PlaceKind::kWorld: return 0;
    case PlaceKind::kRegion: return entry.region;
    case PlaceKind::kZone: return entry.zone;
    case PlaceKind::kRack: return entry.rack;
    case PlaceKind::kMachine: return entry.place;
  }
  return kNoPlace;
}

const std::string& Topology::name(PlaceId place) const {
  CHECK(graph_->holds(place));
  return graph_->graph[place].name;
}

PlaceKind Topology::kind(PlaceId place) const {
  CHECK(graph_->holds(place));
  return graph_->graph[place].kind;
}

std::vector<PlaceId> Topology::places(PlaceKind kind) const {
  std::vector<PlaceId> found;
  for (PlaceId place = 0; place < boost::num_vertices(graph_->graph); ++place) {
    if (graph_->graph[place].kind == kind) found.push_back(place);
  }
  return found;
}

Result<PlaceId> Topology::find(std::string_view name) const {
  const auto found = graph_->names.find(name);
  if (found != graph_->names.end()) return found->second;
  std::string known;
  for (PlaceKind kind :
       {PlaceKind::kRegion, PlaceKind::kZone, PlaceKind::kRack, PlaceKind::kMachine}) {
    const std::vector<PlaceId> all = places(kind);
    for (std::size_t i = 0; i < all.size() && i < 20; ++i)
      known += (known.empty() ? "" : ", ") + this->name(all[i]);
    if (all.size() > 20) known += ", …";
  }
  return Error{Code::kNotFound,
               "no place is called \"" + std::string(name) + "\"; there are: " + known};
}

Result<MachineId> Topology::find_machine(std::string_view name) const {
  Result<PlaceId> place = find(name);
  if (!place.ok()) return place.error();
  if (kind(*place) != PlaceKind::kMachine) {
    return invalid_topology("\"" + std::string(name) + "\" is a " + place_kind_name(kind(*place)) +
                            ", not a machine");
  }
  return graph_->graph[*place].machine;
}

std::vector<MachineId> Topology::machines_in(PlaceId place) const {
  CHECK(graph_->holds(place));
  const PlaceKind wanted = kind(place);
  std::vector<MachineId> found;
  for (MachineId machine = 0; machine < machines_.size(); ++machine) {
    if (around(machine, wanted) == place) found.push_back(machine);
  }
  return found;
}

Result<std::vector<MachineId>> Topology::machines_in(std::string_view name) const {
  Result<PlaceId> place = find(name);
  if (!place.ok()) return place.error();
  return machines_in(*place);
}

}  // namespace ringside::sim
