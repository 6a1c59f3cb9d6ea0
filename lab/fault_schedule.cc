#include "lab/fault_schedule.h"

#include <algorithm>
#include <utility>

#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using sim::Fault;
using sim::MachineId;

constexpr Duration kRestartAfter = kSecond;  // of a probe's fault, when none is said
constexpr Duration kSupervisorEvery = 500 * kMillisecond;
constexpr uint32_t kGaveUpMax = 3;  // then a damaged machine is replaced

Fault::Kind kind_on_probe(const scenario::Fault& fault) {
  if (fault.has_crash()) return Fault::Kind::kCrash;
  if (fault.has_out_of_memory()) return Fault::Kind::kOutOfMemory;
  return fault.has_blackout() ? Fault::Kind::kBlackout : Fault::Kind::kPowerLoss;
}

// Whether a node may call good tables bad, and give up what they hold to pull it anew.
bool reads_lie(const sim::DiskTrouble& disk) {
  return disk.rot_on_read > 0 || disk.misdirected_read > 0;
}

// Whether a node may give up by itself over it.
bool strikes_disk(const Fault& fault) {
  return fault.kind == Fault::Kind::kDisk || fault.damages();
}

}  // namespace

FaultSchedule::FaultSchedule(sim::World& world, const Plan& plan,
                             std::function<void(NodeId)> before_restart)
    : world_(world),
      plan_(plan),
      before_restart_(std::move(before_restart)),
      machines_(plan.nodes.size()) {
  for (const NodePlan& node : plan.nodes) machines_[node.machine].off = node.spare;
}

void FaultSchedule::install(const scenario::Scenario& scenario) {
  for (const scenario::Fault& fault : scenario.fault()) {
    if (fault.has_on_probe()) install_on_probe(fault);
  }
  for (const Fault& fault : plan_.faults) {
    Fault told = fault;
    told.at -= plan_.timeline.start;  // as scenarios count
    lines_.push_back(sim::describe(told, plan_.world.topology));
    install(fault);
  }
  if (std::any_of(plan_.faults.begin(), plan_.faults.end(), strikes_disk)) supervise();
}

void FaultSchedule::install_on_probe(const scenario::Fault& asked) {
  const Fault::Kind kind = kind_on_probe(asked);
  const Duration down = asked.has_restart_after() ? span_of(asked.restart_after()) : kRestartAfter;
  const std::string probe = asked.on_probe();
  lines_.push_back(concat("on probe ", probe, ": ", sim::fault_kind_name(kind),
                          kind == Fault::Kind::kBlackout ? "" : " of the node that reaches it",
                          ", restart after ", format_span(down)));
  world_.on_probe(probe, kNoNode, [this, kind, down, probe](NodeId reached) {
    Fault fault{.kind = kind, .machines = {world_.machine_of(reached)}};
    if (kind == Fault::Kind::kBlackout && !healed_) {
      fault.machines.clear();
      for (const NodePlan& node : plan_.nodes) fault.machines.push_back(node.machine);
    }
    lines_.push_back(
        concat("probe ", probe, " reached by node ", reached, " at ", format_span(world_.now())));
    // The process is gone already, whenever the probe was reached; after the healing it is back at
    // once.
    const Time back = world_.now() + (healed_ ? kMillisecond : down);
    strike(fault, back);
    world_.at(back, "restart after a probe's fault",
              [this, machines = fault.machines] { bring_back(machines); });
  });
}

