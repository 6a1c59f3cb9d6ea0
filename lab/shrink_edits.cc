#include "lab/shrink_edits.h"

#include <algorithm>
#include <set>

#include "lab/check_scenario.h"
#include "lab/places.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using scenario::Scenario;
using scenario::Script;

std::set<uint32_t> used_clients(const Scenario& scenario) {
  std::set<uint32_t> used;
  for (const Script::Step& step : scenario.workload().script().step()) used.insert(step.client());
  return used;
}

std::set<std::string> used_keys(const Scenario& scenario) {
  std::set<std::string> used;
  for (const Script::Step& step : scenario.workload().script().step()) used.insert(step.key());
  return used;
}

std::vector<std::string> member_machines(const Scenario& scenario) {
  std::vector<std::string> names;
  const Places places(scenario.topology());
  for (std::size_t i = 0; i < places.machines().size(); ++i) {
    if (!places.is_spare(i)) names.push_back(places.machines()[i].name);
  }
  return names;
}

template <class Keep>
void keep_steps_if(Scenario& scenario, const Keep& keep) {
  Script& script = *scenario.mutable_workload()->mutable_script();
  Script kept = script;
  kept.clear_step();
  for (const Script::Step& step : script.step()) {
    if (keep(step)) *kept.add_step() = step;
  }
  script = std::move(kept);
}

template <class Entries, class Keep>
void keep_if(Entries& entries, const Keep& keep) {
  Entries kept;
  for (const auto& entry : entries) {
    if (keep(entry)) *kept.Add() = entry;
  }
  entries.Swap(&kept);
}

// Those of the set that stand at [begin, end).
template <class Set>
Set range_of(const Set& all, uint32_t begin, uint32_t end) {
  return {std::next(all.begin(), begin), std::next(all.begin(), end)};
}

uint32_t operations_of(const Script& script) {
  uint32_t operations = 0;
  for (const Script::Step& step : script.step())
    operations += step.what() == Script::WRITE || step.what() == Script::DELETE ? 2 : 1;
  return operations;
}

}  // namespace

std::vector<google::protobuf::RepeatedPtrField<std::string>*> name_lists_of(
    scenario::Fault& fault) {
  std::vector<google::protobuf::RepeatedPtrField<std::string>*> lists;
  const Reflection* outer = fault.GetReflection();
  std::vector<const FieldDescriptor*> kinds;
  outer->ListFields(fault, &kinds);
  for (const FieldDescriptor* kind : kinds) {
    if (kind->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    Message* message = outer->MutableMessage(&fault, kind);
    for (const char* name : {"place", "isolate", "from", "to"}) {
      const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(name);
      if (field != nullptr && field->is_repeated())
        lists.push_back(
            message->GetReflection()->MutableRepeatedPtrField<std::string>(message, field));
    }
  }
  return lists;
}

void strike_out(Scenario& scenario, const std::set<std::string>& machines) {
  google::protobuf::RepeatedPtrField<scenario::Fault> kept;
  for (scenario::Fault& fault : *scenario.mutable_fault()) {
    bool somebody = true;
    for (google::protobuf::RepeatedPtrField<std::string>* names : name_lists_of(fault)) {
      const int before = names->size();
      keep_if(*names, [&](const std::string& name) { return !machines.contains(name); });
      somebody = somebody && (before == 0 || !names->empty());
    }
    if (somebody) *kept.Add() = std::move(fault);
  }
  scenario.mutable_fault()->Swap(&kept);
}

const char* part_name(Part part) {
  switch (part) {
    case Part::kFaults: return "fewer faults";
    case Part::kOrders: return "fewer orders";
    case Part::kClients: return "fewer clients";
    case Part::kKeys: return "fewer keys";
    case Part::kSteps: return "fewer operations";
    case Part::kMachines: return "fewer machines";
    case Part::kTunables: return "usual settings";
  }
  return "?";
}

ScenarioSize size_of(const Scenario& scenario) {
  const scenario::Workload& workload = scenario.workload();
  ScenarioSize size;
  size.faults = count(scenario, Part::kFaults);
  size.orders = count(scenario, Part::kOrders);
  size.tunables = count(scenario, Part::kTunables);
  size.machines = count(scenario, Part::kMachines);
  size.clients = workload.has_script() ? count(scenario, Part::kClients) : workload.clients();
  size.operations = operations_of(workload.script());
  size.keys = count(scenario, Part::kKeys);
  if (workload.has_registers()) size.keys = workload.registers().keys();
  if (workload.has_shopping_cart()) size.keys = workload.shopping_cart().carts();
  if (workload.has_ycsb()) size.keys = workload.ycsb().records();
  if (workload.has_pbs()) size.keys = workload.pbs().keys();
  if (workload.has_for_()) size.seconds = static_cast<double>(span_of(workload.for_())) / 1e9;
  return size;
}

uint32_t count(const Scenario& scenario, Part part) {
  switch (part) {
    case Part::kFaults: return static_cast<uint32_t>(scenario.fault_size());
    case Part::kOrders: return static_cast<uint32_t>(scenario.admin_size());
    case Part::kClients: return static_cast<uint32_t>(used_clients(scenario).size());
    case Part::kKeys: return static_cast<uint32_t>(used_keys(scenario).size());
    case Part::kSteps: return static_cast<uint32_t>(scenario.workload().script().step_size());
    case Part::kMachines: return static_cast<uint32_t>(member_machines(scenario).size());
    case Part::kTunables: return static_cast<uint32_t>(scenario.tunable_size());
  }
  return 0;
}

Scenario without(const Scenario& scenario, Part part, uint32_t begin, uint32_t end) {
  Scenario out = scenario;
  const int first = static_cast<int>(begin), entries = static_cast<int>(end - begin);
  switch (part) {
    case Part::kFaults: out.mutable_fault()->DeleteSubrange(first, entries); break;
    case Part::kOrders: out.mutable_admin()->DeleteSubrange(first, entries); break;
    case Part::kTunables: out.mutable_tunable()->DeleteSubrange(first, entries); break;
    case Part::kSteps:
      out.mutable_workload()->mutable_script()->mutable_step()->DeleteSubrange(first, entries);
      break;
    case Part::kClients: {
      const std::set<uint32_t> gone = range_of(used_clients(scenario), begin, end);
      keep_steps_if(out, [&](const Script::Step& step) { return !gone.contains(step.client()); });
      break;
    }
    case Part::kKeys: {
      const std::set<std::string> gone = range_of(used_keys(scenario), begin, end);
      keep_steps_if(out, [&](const Script::Step& step) { return !gone.contains(step.key()); });
      break;
    }
    case Part::kMachines: {
      const std::vector<std::string> members = member_machines(scenario);
      const std::set<std::string> gone(members.begin() + begin, members.begin() + end);
      for (const std::string& machine : gone) out.mutable_topology()->add_spare(machine);
      strike_out(out, gone);
      break;
    }
  }
  return out;
}

Scenario cut_after(const Scenario& scenario, int64_t length) {
  Scenario out = scenario;
  out.mutable_workload()->set_for_(exact_span(length));
  const auto early = [length](const auto& entry) {
    return !entry.has_at() || span_of(entry.at()) < length;
  };
  keep_if(*out.mutable_fault(), early);
  keep_if(*out.mutable_admin(), early);
  if (out.workload().has_script()) keep_steps_if(out, early);
  return out;
}

}  // namespace ringside::lab
