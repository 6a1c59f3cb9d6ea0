// The alternatives that a shrinker tries where nothing is to be taken from a list.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "lab/check_scenario.h"
#include "lab/places.h"
#include "lab/shrink_edits.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using scenario::Scenario;
using scenario::Script;
using Names = google::protobuf::RepeatedPtrField<std::string>;

constexpr Duration kRoundTo[] = {100 * kMillisecond, 10 * kMillisecond, kMillisecond};
constexpr Duration kShortest = kMillisecond;

Duration rounded(Duration span, Duration unit) { return (span + unit / 2) / unit * unit; }
Duration rounded_up(Duration span, Duration unit) { return (span + unit - 1) / unit * unit; }

void round_at(std::string& at, Duration unit) { at = exact_span(rounded(span_of(at), unit)); }

void round_fault(scenario::Fault& fault, Duration unit) {
  if (fault.has_at()) round_at(*fault.mutable_at(), unit);
  if (fault.has_for_()) fault.set_for_(exact_span(rounded_up(span_of(fault.for_()), unit)));
  if (fault.has_restart_after())
    fault.set_restart_after(exact_span(rounded_up(span_of(fault.restart_after()), unit)));
}

bool differ(const Scenario& a, const Scenario& b) {
  return a.SerializeAsString() != b.SerializeAsString();
}

void add_changed(const Scenario& before, Scenario after, Alternatives& to) {
  if (differ(before, after)) to.push_back(std::move(after));
}

template <class Edit>
void add_edited(const Scenario& scenario, Alternatives& to, const Edit& edit) {
  Scenario out = scenario;
  edit(out);
  add_changed(scenario, std::move(out), to);
}

// `isolate` one side in place of both, where the other is everyone else.
template <class Message>
void isolate(Message& message, bool far) {
  const Names side = far ? message.to() : message.from();
  if (far && message.direction() != scenario::BOTH) message.set_direction(scenario::INBOUND);
  message.clear_from();
  message.clear_to();
  *message.mutable_isolate() = side;
}

template <class Message>
void add_isolations(const Scenario& scenario, const Message& message, Alternatives& to,
                    const std::function<void(Scenario&, bool far)>& edit) {
  if (message.from_size() == 0 || message.direction() == scenario::INBOUND) return;
  const bool far_first = message.to_size() < message.from_size();
  for (const bool far : {far_first, !far_first})
    add_edited(scenario, to, [&](Scenario& out) { edit(out, far); });
}

// As many as there are numbers in use, one after the other, each client in the process that it
// was in; `map` renames processes.
Scenario renumbered(const Scenario& scenario, const std::map<uint32_t, uint32_t>& map,
                    uint32_t processes) {
  const uint32_t before = client_processes(scenario);
  std::set<uint32_t> used;
  for (const Script::Step& step : scenario.workload().script().step()) used.insert(step.client());
  std::map<uint32_t, uint32_t> renamed;
  std::map<uint32_t, uint32_t> sessions;
  uint32_t most = processes;
  for (const uint32_t client : used) {
    const uint32_t process = map.at((client - 1) % before);
    renamed[client] = sessions[process]++ * processes + process + 1;
    most = std::max(most, renamed[client]);
  }
  Scenario out = scenario;
  scenario::Workload& workload = *out.mutable_workload();
  for (Script::Step& step : *workload.mutable_script()->mutable_step())
    step.set_client(renamed.at(step.client()));
  workload.set_processes(processes);
  workload.set_clients(most);
  std::set<std::string> gone;
  for (uint32_t process = processes; process < before; ++process)
    gone.insert(concat("client-", process + 1));
  strike_out(out, gone);
  return out;
}

template <class Number>
Number half(Number number) {
  return std::max<Number>(1, number / 2);
}

}  // namespace

