#include "lab/check_scenario.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "analysis/version_counts.h"
#include "lab/check_admin.h"
#include "lab/check_cluster.h"
#include "lab/check_fault.h"
#include "lab/check_published.h"
#include "lab/nearest.h"
#include "lab/node_plan.h"
#include "lab/places.h"
#include "lab/text.h"
#include "lab/units.h"
#include "protocols/wire.h"

namespace ringside::lab {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr uint64_t kMachinesMax = 2'000;

// The walk over every field that the schema's own marks (is, required) are held to.
// ------------------------------------

double number_of(const Message& message, const FieldDescriptor& field) {
  const Reflection* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE: return reflection->GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32: return reflection->GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<double>(reflection->GetUInt64(message, &field));
    default: return 1;
  }
}

void check_number(const Cursor& at, const FieldDescriptor& field, scenario::Kind kind) {
  const double number = number_of(at.message(), field);
  if (kind == scenario::POSITIVE && !(number > 0)) {
    at.mistake(field.name(), concat("must be more than 0, not ", number));
  } else if (kind == scenario::SHARE && !(number >= 0 && number <= 1)) {
    at.mistake(field.name(), concat("is a share from 0 to 1, not ", number));
  } else if (kind == scenario::PERCENT && !(number >= 0 && number <= 100)) {
    at.mistake(field.name(), concat("is a percentage from 0 to 100, not ", number));
  }
}

void check_text(const Cursor& at, const FieldDescriptor& field, int index, scenario::Kind kind,
                const Places& places, uint32_t clients) {
  const Reflection* reflection = at.message().GetReflection();
  const std::string text = field.is_repeated()
                               ? reflection->GetRepeatedString(at.message(), &field, index)
                               : reflection->GetString(at.message(), &field);
  if (kind == scenario::SPAN) {
    if (Result<Duration> span = parse_span(text); !span.ok())
      at.mistake(field.name(), span.error().message, index);
  } else if (kind == scenario::RATE) {
    if (Result<double> rate = parse_rate(text); !rate.ok())
      at.mistake(field.name(), rate.error().message, index);
  } else if (kind == scenario::MACHINE && !places.is_machine(text)) {
    const std::string near = nearest_name(text, places.names());
    at.mistake(field.name(),
               concat("\"", text, "\" names no machine; ",
                      near.empty() ? "" : concat("did you mean \"", near, "\"? "), places.list()),
               index);
  } else if ((kind == scenario::PLACE && !places.known(text)) ||
             (kind == scenario::PLACE_OR_CLIENT && !places.known(text) &&
              (client_number(text).value_or(clients + 1) > clients))) {
    const std::string near = nearest_name(text, places.names());
    at.mistake(field.name(),
               concat("\"", text, "\" names no region, zone, rack or machine",
                      kind == scenario::PLACE_OR_CLIENT ? ", nor a client's; " : "; ",
                      near.empty() ? "" : concat("did you mean \"", near, "\"? "), places.list()),
               index);
  }
}

void check_fields(const Cursor& at, const Places& places, uint32_t clients) {
  const google::protobuf::Descriptor* type = at.message().GetDescriptor();
  const Reflection* reflection = at.message().GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    const scenario::Kind kind = field.options().GetExtension(scenario::is);
    if (!at.has(field.name())) {
      if (field.options().GetExtension(scenario::required)) {
        at.mistake_here(concat(type->name(), " needs ", field.name()));
      }
      continue;
    }
    const int count = field.is_repeated() ? reflection->FieldSize(at.message(), &field) : 1;
    for (int index = 0; index < count; ++index) {
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        check_fields(at.nested(field, index), places, clients);
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING)
        check_text(at, field, index, kind, places, clients);
    }
    if (!field.is_repeated()) check_number(at, field, kind);
  }
}

// Rules that tie several fields together.
// ------------------------------------------------------------------------------

void check_distribution(const Cursor& at) {
  const auto& distribution = static_cast<const scenario::Distribution&>(at.message());
  at.exactly_one(
      {"constant", "uniform", "exponential", "pareto", "log_normal", "mixture", "empirical"},
      "a distribution");
  if (distribution.has_exponential())
    at.nested("exponential").exactly_one({"mean", "rate"}, "an exponential");
  if (distribution.has_uniform()) {
    const Result<Duration> from = parse_span(distribution.uniform().from());
    const Result<Duration> to = parse_span(distribution.uniform().to());
    if (from.ok() && to.ok() && *from > *to) {
      at.nested("uniform").mistake(
          "to", concat("must not be less than from (", distribution.uniform().from(), ")"));
    }
  }
  for (int i = 0; i < distribution.mixture_size(); ++i) {
    if (distribution.mixture(i).has_of()) check_distribution(at.nested("mixture", i).nested("of"));
  }
  double share = 0;
  Duration before = 0;
  for (int i = 0; i < distribution.empirical_size(); ++i) {
    const scenario::Distribution::Point& point = distribution.empirical(i);
    const Result<Duration> span = parse_span(point.at());
    const Duration value = span.ok() ? *span : before;
    if (point.share() < share || value < before) {
      at.mistake("empirical", "points must rise in share and in at", i);
    }
    share = point.share();
    before = value;
  }
  if (distribution.empirical_size() > 0 && share != 1) {
    at.mistake("empirical", "the last point must have the share 1",
               distribution.empirical_size() - 1);
  }
}

