// `ringside topology`: what it reads off a plan, and the verb.
#include "cli/topology.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "cli/json.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/experiment.h"
#include "lab/fault_text.h"
#include "lab/text.h"
#include "lab/translate.h"
#include "lab/units.h"
#include "sim/draw.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;

constexpr int kSamples = 20'001;
constexpr uint64_t kMedianPurpose = 0x6d656469616e;  // "median"

// By drawing, because a law need not know its quantiles; to two digits, which is what so many draws
// are good for.
std::string median_of(const sim::Distribution& law) {
  if (law.is_constant()) return law.describe();
  sim::Draw draw = sim::Draw::of(0, kMedianPurpose, 0);
  std::vector<Duration> samples(kSamples);
  for (Duration& sample : samples) sample = law.sample(draw);
  const auto middle = samples.begin() + kSamples / 2;
  std::nth_element(samples.begin(), middle, samples.end());
  double digits = static_cast<double>(*middle), scale = 1;
  while (digits >= 100) digits /= 10, scale *= 10;
  return sim::describe_duration(static_cast<double>(static_cast<int64_t>(digits + 0.5)) * scale);
}

std::string count(std::size_t number, const char* one, const char* many) {
  return concat(number, " ", number == 1 ? one : many);
}

void add_places(const scenario::Scenario& scenario, const lab::Plan& plan, Topology& out) {
  const sim::Topology& places = plan.world.topology;
  std::vector<std::pair<std::size_t, std::size_t>> at;  // region and place in it, by zone
  const auto& machines = plan.places.machines();
  for (const lab::Places::Zone& zone : plan.places.zones()) {
    while (out.regions.size() <= zone.region) {
      const int index = static_cast<int>(out.regions.size());
      out.regions.push_back({scenario.topology().region(index).name(), {}, {}});
    }
    Topology::Region& region = out.regions[zone.region];
    at.emplace_back(zone.region, region.zones.size());
    region.zones.push_back({zone.name, 0, {}, {}, 0, {}});
  }
  for (const lab::NodePlan& node : plan.nodes) {
    const lab::Places::Machine& machine = machines[node.machine];
    Topology::Zone& zone = out.regions[machine.region].zones[at[machine.zone].second];
    const std::string& rack = places.name(places.around(node.machine, sim::PlaceKind::kRack));
    if (zone.machines.empty()) zone.first = node.machine;
    if (zone.machines.empty() || zone.machines.back().rack != rack) ++zone.racks;
    const scenario::DiskKind disk =
        scenario.topology().region(static_cast<int>(machine.region)).disk();
    zone.machines.push_back(
        {places.machine_name(node.machine), rack, scenario::DiskKind_Name(disk), node.id, {}});
  }
  for (const lab::ClientPlan& client : plan.clients) {
    const auto [region, zone] = at[client.zone];
    out.regions[region].zones[zone].clients.push_back(
        {client.id - kFirstClient + 1, client.workload.clients});
  }
}

void add_latencies(const scenario::Scenario& scenario, const lab::Plan& plan, Topology& out) {
  const sim::Topology& places = plan.world.topology;
  const auto add = [&](const std::string& of, const sim::Distribution& law) {
    out.latencies.push_back({of, law.describe(), median_of(law)});
  };
  bool racks = false, zones = false;
  for (const Topology::Region& region : out.regions) {
    zones = zones || region.zones.size() > 1;
    for (const Topology::Zone& zone : region.zones) racks = racks || zone.racks > 1;
  }
  const auto add_class = [&](const char* of, sim::LinkClass link_class) {
    add(of, places.class_model(link_class).latency);
  };
  if (racks) add_class("within a rack", sim::LinkClass::kSameRack);
  add_class(racks ? "between racks" : "within a zone", sim::LinkClass::kSameZone);
  if (zones) add_class("between zones", sim::LinkClass::kSameRegion);
  if (out.regions.size() > 1) add_class("between regions", sim::LinkClass::kCrossRegion);
  // Links of their own.
  std::vector<const Topology::Zone*> all;
  for (const Topology::Region& region : out.regions) {
    for (const Topology::Zone& zone : region.zones) all.push_back(&zone);
  }
  for (const Topology::Zone* from : all) {
    for (const Topology::Zone* to : all) {
      if (from == to) continue;
      const sim::Distribution& law = places.link(from->first, to->first).latency;
      const sim::LinkClass usual = places.link_class(from->first, to->first);
      if (law.describe() == places.class_model(usual).latency.describe()) continue;
      add(concat(from->name, " to ", to->name), law);
    }
  }
  for (const scenario::Network::Leg& leg : scenario.network().leg()) {
    const Result<sim::Distribution> law = lab::to_distribution(leg.latency());
    if (!law.ok()) continue;
    const std::string frames = concat("frames ", lab::join(leg.kind(), ", "));
    add(frames, *law);
    if (leg.has_between_regions())
      add(concat(frames, ", between regions"), law->shifted(lab::span_of(leg.between_regions())));
  }
}

