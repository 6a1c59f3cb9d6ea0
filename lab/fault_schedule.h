// FaultSchedule: puts a plan's faults into its world and takes them out again. Faults come from
// three sources (written, drawn by the swarm, hung on a probe) and become the same few actions;
// each is told in one line as it is resolved. A machine that several faults hold down comes back
// when the last of them is over. After `heal` nothing fails any more.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "sim/world.h"

namespace ringside::lab {

class FaultSchedule {
 public:
  // `before_restart` is called with every node that is about to start again, while its disk is
  // still as the fault left it. Plan and world must outlive this.
  FaultSchedule(sim::World& world, const Plan& plan, std::function<void(NodeId)> before_restart);
  FaultSchedule(const FaultSchedule&) = delete;
  FaultSchedule& operator=(const FaultSchedule&) = delete;

  void install(const scenario::Scenario& scenario);
  // Everything is connected and running; faults that are still to come do nothing.
  void heal();
  bool healed() const { return healed_; }

  // What was resolved, in the order of the clock as far as it was known beforehand.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void install_fault(const scenario::Fault& fault, uint64_t index);
  void install_on_probe(const scenario::Fault& fault);
  void install_drawn(const sim::Fault& fault);
  void take_down_at(Time at, Duration down, std::vector<sim::MachineId> machines, bool power);
  void take_down(const std::vector<sim::MachineId>& machines, bool power, Time until);
  void bring_back(const std::vector<sim::MachineId>& machines);
  void start_again(NodeId node);
  void weather_at(Time at, Duration length, sim::LinkWeather weather);
  std::vector<sim::MachineId> victims(const scenario::Victims& victims, uint64_t index) const;
  std::string names(const std::vector<sim::MachineId>& machines) const;

  sim::World& world_;
  const Plan& plan_;
  std::function<void(NodeId)> before_restart_;
  std::vector<bool> disk_lost_;   // by node's machine: comes back with an empty one
  std::vector<Time> down_until_;  // by node's machine
  std::vector<std::string> lines_;
  bool healed_ = false;
};

}  // namespace ringside::lab
