#include "lab/storm.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "lab/check_scenario.h"
#include "lab/text.h"
#include "lab/units.h"
#include "sim/draw.h"

namespace ringside::lab {
namespace {

using google::protobuf::RepeatedPtrField;
using sim::Fault;
using sim::MachineId;

constexpr Duration kStrikeLasts = kSecond;
constexpr uint64_t kVictimsPurpose = 0x76696374696d73;  // "victims"

class Resolver {
 public:
  Resolver(const scenario::Fault& fault, const Plan& plan, uint64_t index)
      : fault_(fault), plan_(plan), index_(index) {
    base_.at = plan.timeline.start + span_of(fault.at());
    if (fault.has_for_()) base_.duration = span_of(fault.for_());
  }

  std::vector<Fault> resolve() {
    using Kind = Fault::Kind;
    if (fault_.has_partition()) return one(partition());
    if (fault_.has_links()) return one(links());
    if (fault_.has_crash()) return one(down(Kind::kCrash, victims(fault_.crash())));
    if (fault_.has_power_loss()) return one(down(Kind::kPowerLoss, victims(fault_.power_loss())));
    if (fault_.has_out_of_memory())
      return one(down(Kind::kOutOfMemory, victims(fault_.out_of_memory())));
    if (fault_.has_disk_loss()) return one(down(Kind::kDiskLoss, victims(fault_.disk_loss())));
    if (fault_.has_blackout()) return one(down(Kind::kBlackout, every_node()));
    if (fault_.has_older_disk()) {
      Fault older = down(Kind::kOlderDisk, victims(fault_.older_disk()));
      older.age = span_of(fault_.older_disk().age());
      return one(std::move(older));
    }
    if (fault_.has_restart_loop()) return restart_loop();
    if (fault_.has_rolling_restart()) return rolling_restart();
    return one(condition());
  }

 private:
  static std::vector<Fault> one(Fault fault) { return {std::move(fault)}; }

  Fault down(Fault::Kind kind, std::vector<MachineId> machines) const {
    Fault fault = base_;
    fault.kind = kind;
    fault.duration = fault_.has_restart_after() ? span_of(fault_.restart_after()) : kStrikeLasts;
    fault.machines = std::move(machines);
    return fault;
  }

  // What lasts and takes nothing down.
  Fault condition() const {
    Fault fault = base_;
    if (fault_.has_pause()) {
      fault.kind = Fault::Kind::kPause;
      fault.machines = victims(fault_.pause());
    } else if (fault_.has_throttle()) {
      fault.kind = Fault::Kind::kThrottle;
      fault.machines = victims(fault_.throttle());
      fault.slower = fault_.throttle().slower();
    } else if (fault_.has_clock()) {
      const scenario::Clock& clock = fault_.clock();
      fault.kind = Fault::Kind::kClock;
      fault.machines = victims(clock);
      if (clock.has_forward()) fault.step = span_of(clock.forward());
      if (clock.has_back()) fault.step = -span_of(clock.back());
      fault.drift_ppm = clock.drift_ppm();
    } else if (fault_.has_rot()) {
      fault.kind = Fault::Kind::kRot;
      fault.machines = victims(fault_.rot());
      fault.files = fault_.rot().files();
      fault.flips = fault_.rot().flips();
    } else {
      fault.kind = Fault::Kind::kDisk;
      fault.machines = victims(fault_.disk());
      fault.disk = trouble(fault_.disk());
    }
    return fault;
  }

  static sim::DiskTrouble trouble(const scenario::Disk& disk) {
    sim::DiskTrouble trouble;
    trouble.read_error = disk.read_error();
    trouble.write_error = disk.write_error();
    trouble.sync_error = disk.sync_error();
    trouble.sync_fails_once = disk.sync_fails_once();
    trouble.sync_lies = disk.sync_lies();
    trouble.name_sync_lies = disk.name_sync_lies();
    trouble.short_read = disk.short_read();
    trouble.misdirected_read = disk.misdirected_read();
    trouble.misdirected_write = disk.misdirected_write();
    trouble.rot_on_read = disk.rot_on_read();
    trouble.full = disk.full();
    trouble.dead = disk.dead();
    if (disk.has_slower()) trouble.slower = disk.slower();
    if (disk.has_gray()) {
      trouble.good_mean = span_of(disk.gray().good());
      trouble.bad_mean = span_of(disk.gray().bad());
      trouble.bad_slower = disk.gray().slower();
    }
    trouble.files = disk.files();
    return trouble;
  }

  // Both kinds name their sides alike. `isolate` is one side, everyone else the other.
  template <class Message>
  void take_sides(const Message& message, sim::LinkWeather& links) const {
    std::vector<bool> near(plan_.world.topology.machines(), false);
    const RepeatedPtrField<std::string>& from =
        message.isolate_size() > 0 ? message.isolate() : message.from();
    for (const std::string& place : from) {
      for (MachineId machine : plan_.machines_in(place)) near[machine] = true;
    }
    std::vector<bool> far(near.size(), false);
    if (message.isolate_size() > 0) {
      // Administrators are outside and reach everyone.
      const std::size_t inside = plan_.nodes.size() + plan_.clients.size();
      for (std::size_t i = 0; i < inside; ++i) far[i] = !near[i];
    }
    for (const std::string& place : message.to()) {
      for (MachineId machine : plan_.machines_in(place)) far[machine] = true;
    }
    for (MachineId machine = 0; machine < near.size(); ++machine) {
      if (near[machine]) links.from.push_back(machine);
      if (far[machine]) links.to.push_back(machine);
    }
    links.both_ways = message.direction() == scenario::BOTH;
    if (message.direction() == scenario::INBOUND) std::swap(links.from, links.to);
  }