// Calls `check_distribution` on every distribution that the message holds directly.
void check_distributions(const Cursor& at) {
  const google::protobuf::Descriptor* type = at.message().GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    if (field.message_type() == scenario::Distribution::descriptor() && at.has(field.name())) {
      check_distribution(at.nested(field));
    }
  }
}

void check_script(const Cursor& at, const scenario::Workload& workload) {
  const Result<Duration> length = parse_span(workload.for_());
  for (int i = 0; i < workload.script().step_size(); ++i) {
    const scenario::Script::Step& step = workload.script().step(i);
    const Cursor here = at.nested("step", i);
    if (step.client() > workload.clients())
      here.mistake("client", concat("is one of the workload's ", workload.clients(), " clients"));
    const Result<Duration> due = parse_span(step.at());
    if (due.ok() && length.ok() && *due >= *length)
      here.mistake("at", concat("\"", step.at(), "\" is after the end of the workload (for: \"",
                                workload.for_(), "\")"));
    if (step.has_key() && step.key().empty()) here.mistake("key", "must not be empty");
    if (step.has_expire_after() &&
        (step.what() == scenario::Script::READ || step.what() == scenario::Script::DELETE))
      here.mistake("expire_after", "only what is written expires");
  }
}

void check_workload(const Cursor& at) {
  const auto& workload = static_cast<const scenario::Workload&>(at.message());
  if (!at.exactly_one({"registers", "shopping_cart", "ycsb", "pbs", "script"}, "a workload"))
    return;
  if (!workload.has_pbs() && !workload.has_for_())
    at.mistake_here("for: say how long the workload runs, such as for: \"60s\"");
  if (workload.has_for_() && parse_span(workload.for_()).ok() && span_of(workload.for_()) == 0) {
    at.mistake("for", "must be more than 0");
  }
  if (workload.has_processes() && workload.processes() > workload.clients()) {
    at.mistake("processes",
               concat("is more than clients (", workload.clients(), "); a process needs a client"));
  }
  if (workload.has_ycsb()) {
    const std::string& letter = workload.ycsb().workload();
    if (workload.ycsb().has_workload() &&
        (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'F')) {
      at.nested("ycsb").mistake("workload",
                                concat("\"", letter, "\" is none of YCSB's; use \"A\" to \"F\""));
    }
  }
  if (workload.shopping_cart().adds() + workload.shopping_cart().removes() > 1) {
    at.nested("shopping_cart").mistake("adds", "adds and removes together are more than 1");
  }
  if (workload.pbs().unread_writes() >= workload.pbs().writes_per_key() && workload.has_pbs()) {
    at.nested("pbs").mistake("unread_writes",
                             concat("must be less than writes_per_key (",
                                    workload.pbs().writes_per_key(), "), or nothing is read"));
  }
  if (workload.has_script()) check_script(at.nested("script"), workload);
  Duration before = -1;
  for (int i = 0; i < workload.pbs().t_size(); ++i) {
    const Result<Duration> t = parse_span(workload.pbs().t(i));
    if (!t.ok()) continue;
    if (*t <= before) at.nested("pbs").mistake("t", "must rise from each to the next", i);
    before = *t;
  }
}

void check_leg(const Cursor& at) {
  const auto& leg = static_cast<const scenario::Network::Leg&>(at.message());
  std::vector<std::string> known;
  for (std::string_view name : kind_names()) known.emplace_back(name);
  for (int i = 0; i < leg.kind_size(); ++i) {
    if (kind_of(leg.kind(i)) != Kind::kNone) continue;
    const std::string near = nearest_name(leg.kind(i), known);
    at.mistake("kind",
               concat("\"", leg.kind(i), "\" is nothing that frames say",
                      near.empty() ? "" : "; did you mean \"", near, near.empty() ? "" : "\"?",
                      "; the kinds are ", join(known, ", ")),
               i);
  }
}

