#include "cli/watch_model.h"

#include <algorithm>

#include "lab/fault_text.h"
#include "lab/text.h"
#include "sim/swarm.h"

namespace ringside::cli {
namespace {

// What a machine that runs is, while a fault of such a kind touches it; others are called by the
// kind itself.
std::string struck_word(const std::string& kind) {
  if (kind == "cut" || kind == "refusing cut") return "cut off";
  if (kind == "pause") return "paused";
  return kind;
}

// Of links, those on the smaller side.
const std::vector<sim::MachineId>& struck(const sim::Fault& fault) {
  if (fault.kind != sim::Fault::Kind::kLinks) return fault.machines;
  return fault.links.from.size() <= fault.links.to.size() ? fault.links.from : fault.links.to;
}

}  // namespace

WatchModel::WatchModel(const scenario::Scenario& scenario, const lab::Plan& plan, uint64_t seed)
    : scenario_(scenario.name()), seed_(seed), timeline_(plan.timeline) {
  for (const lab::Places::Zone& zone : plan.places.zones()) zones_.push_back({zone.name, {}, 0});
  for (const lab::NodePlan& node : plan.nodes) {
    const lab::Places::Machine& machine = plan.places.machines()[machines_.size()];
    zones_[machine.zone].machines.push_back(machines_.size());
    machines_.push_back({machine.name, node.id, MachineState::kDown, "down"});
  }
  for (const lab::ClientPlan& client : plan.clients) ++zones_[client.zone].clients;
  add_faults(scenario, plan);
}

void WatchModel::add_faults(const scenario::Scenario& scenario, const lab::Plan& plan) {
  const Time end = plan.timeline.end;
  for (const scenario::Fault& written : scenario.fault()) {
    if (!written.has_on_probe()) continue;
    const lab::FaultText text = lab::describe_fault(written);
    Fault fault{.kind = text.kind,
                .text = lab::concat(text.what, " on probe ", text.probe),
                .probe = text.probe,
                .until = text.length,  // from when the probe is reached
                .machines = std::vector<bool>(machines_.size(), text.everywhere)};
    faults_.push_back(std::move(fault));
  }
  for (const sim::Fault& resolved : plan.faults) {
    const bool links = resolved.kind == sim::Fault::Kind::kLinks;
    sim::Fault told = resolved;
    told.at -= plan.timeline.start;
    Fault fault{.kind = links ? sim::weather_kind_name(resolved.links.kind)
                              : sim::fault_kind_name(resolved.kind),
                .text = sim::describe(told, plan.world.topology),
                .from = resolved.at,
                .until = std::min(end, std::max(resolved.end(), resolved.at + kSecond)),
                .machines = std::vector<bool>(machines_.size())};
    for (const sim::MachineId machine : struck(resolved)) {
      if (machine < machines_.size()) fault.machines[machine] = true;
    }
    faults_.push_back(std::move(fault));
  }
}

void WatchModel::take(const record::Snapshot& snapshot) {
  count_operations(snapshot);
  latest_ = snapshot;
  for (const record::Snapshot::Probe& probe : snapshot.reached()) {
    probes_[probe.name()] = probe.times();
    for (Fault& fault : faults_) {
      if (fault.probe != probe.name()) continue;
      fault.probe.clear();
      fault.from = probe.first();
      fault.until += probe.first();
    }
  }
  for (const record::Snapshot::Event& event : snapshot.event())
    events_.push_back({event.at(), event.text()});
  while (events_.size() > kEvents) events_.pop_front();
  name_states();
}

// What ended since the snapshot before this one ended within a moment after it, or there would have
// been one in between.
void WatchModel::count_operations(const record::Snapshot& snapshot) {
  Second& second = seconds_[latest_.now() / kSecond];
  second.ok +=
      snapshot.writes_ok() + snapshot.reads_ok() - latest_.writes_ok() - latest_.reads_ok();
  second.failed += snapshot.failed() - latest_.failed();
  second.unknown += snapshot.unknown() - latest_.unknown();
  const int64_t oldest = snapshot.now() / kSecond - 1 - static_cast<int64_t>(kSeconds);
  seconds_.erase(seconds_.begin(), seconds_.lower_bound(oldest));
}

void WatchModel::name_states() {
  const std::vector<const Fault*> struck_by = active();
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    Machine& machine = machines_[i];
    const char told = i < latest_.nodes().size() ? latest_.nodes()[i] : 'd';
    machine.state = told == 'u'   ? MachineState::kUp
                    : told == 'r' ? MachineState::kRestarting
                                  : MachineState::kDown;
    machine.word = told == 'u' ? "up" : told == 'r' ? "restarting" : "down";
    if (machine.state != MachineState::kUp) continue;
    for (const Fault* fault : struck_by) {
      if (!fault->machines[i]) continue;
      machine.state = MachineState::kStruck;
      machine.word = struck_word(fault->kind);
    }
  }
}

const char* WatchModel::phase() const {
  if (latest_.last()) return "at rest";
  if (now() < timeline_.start) return "starting";
  if (now() < timeline_.end) return faults_.empty() ? "workload" : "workload under faults";
  return now() < timeline_.final_start ? "healed, settling" : "final reads and rest";
}

std::size_t WatchModel::count(MachineState state) const {
  return static_cast<std::size_t>(
      std::count_if(machines_.begin(), machines_.end(),
                    [state](const Machine& machine) { return machine.state == state; }));
}

std::vector<const WatchModel::Fault*> WatchModel::active() const {
  std::vector<const Fault*> found;
  for (const Fault& fault : faults_) {
    if (fault.probe.empty() && fault.from <= now() && now() < fault.until) found.push_back(&fault);
  }
  return found;
}

const WatchModel::Fault* WatchModel::next() const {
  const Fault* soonest = nullptr;
  for (const Fault& fault : faults_) {
    if (!fault.probe.empty() || fault.from <= now()) continue;
    if (soonest == nullptr || fault.from < soonest->from) soonest = &fault;
  }
  return soonest;
}

std::vector<WatchModel::Second> WatchModel::seconds() const {
  std::vector<Second> all(kSeconds);
  for (const auto& [second, what] : seconds_) {
    const int64_t ago = newest_second() - second;
    if (ago >= 0 && ago < static_cast<int64_t>(kSeconds))
      all[kSeconds - 1 - static_cast<std::size_t>(ago)] = what;
  }
  return all;
}

WatchModel::Second WatchModel::last_second() const {
  const auto found = seconds_.find(newest_second());
  return found == seconds_.end() ? Second{} : found->second;
}

}  // namespace ringside::cli