Alternatives shorter_runs(const Scenario& scenario) {
  Alternatives found;
  if (!scenario.workload().has_for_()) return found;
  const Duration length = span_of(scenario.workload().for_());
  Duration last = 0;
  for (const scenario::Fault& fault : scenario.fault())
    if (fault.has_at()) last = std::max(last, span_of(fault.at()));
  for (const Script::Step& step : scenario.workload().script().step())
    last = std::max(last, span_of(step.at()));
  std::set<Duration> lengths;
  for (const int eighths : {1, 2, 4, 6, 7}) lengths.insert(length / 8 * eighths);
  lengths.insert(last + 10 * kMillisecond);
  lengths.insert(last + kSecond);
  for (Duration shorter : lengths) {
    shorter = rounded_up(shorter, 10 * kMillisecond);
    if (shorter > 0 && shorter < length) found.push_back(cut_after(scenario, shorter));
  }
  return found;
}

Alternatives shorter_fault(const Scenario& scenario, int index) {
  Alternatives found;
  if (index >= scenario.fault_size()) return found;
  const scenario::Fault& fault = scenario.fault(index);
  if (!fault.has_for_() && !fault.has_restart_after()) return found;
  const Duration length = span_of(fault.has_for_() ? fault.for_() : fault.restart_after());
  for (const int part : {16, 4, 2}) {
    const Duration shorter = std::max(kShortest, rounded(length / part, kShortest));
    if (shorter >= length) continue;
    add_edited(scenario, found, [&](Scenario& out) {
      scenario::Fault& edited = *out.mutable_fault(index);
      if (edited.has_for_()) {
        edited.set_for_(exact_span(shorter));
      } else {
        edited.set_restart_after(exact_span(shorter));
      }
    });
  }
  return found;
}

Alternatives fewer_victims(const Scenario& scenario, int index) {
  Alternatives found;
  if (index >= scenario.fault_size()) return found;
  Scenario probe = scenario;
  const std::vector<Names*> lists = name_lists_of(*probe.mutable_fault(index));
  for (std::size_t list = 0; list < lists.size(); ++list) {
    const int names = lists[list]->size();
    for (int size = names / 2; size >= 1; size /= 2) {
      for (int at = 0; at + size <= names && names > 1; at += size) {
        add_edited(scenario, found, [&](Scenario& out) {
          name_lists_of(*out.mutable_fault(index))[list]->DeleteSubrange(at, size);
        });
      }
    }
  }
  const scenario::Fault& fault = scenario.fault(index);
  if (fault.has_partition()) {
    add_isolations(scenario, fault.partition(), found, [&](Scenario& out, bool far) {
      isolate(*out.mutable_fault(index)->mutable_partition(), far);
    });
  }
  if (fault.has_links()) {
    add_isolations(scenario, fault.links(), found, [&](Scenario& out, bool far) {
      isolate(*out.mutable_fault(index)->mutable_links(), far);
    });
  }
  return found;
}

Alternatives simpler_step(const Scenario& scenario, int index) {
  Alternatives found;
  if (index >= scenario.workload().script().step_size()) return found;
  const auto edit = [&](const std::function<void(Script::Step&)>& change) {
    add_edited(scenario, found, [&](Scenario& out) {
      change(*out.mutable_workload()->mutable_script()->mutable_step(index));
    });
  };
  if (scenario.workload().script().step(index).what() == Script::WRITE) {
    edit([](Script::Step& step) {
      step.set_what(Script::BLIND_WRITE);
      if (step.number_size() > 1) {
        const uint32_t writes = step.number(1);
        step.clear_number();
        step.add_number(writes);
      }
    });
  }
  edit([](Script::Step& step) { step.clear_expire_after(); });
  return found;
}

Alternatives rounder_times(const Scenario& scenario) {
  Alternatives found;
  for (const Duration unit : kRoundTo) {
    add_edited(scenario, found, [&](Scenario& out) {
      for (scenario::Fault& fault : *out.mutable_fault()) round_fault(fault, unit);
      for (Script::Step& step : *out.mutable_workload()->mutable_script()->mutable_step())
        round_at(*step.mutable_at(), unit);
      if (!scenario.workload().has_script()) out.mutable_workload()->clear_script();
    });
  }
  return found;
}