void check_swarm(const Cursor& at) {
  const auto& swarm = static_cast<const scenario::Swarm&>(at.message());
  const auto pair = [&](const char* low, const std::string& low_text, const char* high,
                        const std::string& high_text) {
    if (at.has(low) != at.has(high)) {
      at.mistake(at.has(low) ? low : high, concat("needs both ", low, " and ", high));
    } else if (at.has(low) && parse_span(low_text).ok() && parse_span(high_text).ok() &&
               (span_of(low_text) > span_of(high_text) || span_of(low_text) == 0)) {
      at.mistake(high, concat("must not be less than ", low, ", and that more than 0"));
    }
  };
  pair("interval_min", swarm.interval_min(), "interval_max", swarm.interval_max());
  pair("down_min", swarm.down_min(), "down_max", swarm.down_max());
}

bool any_step(const scenario::Workload& workload, bool (*is)(const scenario::Script::Step& step)) {
  const auto& steps = workload.script().step();
  return std::any_of(steps.begin(), steps.end(), is);
}

bool deletes_something(const scenario::Workload& workload) {
  return workload.registers().deletes() > 0 || any_step(workload, [](const auto& step) {
           return step.what() == scenario::Script::DELETE;
         });
}

bool expires_something(const scenario::Workload& workload) {
  return workload.registers().expires() > 0 ||
         any_step(workload, [](const auto& step) { return step.has_expire_after(); });
}

// What deletes make of expectations.
void check_deletes(const Cursor& at, const scenario::Scenario& scenario) {
  const bool deletes = deletes_something(scenario.workload());
  if (at.has("no_resurrection")) {
    if (!deletes)
      at.mistake("no_resurrection", "nothing is deleted; say deletes in the workload registers");
    if (final_read_rounds(scenario) == 0)
      at.mistake("no_resurrection", "is judged by the final reads; phases.final_reads is 0");
  }
  for (const char* field : {"linearizable", "read_your_writes", "monotonic_reads"}) {
    if (deletes && at.has(field))
      at.mistake(field, "cannot be judged where keys are deleted; leave out deletes");
  }
  if (!expires_something(scenario.workload())) return;
  for (const char* field : {"acknowledged_writes", "replicas_keep_acknowledged", "no_resurrection",
                            "linearizable", "read_your_writes", "monotonic_reads"}) {
    if (at.has(field)) at.mistake(field, "cannot be judged where values expire; leave out expires");
  }
}

void check_expect(const Cursor& at, const scenario::Scenario& scenario) {
  const auto& expect = static_cast<const scenario::Expect&>(at.message());
  const bool reads_finally = final_read_rounds(scenario) > 0;
  if (expect.has_evidence()) {
    const scenario::Evidence& evidence = expect.evidence();
    if (evidence.acknowledged_writes() == 0 && evidence.verified_reads() == 0) {
      at.mistake("evidence", "must demand at least one acknowledged write or verified read");
    }
    if (evidence.final_reads() > 0 && !reads_finally) {
      at.nested("evidence")
          .mistake("final_reads",
                   "there are none: phases.final_reads is 0, or the workload is pbs");
    }
  }
  if (expect.has_acknowledged_writes() && !reads_finally) {
    at.mistake("acknowledged_writes",
               "is judged by the final reads, but phases.final_reads is 0, or the workload is pbs");
  }
  if (expect.has_linearizable() && !scenario.workload().has_registers() &&
      !scenario.workload().has_script()) {
    at.mistake("linearizable", "needs the workload registers, or a script");
  }
  check_published(at, scenario);
  for (int i = 0; i < expect.availability_size(); ++i) {
    const scenario::Availability& asked = expect.availability(i);
    const Places places(scenario.topology());
    if (asked.has_place() && places.known(asked.place()) &&
        places.zones_in(asked.place()).empty()) {
      at.nested("availability", i)
          .mistake("place", "is a machine; clients live in zones, name one or a region");
    }
  }
  for (int i = 0; i < expect.versions_per_read_size(); ++i) {
    const Cursor versions = at.nested("versions_per_read", i);
    if (!versions.has("at_least") && !versions.has("at_most"))
      versions.mistake_here("says nothing of how many: at_least or at_most, in percent");
    if (expect.versions_per_read(i).versions() > VersionCounts::kMost)
      versions.mistake("versions", concat("is counted up to ", VersionCounts::kMost, " or more"));
  }
  check_deletes(at, scenario);
  if (expect.orders_carried_out() && scenario.admin_size() == 0)
    at.mistake("orders_carried_out", "there are none; write an admin");
  if (expect.repair_comes_to_rest() &&
      !scenario.cluster().strategy().dynamo().upkeep().anti_entropy())
    at.mistake("repair_comes_to_rest", "nobody compares; leave out anti_entropy: false");
  if (expect.hints_delivered() && !scenario.cluster().strategy().dynamo().sloppy())
    at.mistake("hints_delivered", "without sloppy nobody keeps hints");
  for (const char* yes :
       {"replicas_keep_acknowledged", "linearizable", "read_your_writes", "monotonic_reads",
        "no_resurrection", "hints_delivered", "orders_carried_out", "repair_comes_to_rest"}) {
    const FieldDescriptor* field = expect.GetDescriptor()->FindFieldByName(yes);
    if (at.has(yes) && !expect.GetReflection()->GetBool(expect, field)) {
      at.mistake(yes, "can only be expected (true); leave it out otherwise");
    }
  }
}

