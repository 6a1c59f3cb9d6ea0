#include "sim/fault.h"

#include <algorithm>

#include "sim/distribution.h"

namespace ringside::sim {
namespace {

std::string span(Duration duration) { return describe_duration(static_cast<double>(duration)); }

std::string number(double value) {
  std::string text = std::to_string(value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

void add(std::string& text, const std::string& more) { text += (text.empty() ? "" : ", ") + more; }

bool has_all(const std::vector<MachineId>& machines, const std::vector<MachineId>& part) {
  return std::includes(machines.begin(), machines.end(), part.begin(), part.end());
}

std::string describe_sides(const LinkWeather& links, const Topology& topology) {
  const bool both = links.both_ways;
  std::string to = describe_machines(links.to, topology);
  if (links.from.size() + links.to.size() == topology.machines() && links.from.size() > 0)
    to = "the rest";
  return "{" + describe_machines(links.from, topology) + (both ? "} | {" : "} -> {") + to + "}";
}

}  // namespace

bool Fault::takes_down() const {
  switch (kind) {
    case Kind::kCrash:
    case Kind::kPowerLoss:
    case Kind::kBlackout:
    case Kind::kOutOfMemory:
    case Kind::kDiskLoss:
    case Kind::kOlderDisk: return true;
    case Kind::kLinks:
    case Kind::kPause:
    case Kind::kThrottle:
    case Kind::kClock:
    case Kind::kDisk:
    case Kind::kRot: return false;
  }
  return false;
}

bool Fault::damages() const {
  if (kind == Kind::kDiskLoss || kind == Kind::kOlderDisk || kind == Kind::kRot) return true;
  return kind == Kind::kDisk &&
         (disk.sync_lies > 0 || disk.name_sync_lies > 0 || disk.misdirected_write > 0 || disk.dead);
}

const char* fault_kind_name(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::kCrash: return "crash";
    case Fault::Kind::kPowerLoss: return "power loss";
    case Fault::Kind::kBlackout: return "blackout";
    case Fault::Kind::kLinks: return "links";
    case Fault::Kind::kOutOfMemory: return "out of memory";
    case Fault::Kind::kPause: return "pause";
    case Fault::Kind::kThrottle: return "throttled CPU";
    case Fault::Kind::kClock: return "clock";
    case Fault::Kind::kDiskLoss: return "disk loss";
    case Fault::Kind::kOlderDisk: return "older disk";
    case Fault::Kind::kDisk: return "disk";
    case Fault::Kind::kRot: return "rot";
  }
  return "?";
}

std::string describe_machines(const std::vector<MachineId>& machines, const Topology& topology) {
  if (machines.size() == topology.machines() && machines.size() > 1) return "every machine";
  std::vector<MachineId> left = machines;
  std::string text;
  for (const PlaceKind kind : {PlaceKind::kRegion, PlaceKind::kZone, PlaceKind::kRack}) {
    for (const PlaceId place : topology.places(kind)) {
      const std::vector<MachineId> inside = topology.machines_in(place);
      if (inside.size() < 2 || !has_all(left, inside)) continue;
      add(text, topology.name(place));
      std::erase_if(left, [&inside](MachineId machine) {
        return std::binary_search(inside.begin(), inside.end(), machine);
      });
    }
  }
  for (const MachineId machine : left) add(text, topology.machine_name(machine));
  return text;
}

std::string describe(const Fault& fault, const Topology& topology) {
  using Kind = Fault::Kind;
  const std::string length = span(fault.duration);
  const std::string who = describe_machines(fault.machines, topology);
  std::string text = span(fault.at) + " ";
  switch (fault.kind) {
    case Kind::kCrash:
    case Kind::kPowerLoss:
    case Kind::kOutOfMemory:
    case Kind::kDiskLoss:
      return text + fault_kind_name(fault.kind) + " of " + who + ", restart after " + length;
    case Kind::kBlackout:
      return text + "blackout of all " + std::to_string(fault.machines.size()) +
             " machines, power back after " + length;
    case Kind::kOlderDisk:
      return text + "power loss of " + who + ", restart after " + length + " with the disk of " +
             span(fault.age) + " before";
    case Kind::kLinks:
      return text + describe_effect(fault.links) + " " + describe_sides(fault.links, topology) +
             ", over after " + length;
    case Kind::kPause: return text + "pause of " + who + " for " + length;
    case Kind::kThrottle:
      return text + "CPU of " + who + " " + number(fault.slower) + " times slower for " + length;
    case Kind::kClock: {
      std::string what;
      if (fault.step != 0)
        add(what, std::string("steps ") + (fault.step > 0 ? "forward " : "back ") +
                      span(fault.step > 0 ? fault.step : -fault.step));
      if (fault.drift_ppm != 0) add(what, "drifts " + number(fault.drift_ppm) + " ppm");
      return text + "clock of " + who + " " + what + ", right after " + length;
    }
    case Kind::kDisk:
      return text + "disk of " + who + ": " + describe(fault.disk) + ", for " + length;
    case Kind::kRot:
      return text + "rot of " + std::to_string(fault.flips) + " bits on the disk of " + who +
             (fault.files.empty() ? "" : " in files like \"" + fault.files + "\"");
  }
  return text;
}

}  // namespace ringside::sim