void FaultSchedule::install(const Fault& fault) {
  using Kind = Fault::Kind;
  switch (fault.kind) {
    case Kind::kCrash:
    case Kind::kPowerLoss:
    case Kind::kBlackout:
    case Kind::kOutOfMemory:
    case Kind::kDiskLoss: return install_down(fault);
    case Kind::kOlderDisk: return install_older_disk(fault);
    case Kind::kLinks: return install_weather(fault);
    case Kind::kDisk: return install_trouble(fault);
    case Kind::kClock: return install_clock(fault);
    case Kind::kPause:
      return between(
          fault,
          [this, &fault] {
            for (const MachineId machine : fault.machines) world_.pause(machine, fault.end());
          },
          [] {});
    case Kind::kThrottle:
      return between(
          fault,
          [this, &fault] {
            for (const MachineId machine : fault.machines) {
              ++machines_[machine].throttles;
              world_.throttle(machine, fault.slower);
            }
          },
          [this, &fault] {
            for (const MachineId machine : fault.machines)
              if (--machines_[machine].throttles == 0) world_.throttle(machine, 1);
          });
    case Kind::kRot:
      return between(
          fault,
          [this, &fault] {
            for (const MachineId machine : fault.machines) {
              machines_[machine].damaged = true;
              world_.rot(machine, fault.files, fault.flips);
            }
          },
          [] {});
  }
}

void FaultSchedule::between(const Fault& fault, std::function<void()> begin,
                            std::function<void()> end) {
  const std::string what = concat(sim::fault_kind_name(fault.kind), " of ", names(fault.machines));
  auto begun = std::make_shared<bool>(false);
  world_.at(fault.at, what, [this, begun, begin = std::move(begin)] {
    if (healed_) return;
    *begun = true;
    begin();
  });
  if (fault.momentary()) return;
  world_.at(fault.end(), concat("end of ", what), [this, begun, end = std::move(end)] {
    if (*begun && !healed_) end();
  });
}

// The plan outlives the world, so that what is to come may refer to its faults.
void FaultSchedule::install_down(const Fault& fault) {
  const std::string what = concat(sim::fault_kind_name(fault.kind), " of ", names(fault.machines));
  world_.at(fault.at, what, [this, &fault] {
    if (!healed_) strike(fault, fault.end());
  });
  world_.at(fault.end(), concat("restart of ", names(fault.machines)),
            [this, &fault] { bring_back(fault.machines); });
}

void FaultSchedule::install_older_disk(const Fault& fault) {
  auto kept = std::make_shared<std::vector<sim::DiskImage>>();
  world_.at(std::max<Time>(fault.at - fault.age, 0), concat("look at ", names(fault.machines)),
            [this, &fault, kept] {
              for (const MachineId machine : fault.machines)
                kept->push_back(world_.image(plan_.nodes[machine].id));
            });
  world_.at(fault.at, concat("older disk of ", names(fault.machines)), [this, &fault, kept] {
    if (healed_) return;
    strike(fault, fault.end());
    for (std::size_t i = 0; i < fault.machines.size(); ++i)
      machines_[fault.machines[i]].next_disk = (*kept)[i];
  });
  world_.at(fault.end(), concat("restart of ", names(fault.machines)),
            [this, &fault] { bring_back(fault.machines); });
}

void FaultSchedule::install_weather(const Fault& fault) {
  auto id = std::make_shared<sim::World::WeatherId>(0);
  const std::string who = names(fault.links.from);
  auto begun = std::make_shared<bool>(false);
  world_.at(fault.at, concat("weather of ", who), [this, id, begun, &fault] {
    if (healed_) return;
    *id = world_.begin_weather(fault.links);
    *begun = true;
  });
  world_.at(fault.end(), concat("heal ", who), [this, id, begun] {
    if (*begun && !healed_) world_.end_weather(*id);
  });
}

void FaultSchedule::install_trouble(const Fault& fault) {
  auto ids = std::make_shared<std::vector<sim::World::TroubleId>>();
  between(
      fault,
      [this, ids, &fault] {
        for (const MachineId machine : fault.machines) {
          State& state = machines_[machine];
          state.damaged = state.damaged || fault.damages();
          state.misread = state.misread || reads_lie(fault.disk);
          ++state.troubles;
          ids->push_back(world_.begin_trouble(machine, fault.disk));
        }
      },
      [this, ids, &fault] {
        for (const sim::World::TroubleId id : *ids) world_.end_trouble(id);
        for (const MachineId machine : fault.machines) --machines_[machine].troubles;
      });
}

