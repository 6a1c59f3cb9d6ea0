// FaultSchedule: puts a plan's faults into its world and takes them out again, and brings back what
// went down, as the people would who run the cluster. A machine that several faults hold down comes
// back when the last of them is over. A process that gives up by itself is started again; one that
// gives up again and again on a disk that a fault had damaged gets an empty one, as a machine is
// replaced. After `heal` nothing fails any more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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

  // The plan's faults, and those that the scenario hangs on probes.
  void install(const scenario::Scenario& scenario);
  // Everything is connected and running; faults that are still to come do nothing.
  void heal();

  // What administrators do by hand: a machine that is off runs nothing, whatever ends or heals,
  // until it is switched on.
  void switch_on(NodeId node);
  void switch_off(NodeId node);
  bool is_off(NodeId node) const { return machines_[world_.machine_of(node)].off; }
  // For another version of the program: the process dies and comes back a second later.
  void restart(NodeId node);

  // What was resolved, in the order of the clock as far as it was known beforehand.
  const std::vector<std::string>& lines() const { return lines_; }
  // Whether a fault may have taken what the node held durably: its own disk is no witness then.
  bool damaged(NodeId node) const {
    const State& state = machines_[world_.machine_of(node)];
    return state.damaged || state.misread;
  }

 private:
  // Of one node's machine.
  struct State {
    Time down_until = 0;
    std::optional<sim::DiskImage> next_disk;  // that it comes back with
    bool damaged = false;
    bool misread = false;  // its disk said what is not so
    bool off = false;
    uint32_t troubles = 0;   // on its disk now
    uint32_t throttles = 0;  // and on its cores
    uint32_t clocks = 0;     // and on its clock
    uint32_t gave_up = 0;    // in a row
    uint64_t incarnation = 0;
  };
  using Machines = std::vector<sim::MachineId>;

  void install_on_probe(const scenario::Fault& fault);
  void install(const sim::Fault& fault);
  void install_down(const sim::Fault& fault);
  void install_weather(const sim::Fault& fault);
  void install_trouble(const sim::Fault& fault);
  void install_older_disk(const sim::Fault& fault);
  void install_clock(const sim::Fault& fault);
  // `begin` at its time unless healed, `end` at its end if it began and was not healed meanwhile.
  void between(const sim::Fault& fault, std::function<void()> begin, std::function<void()> end);
  void strike(const sim::Fault& fault, Time until);
  void bring_back(const Machines& machines);
  void start_again(NodeId node);
  void supervise();
  void look_after(NodeId node);
  std::string names(const Machines& machines) const;

  sim::World& world_;
  const Plan& plan_;
  std::function<void(NodeId)> before_restart_;
  std::vector<State> machines_;  // by node's machine
  std::vector<std::string> lines_;
  bool healed_ = false;
};

}  // namespace ringside::lab