  Fault partition() const {
    Fault fault = base_;
    fault.kind = Fault::Kind::kLinks;
    fault.links.kind = fault_.partition().refuse() ? sim::LinkWeather::Kind::kRefuse
                                                   : sim::LinkWeather::Kind::kCut;
    take_sides(fault_.partition(), fault.links);
    return fault;
  }

  Fault links() const {
    using Kind = sim::LinkWeather::Kind;
    const scenario::Links& asked = fault_.links();
    Fault fault = base_;
    fault.kind = Fault::Kind::kLinks;
    sim::LinkWeather& links = fault.links;
    take_sides(asked, links);
    if (asked.clog()) links.kind = Kind::kClog;
    if (asked.half_open()) links.kind = Kind::kHalfOpen;
    if (asked.lookup_fails()) links.kind = Kind::kLookupFails;
    if (asked.has_slower() || asked.has_longer()) {
      links.kind = Kind::kSlow;
      if (asked.has_slower()) links.slower = asked.slower();
      if (asked.has_longer()) links.extra = sim::Distribution::constant(span_of(asked.longer()));
    }
    if (asked.has_loss() || asked.has_duplication() || asked.has_corruption()) {
      links.kind = Kind::kLossy;
      links.loss = asked.loss();
      links.duplication = asked.duplication();
      links.corruption = asked.corruption();
    }
    if (asked.has_bytes_per_second()) {
      links.kind = Kind::kNarrow;
      links.bandwidth_bytes_per_second = asked.bytes_per_second();
    }
    if (asked.has_flap()) {
      links.kind = Kind::kFlap;
      links.up_mean = span_of(asked.flap().up());
      links.down_mean = span_of(asked.flap().down());
    }
    if (asked.has_reset_every()) {
      links.kind = Kind::kResetStorm;
      links.reset_mean = span_of(asked.reset_every());
    }
    return fault;
  }

  std::vector<Fault> restart_loop() const {
    std::vector<Fault> crashes;
    const std::vector<MachineId> machines = victims(fault_.restart_loop());
    for (uint32_t i = 0; i < fault_.restart_loop().times(); ++i) {
      Fault crash = down(Fault::Kind::kCrash, machines);
      crash.at += static_cast<Duration>(i) * span_of(fault_.restart_loop().every());
      crashes.push_back(std::move(crash));
    }
    return crashes;
  }

  std::vector<Fault> rolling_restart() const {
    std::vector<MachineId> machines;
    for (const std::string& place : fault_.rolling_restart().place()) {
      for (MachineId machine : plan_.places.machines_in(place)) machines.push_back(machine);
    }
    if (machines.empty()) machines = every_node();
    std::vector<Fault> crashes;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      Fault crash = down(Fault::Kind::kCrash, {machines[i]});
      crash.at += static_cast<Duration>(i) * span_of(fault_.rolling_restart().every());
      crashes.push_back(std::move(crash));
    }
    return crashes;
  }

  std::vector<MachineId> every_node() const {
    std::vector<MachineId> machines;
    for (const NodePlan& node : plan_.nodes) machines.push_back(node.machine);
    return machines;
  }

  // The machines of the places, or as many as asked for, drawn by the seed.
  template <class Message>
  std::vector<MachineId> victims(const Message& message) const {
    std::vector<MachineId> found;
    for (const std::string& place : message.place()) {
      for (MachineId machine : plan_.places.machines_in(place)) {
        if (std::find(found.begin(), found.end(), machine) == found.end()) found.push_back(machine);
      }
    }
    if (message.place().empty()) {
      std::vector<MachineId> pool = every_node();
      sim::Draw draw = sim::Draw::of(plan_.world.seed, kVictimsPurpose, index_);
      while (!pool.empty() && found.size() < message.machines()) {
        const uint64_t chosen = draw.below(pool.size());
        found.push_back(pool[chosen]);
        pool.erase(pool.begin() + static_cast<std::ptrdiff_t>(chosen));
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  const scenario::Fault& fault_;
  const Plan& plan_;
  const uint64_t index_;
  Fault base_;
};

}  // namespace

std::vector<Fault> resolve_faults(const scenario::Scenario& scenario, const Plan& plan) {
  std::vector<Fault> faults;
  for (int i = 0; i < scenario.fault_size(); ++i) {
    if (scenario.fault(i).has_on_probe()) continue;
    for (Fault& fault : Resolver(scenario.fault(i), plan, static_cast<uint64_t>(i)).resolve()) {
      if (fault.at < plan.timeline.end) faults.push_back(std::move(fault));
    }
  }
  sort_by_time(faults);
  return faults;
}

void sort_by_time(std::vector<Fault>& faults) {
  std::vector<std::pair<Time, std::size_t>> order;
  for (std::size_t i = 0; i < faults.size(); ++i) order.emplace_back(faults[i].at, i);
  std::sort(order.begin(), order.end());
  std::vector<Fault> sorted;
  for (const auto& [at, index] : order) sorted.push_back(std::move(faults[index]));
  faults = std::move(sorted);
}

std::string storm_text(const scenario::Scenario& scenario, const Plan& plan) {
  scenario::Scenario storm;
  for (const Fault& fault : plan.faults) *storm.add_fault() = to_scenario(fault, plan);
  for (const scenario::Fault& fault : scenario.fault()) {
    if (fault.has_on_probe()) *storm.add_fault() = fault;
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  for (const scenario::Fault& fault : storm.fault()) {
    std::string line;
    CHECK(printer.PrintToString(fault, &line));
    append(text, "fault { ", line, "}\n");
  }
  return text;
}

}  // namespace ringside::lab