// Only what a swarm could have drawn.
void check_tunable(const Cursor& at) {
  const auto& tunable = static_cast<const scenario::Tunable&>(at.message());
  if (!tunable.has_name() || !tunable.has_value()) return;
  std::vector<std::string> known;
  for (const sim::TunableRange& range : every_tunable()) {
    known.push_back(range.name);
    if (range.name != tunable.name()) continue;
    if (tunable.value() < range.low || tunable.value() > range.high)
      at.mistake("value", concat("lies between ", range.low, " and ", range.high, " for ",
                                 range.name, ", not at ", tunable.value()));
    return;
  }
  const std::string near = nearest_name(tunable.name(), known);
  at.mistake("name", concat("\"", tunable.name(), "\" is no setting of a node; ",
                            near.empty() ? "" : concat("did you mean \"", near, "\"? "),
                            "there are ", join(known, ", ")));
}

// Only flash collects garbage.
void check_disks(const Cursor& at, const scenario::Topology& topology) {
  for (int i = 0; i < topology.region_size(); ++i) {
    const scenario::Region& region = topology.region(i);
    if (region.disk_stalls() && region.disk() != scenario::NVME && region.disk() != scenario::SSD)
      at.nested("region", i)
          .mistake("disk_stalls", "only flash stalls: the disk must be NVME or SSD");
  }
}

bool topology_is_usable(const Cursor& at, const scenario::Topology& topology) {
  uint64_t machines = 0;
  for (const scenario::Region& region : topology.region()) {
    machines += uint64_t{region.zones()} * region.machines_per_zone();
    if (machines > kMachinesMax) break;
  }
  if (machines <= kMachinesMax) return true;
  at.mistake("region", concat("more than ", kMachinesMax, " machines in all; ask for fewer"));
  return false;
}

}  // namespace

uint32_t final_read_rounds(const scenario::Scenario& scenario) {
  if (scenario.phases().has_final_reads()) return scenario.phases().final_reads();
  return scenario.workload().has_pbs() ? 0 : 1;
}

uint32_t client_processes(const scenario::Scenario& scenario) {
  const scenario::Workload& workload = scenario.workload();
  if (workload.has_processes()) return workload.processes();
  uint32_t zones = 0;
  for (const scenario::Region& region : scenario.topology().region()) zones += region.zones();
  return std::min(zones, workload.clients());
}

void check_scenario(const scenario::Scenario& scenario, const Locations& locations,
                    Mistakes& mistakes) {
  const Cursor root(scenario, &locations, mistakes);
  if (scenario.has_topology() && !topology_is_usable(root.nested("topology"), scenario.topology()))
    return;
  const Places places(scenario.topology());
  if (scenario.has_topology()) check_disks(root.nested("topology"), scenario.topology());
  check_fields(root, places, client_processes(scenario));
  for (const char* field : {"topology", "network"}) {
    if (root.has(field)) check_distributions(root.nested(field));
  }
  for (int i = 0; i < scenario.network().leg_size(); ++i) {
    const Cursor leg = root.nested("network").nested("leg", i);
    check_distributions(leg);
    check_leg(leg);
  }
  if (scenario.has_cluster()) check_cluster(root, scenario, places);
  check_admin(root, scenario, places);
  for (int i = 0; i < scenario.tunable_size(); ++i) check_tunable(root.nested("tunable", i));
  if (scenario.has_workload()) check_workload(root.nested("workload"));
  for (int i = 0; i < scenario.fault_size(); ++i)
    check_fault(root.nested("fault", i), scenario.workload());
  if (scenario.has_swarm()) check_swarm(root.nested("swarm"));
  if (scenario.workload().has_pbs() && scenario.phases().final_reads() > 0) {
    root.nested("phases").mistake("final_reads",
                                  "pbs reads each key at its own times; leave it out or say 0");
  }
  if (scenario.has_expect()) check_expect(root.nested("expect"), scenario);
  if (scenario.stop_at_violation() && !scenario.expect().linearizable())
    root.mistake("stop_at_violation",
                 "needs expect { linearizable: true }, which is what can stop it");
}

}  // namespace ringside::lab