void FaultSchedule::install_clock(const Fault& fault) {
  between(
      fault,
      [this, &fault] {
        for (const MachineId machine : fault.machines) {
          ++machines_[machine].clocks;
          if (fault.step != 0) world_.step_wall_clock(machine, fault.step);
          if (fault.drift_ppm != 0) world_.set_drift(machine, fault.drift_ppm);
        }
      },
      [this, &fault] {
        for (const MachineId machine : fault.machines)
          if (--machines_[machine].clocks == 0) world_.reset_clock(machine);
      });
}

void FaultSchedule::strike(const Fault& fault, Time until) {
  for (const MachineId machine : fault.machines) {
    State& state = machines_[machine];
    state.down_until = std::max(state.down_until, until);
    state.damaged = state.damaged || fault.damages();
    const NodeId node = plan_.nodes[machine].id;
    switch (fault.kind) {
      case Fault::Kind::kCrash:
        if (world_.running(node)) world_.crash(node);
        break;
      case Fault::Kind::kOutOfMemory:
        if (world_.running(node)) world_.out_of_memory(node);
        break;
      default: world_.power_loss(machine); break;
    }
    if (fault.kind == Fault::Kind::kDiskLoss) state.next_disk = sim::DiskImage();
  }
}

void FaultSchedule::bring_back(const Machines& machines) {
  for (const MachineId machine : machines) {
    if (world_.now() >= machines_[machine].down_until) start_again(plan_.nodes[machine].id);
  }
}

void FaultSchedule::switch_on(NodeId node) {
  machines_[world_.machine_of(node)].off = false;
  start_again(node);
}

void FaultSchedule::switch_off(NodeId node) {
  machines_[world_.machine_of(node)].off = true;
  if (world_.running(node)) world_.crash(node);
}

void FaultSchedule::restart(NodeId node) {
  if (world_.running(node)) world_.crash(node);
  world_.at(world_.now() + kRestartAfter, concat("restart of node ", node), [this, node] {
    if (world_.now() >= machines_[world_.machine_of(node)].down_until) start_again(node);
  });
}

void FaultSchedule::start_again(NodeId node) {
  if (world_.running(node) || is_off(node)) return;
  State& state = machines_[world_.machine_of(node)];
  if (state.next_disk) world_.set_image(node, *std::exchange(state.next_disk, std::nullopt));
  before_restart_(node);
  world_.restart(node);
}

void FaultSchedule::supervise() {
  world_.at(world_.now() + kSupervisorEvery, "the supervisor looks", [this] {
    for (const NodePlan& node : plan_.nodes) look_after(node.id);
    supervise();
  });
}

void FaultSchedule::look_after(NodeId node) {
  State& state = machines_[world_.machine_of(node)];
  const uint64_t incarnation = world_.incarnation(node);
  if (world_.running(node)) {
    if (incarnation == std::exchange(state.incarnation, incarnation)) state.gave_up = 0;
    return;
  }
  if (state.off || (world_.now() < state.down_until && !healed_)) return;
  ++state.gave_up;
  if (state.gave_up >= kGaveUpMax && state.damaged && (state.troubles == 0 || healed_)) {
    lines_.push_back(concat("node ", node, " gave up ", state.gave_up,
                            " times on a damaged disk: replaced by an empty machine at ",
                            format_span(world_.now())));
    state.next_disk = sim::DiskImage();
    state.gave_up = 0;
  }
  start_again(node);
}

void FaultSchedule::heal() {
  healed_ = true;
  world_.clear_weather();
  world_.clear_troubles();
  for (const NodePlan& node : plan_.nodes) {
    State& state = machines_[node.machine];
    world_.resume(node.machine);
    if (state.throttles > 0) world_.throttle(node.machine, 1);
    if (state.clocks > 0) world_.reset_clock(node.machine);
    start_again(node.id);
  }
}

std::string FaultSchedule::names(const Machines& machines) const {
  return sim::describe_machines(machines, plan_.world.topology);
}

}  // namespace ringside::lab