Alternatives rounder_fault(const Scenario& scenario, int index) {
  Alternatives found;
  if (index >= scenario.fault_size()) return found;
  for (const Duration unit : kRoundTo)
    add_edited(scenario, found,
               [&](Scenario& out) { round_fault(*out.mutable_fault(index), unit); });
  return found;
}

Alternatives rounder_step(const Scenario& scenario, int index) {
  Alternatives found;
  if (index >= scenario.workload().script().step_size()) return found;
  const auto edit = [&](const std::function<void(Script::Step&)>& change) {
    add_edited(scenario, found, [&](Scenario& out) {
      change(*out.mutable_workload()->mutable_script()->mutable_step(index));
    });
  };
  for (const Duration unit : kRoundTo)
    edit([unit](Script::Step& step) { round_at(*step.mutable_at(), unit); });
  return found;
}

Alternatives plainer_choices(const Scenario& scenario) {
  Alternatives found;
  if (scenario.workload().has_script()) {
    add_edited(scenario, found, [](Scenario& out) {
      for (Script::Step& step : *out.mutable_workload()->mutable_script()->mutable_step())
        step.clear_number();
    });
    add_edited(scenario, found, [](Scenario& out) {
      out.mutable_workload()->mutable_script()->clear_value_bytes();
    });
  }
  add_edited(scenario, found, [](Scenario& out) { out.clear_network(); });
  add_edited(scenario, found, [](Scenario& out) { out.clear_cpu(); });
  add_edited(scenario, found, [](Scenario& out) { out.mutable_cluster()->clear_engine(); });
  add_edited(scenario, found, [](Scenario& out) { out.mutable_cluster()->clear_capacity(); });
  add_edited(scenario, found, [](Scenario& out) { out.mutable_workload()->clear_routing(); });
  add_edited(scenario, found, [](Scenario& out) {
    for (scenario::Region& region : *out.mutable_topology()->mutable_region()) {
      region.clear_disk_stalls();
      region.clear_disk_bytes();
    }
  });
  return found;
}

Alternatives fewer_processes(const Scenario& scenario) {
  Alternatives found;
  if (!scenario.workload().has_script()) return found;
  const uint32_t before = client_processes(scenario);
  std::map<uint32_t, uint32_t> closer, as_they_are;
  for (const Script::Step& step : scenario.workload().script().step())
    closer[(step.client() - 1) % before] = 0;
  uint32_t next = 0;
  for (auto& [process, renamed] : closer) {
    renamed = next++;
    as_they_are[process] = process;
  }
  if (next == 0) return found;
  const uint32_t last = as_they_are.rbegin()->first + 1;
  add_changed(scenario, renumbered(scenario, closer, next), found);
  add_changed(scenario, renumbered(scenario, as_they_are, last), found);
  add_changed(scenario, renumbered(scenario, as_they_are, before), found);
  return found;
}

Alternatives smaller_workloads(const Scenario& scenario) {
  Alternatives found;
  const scenario::Workload& workload = scenario.workload();
  if (workload.has_script()) return found;
  const auto edit = [&](const std::function<void(scenario::Workload&)>& change) {
    add_edited(scenario, found, [&](Scenario& out) { change(*out.mutable_workload()); });
  };
  if (workload.has_rate()) {
    edit([](scenario::Workload& w) { w.set_rate(concat(rate_of(w.rate()) / 2, "/s")); });
  }
  edit([](scenario::Workload& w) {
    w.set_clients(half(w.clients()));
    if (w.has_processes()) w.set_processes(std::min(w.processes(), w.clients()));
  });
  edit([](scenario::Workload& w) {
    if (w.has_registers()) w.mutable_registers()->set_keys(half(w.registers().keys()));
    if (w.has_shopping_cart())
      w.mutable_shopping_cart()->set_carts(half(w.shopping_cart().carts()));
    if (w.has_ycsb()) w.mutable_ycsb()->set_records(half(w.ycsb().records()));
    if (w.has_pbs()) w.mutable_pbs()->set_keys(half(w.pbs().keys()));
  });
  return found;
}

}  // namespace ringside::lab