// Who is in these places, as people call them.
std::string who(const lab::Plan& plan, const std::vector<std::string>& places) {
  std::vector<uint64_t> nodes, clients;
  for (const std::string& place : places) {
    for (const sim::MachineId machine : plan.machines_in(place)) {
      if (machine < plan.nodes.size()) {
        nodes.push_back(plan.nodes[machine].id);
      } else {
        clients.push_back(machine - plan.nodes.size() + 1);
      }
    }
  }
  std::string text;
  for (auto& [found, one, many] :
       {std::tuple(&nodes, "node ", "nodes "), std::tuple(&clients, "client ", "clients ")}) {
    std::sort(found->begin(), found->end());
    found->erase(std::unique(found->begin(), found->end()), found->end());
    if (found->empty()) continue;
    if (!text.empty()) text += ", ";
    append(text, found->size() == 1 ? one : many, ranges(*found));
  }
  return text;
}

void add_faults(const scenario::Scenario& scenario, const lab::Plan& plan, Topology& out) {
  for (const scenario::Fault& written : scenario.fault()) {
    const lab::FaultText text = lab::describe_fault(written);
    const auto number = static_cast<unsigned>(out.faults.size() + 1);
    Topology::Fault fault{text.when, text.what, {}, text.places};
    if (text.everywhere) {
      fault.touches = "every node";
      out.everywhere.push_back(number);
    } else if (!text.places.empty()) {
      fault.touches = who(plan, text.places);
    } else {
      fault.touches = text.probe.empty() ? "whom the seed draws" : "the node that reaches it";
    }
    const auto mark = [&](const std::string& place, Topology::Marks& marks) {
      if (std::find(text.places.begin(), text.places.end(), place) != text.places.end())
        marks.push_back(number);
    };
    for (Topology::Region& region : out.regions) {
      mark(region.name, region.faults);
      for (Topology::Zone& zone : region.zones) {
        mark(zone.name, zone.faults);
        for (Topology::Machine& machine : zone.machines) mark(machine.name, machine.faults);
      }
    }
    out.faults.push_back(std::move(fault));
  }
  if (scenario.has_swarm()) {
    out.swarm =
        concat("swarm, ", lab::as_words(scenario::Swarm::Profile_Name(scenario.swarm().profile())),
               ": each seed draws its own faults, at any node");
  }
}

int bad_input(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

}  // namespace

std::string Topology::median(sim::MachineId from, sim::MachineId to) const {
  return median_of(links.link(from, to).latency);
}

std::string ranges(const std::vector<uint64_t>& ascending) {
  std::string text;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t end = i + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    if (!text.empty()) text += ", ";
    append(text, ascending[i]);
    if (end - i > 1) append(text, end - i == 2 ? ", " : "–", ascending[end - 1]);
    i = end;
  }
  return text;
}

std::string marks_text(const Topology::Marks& marks) {
  std::string text;
  for (const unsigned number : marks) append(text, text.empty() ? "▲" : " ▲", number);
  return text;
}

Topology topology_of(const scenario::Scenario& scenario, const lab::Plan& plan) {
  Topology out;
  out.scenario = scenario.name();
  out.about = scenario.about();
  out.links = plan.world.topology;
  add_places(scenario, plan, out);
  add_latencies(scenario, plan, out);
  add_faults(scenario, plan, out);
  const scenario::Dynamo& dynamo = scenario.cluster().strategy().dynamo();
  out.summary = concat(count(out.regions.size(), "region", "regions"), ", ",
                       count(plan.places.zones().size(), "zone", "zones"), ", ",
                       count(plan.nodes.size(), "node", "nodes"), ", ",
                       count(plan.clients.size(), "client process", "client processes"), " with ",
                       count(scenario.workload().clients(), "session", "sessions"));
  if (scenario.cluster().strategy().has_dynamo())
    append(out.summary, "; N=", dynamo.n(), " R=", dynamo.r(), " W=", dynamo.w());
  return out;
}

int topology(const TopologyArguments& arguments) {
  const Result<std::unique_ptr<scenario::Scenario>> scenario = lab::load_scenario(arguments.file);
  if (!scenario.ok()) return bad_input(scenario.error().message);
  const Result<lab::Plan> plan = lab::make_plan(**scenario, 1, false);
  if (!plan.ok()) return bad_input(concat(arguments.file, ": ", plan.error().message));
  const Topology found = topology_of(**scenario, *plan);
  if (!arguments.svg.empty()) {
    std::ofstream file(arguments.svg, std::ios::binary | std::ios::trunc);
    file << topology_as_svg(found);
    file.close();
    if (!file) return bad_input(concat(arguments.svg, ": cannot be written"));
  }
  std::fputs(arguments.json ? topology_as_json(found).c_str() : draw_topology(found).c_str(),
             stdout);
  return kHolds;
}

}  // namespace ringside::cli
