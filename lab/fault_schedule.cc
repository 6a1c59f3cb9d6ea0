#include "lab/fault_schedule.h"

#include <algorithm>
#include <memory>

#include "lab/text.h"
#include "lab/units.h"
#include "sim/draw.h"

namespace ringside::lab {
namespace {

constexpr Duration kRestartAfter = kSecond;
constexpr uint64_t kVictimsPurpose = 0x76696374696d73;  // "victims"

Duration restart_after(const scenario::Fault& fault) {
  return fault.has_restart_after() ? span_of(fault.restart_after()) : kRestartAfter;
}

sim::LinkWeather::Kind partition_kind(bool refuse) {
  return refuse ? sim::LinkWeather::Kind::kRefuse : sim::LinkWeather::Kind::kCut;
}

}  // namespace

FaultSchedule::FaultSchedule(sim::World& world, const Plan& plan,
                             std::function<void(NodeId)> before_restart)
    : world_(world),
      plan_(plan),
      before_restart_(std::move(before_restart)),
      disk_lost_(plan.nodes.size(), false),
      down_until_(plan.nodes.size(), 0) {}

void FaultSchedule::install(const scenario::Scenario& scenario) {
  for (int i = 0; i < scenario.fault_size(); ++i) {
    const scenario::Fault& fault = scenario.fault(i);
    if (fault.has_on_probe()) {
      install_on_probe(fault);
    } else if (plan_.timeline.start + span_of(fault.at()) < plan_.timeline.end) {
      install_fault(fault, static_cast<uint64_t>(i));
    }
  }
  for (const sim::Fault& fault : plan_.swarm) install_drawn(fault);
}

void FaultSchedule::install_fault(const scenario::Fault& fault, uint64_t index) {
  const Time at = plan_.timeline.start + span_of(fault.at());
  if (fault.has_partition()) {
    sim::LinkWeather cut;
    std::vector<bool> isolated(plan_.nodes.size() + plan_.clients.size(), false);
    for (const std::string& place : fault.partition().isolate()) {
      for (sim::MachineId machine : plan_.machines_in(place)) isolated[machine] = true;
    }
    for (sim::MachineId machine = 0; machine < isolated.size(); ++machine) {
      (isolated[machine] ? cut.from : cut.to).push_back(machine);
    }
    cut.both_ways = fault.partition().direction() == scenario::Partition::BOTH;
    cut.kind = partition_kind(fault.partition().refuse());
    lines_.push_back(concat("at ", fault.at(), " for ", fault.for_(), ": partition isolates ",
                            join(fault.partition().isolate(), ", ")));
    if (fault.partition().direction() == scenario::Partition::INBOUND) std::swap(cut.from, cut.to);
    weather_at(at, span_of(fault.for_()), std::move(cut));
    return;
  }
  std::vector<sim::MachineId> machines;
  if (fault.has_blackout()) {
    for (const NodePlan& node : plan_.nodes) machines.push_back(node.machine);
  } else {
    machines = victims(fault.has_crash()        ? fault.crash()
                       : fault.has_power_loss() ? fault.power_loss()
                                                : fault.disk_loss(),
                       index);
  }
  const char* what = fault.has_blackout()     ? "blackout"
                     : fault.has_crash()      ? "crash"
                     : fault.has_power_loss() ? "power loss"
                                              : "disk loss";
  if (fault.has_disk_loss()) {
    world_.at(at, concat("disk loss of ", names(machines)), [this, machines] {
      for (sim::MachineId machine : machines) disk_lost_[machine] = !healed_;
    });
  }
  lines_.push_back(concat("at ", fault.at(), ": ", what, " of ", names(machines),
                          ", restart after ", format_span(restart_after(fault))));
  take_down_at(at, restart_after(fault), std::move(machines), !fault.has_crash());
}

void FaultSchedule::install_on_probe(const scenario::Fault& fault) {
  const bool power = !fault.has_crash();
  const bool all = fault.has_blackout();
  const Duration down = restart_after(fault);
  const std::string probe = fault.on_probe();
  lines_.push_back(concat("on probe ", probe, ": ",
                          all     ? "blackout"
                          : power ? "power loss"
                                  : "crash",
                          " of the node that reaches it, restart after ", format_span(down)));
  world_.on_probe(probe, kNoNode, [this, power, all, down, probe](NodeId reached) {
    std::vector<sim::MachineId> machines = {world_.machine_of(reached)};
    if (all && !healed_) {
      machines.clear();
      for (const NodePlan& node : plan_.nodes) machines.push_back(node.machine);
    }
    lines_.push_back(
        concat("probe ", probe, " reached by node ", reached, " at ", format_span(world_.now())));
    // The process is gone already, whenever the probe was reached; after the healing it is back at
    // once.
    const Time back = healed_ ? world_.now() + kMillisecond : world_.now() + down;
    take_down(machines, power, back);
    world_.at(back, "restart after a probe's fault", [this, machines] { bring_back(machines); });
  });
}

void FaultSchedule::install_drawn(const sim::Fault& fault) {
  lines_.push_back(sim::describe(fault, plan_.world.topology));
  if (fault.kind == sim::Fault::Kind::kPartition) {
    weather_at(fault.at, fault.duration,
               {.kind = partition_kind(fault.refuse),
                .from = fault.machines,
                .to = fault.others,
                .both_ways = fault.both_ways});
    return;
  }
  std::vector<sim::MachineId> machines = fault.machines;
  if (fault.kind == sim::Fault::Kind::kBlackout && machines.empty()) {
    for (const NodePlan& node : plan_.nodes) machines.push_back(node.machine);
  }
  take_down_at(fault.at, fault.duration, std::move(machines),
               fault.kind != sim::Fault::Kind::kCrash);
}

void FaultSchedule::take_down_at(Time at, Duration down, std::vector<sim::MachineId> machines,
                                 bool power) {
  auto shared = std::make_shared<const std::vector<sim::MachineId>>(std::move(machines));
  world_.at(at, concat(power ? "power loss of " : "crash of ", names(*shared)),
            [this, shared, power, until = at + down] {
              if (!healed_) take_down(*shared, power, until);
            });
  world_.at(at + down, concat("restart of ", names(*shared)),
            [this, shared] { bring_back(*shared); });
}

void FaultSchedule::take_down(const std::vector<sim::MachineId>& machines, bool power, Time until) {
  for (sim::MachineId machine : machines) {
    down_until_[machine] = std::max(down_until_[machine], until);
    if (power) {
      world_.power_loss(machine);
    } else if (world_.running(plan_.nodes[machine].id)) {
      world_.crash(plan_.nodes[machine].id);
    }
  }
}

void FaultSchedule::bring_back(const std::vector<sim::MachineId>& machines) {
  for (sim::MachineId machine : machines) {
    if (world_.now() >= down_until_[machine]) start_again(plan_.nodes[machine].id);
  }
}

void FaultSchedule::start_again(NodeId node) {
  if (world_.running(node)) return;
  const sim::MachineId machine = world_.machine_of(node);
  if (disk_lost_[machine]) world_.set_image(node, sim::DiskImage());
  disk_lost_[machine] = false;
  before_restart_(node);
  world_.restart(node);
}

void FaultSchedule::weather_at(Time at, Duration length, sim::LinkWeather weather) {
  auto id = std::make_shared<sim::World::WeatherId>(0);
  auto made = std::make_shared<bool>(false);
  const std::string who = names(weather.from);
  world_.at(at, concat("partition from ", who), [this, id, made, weather = std::move(weather)] {
    if (healed_) return;
    *id = world_.begin_weather(weather);
    *made = true;
  });
  world_.at(at + length, concat("heal ", who), [this, id, made] {
    if (*made && !healed_) world_.end_weather(*id);
  });
}

void FaultSchedule::heal() {
  healed_ = true;
  world_.clear_weather();
  for (const NodePlan& node : plan_.nodes) start_again(node.id);
}

std::vector<sim::MachineId> FaultSchedule::victims(const scenario::Victims& victims,
                                                   uint64_t index) const {
  std::vector<sim::MachineId> found;
  for (const std::string& place : victims.place()) {
    for (sim::MachineId machine : plan_.places.machines_in(place)) {
      if (std::find(found.begin(), found.end(), machine) == found.end()) found.push_back(machine);
    }
  }
  if (victims.place().empty()) {
    std::vector<sim::MachineId> pool;
    for (const NodePlan& node : plan_.nodes) pool.push_back(node.machine);
    sim::Draw draw = sim::Draw::of(plan_.world.seed, kVictimsPurpose, index);
    while (!pool.empty() && found.size() < victims.machines()) {
      const uint64_t chosen = draw.below(pool.size());
      found.push_back(pool[chosen]);
      pool.erase(pool.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string FaultSchedule::names(const std::vector<sim::MachineId>& machines) const {
  if (machines.size() == plan_.nodes.size() && machines.size() > 4) return "every node";
  std::vector<std::string> names;
  for (sim::MachineId machine : machines)
    names.push_back(plan_.world.topology.machine_name(machine));
  return join(names, ", ");
}

}  // namespace ringside::lab
