// A storm on its way back: from what was played to what a scenario says.
#include <google/protobuf/text_format.h>

#include <optional>

#include "lab/check_scenario.h"
#include "lab/storm.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using sim::Fault;
using sim::MachineId;
using Names = google::protobuf::RepeatedPtrField<std::string>;

class Writer {
 public:
  Writer(const Fault& fault, const Plan& plan) : fault_(fault), plan_(plan) {}

  scenario::Fault write() {
    using Kind = Fault::Kind;
    out_.set_at(exact_span(fault_.at - plan_.timeline.start));
    if (fault_.takes_down()) {
      out_.set_restart_after(exact_span(fault_.duration));
    } else if (!fault_.momentary()) {
      out_.set_for_(exact_span(fault_.duration));
    }
    switch (fault_.kind) {
      case Kind::kCrash: struck(*out_.mutable_crash()); break;
      case Kind::kPowerLoss: struck(*out_.mutable_power_loss()); break;
      case Kind::kBlackout: out_.mutable_blackout(); break;
      case Kind::kOutOfMemory: struck(*out_.mutable_out_of_memory()); break;
      case Kind::kDiskLoss: struck(*out_.mutable_disk_loss()); break;
      case Kind::kPause: struck(*out_.mutable_pause()); break;
      case Kind::kOlderDisk:
        struck(*out_.mutable_older_disk());
        out_.mutable_older_disk()->set_age(exact_span(fault_.age));
        break;
      case Kind::kThrottle:
        struck(*out_.mutable_throttle());
        out_.mutable_throttle()->set_slower(fault_.slower);
        break;
      case Kind::kClock: write_clock(); break;
      case Kind::kRot:
        struck(*out_.mutable_rot());
        if (!fault_.files.empty()) out_.mutable_rot()->set_files(fault_.files);
        out_.mutable_rot()->set_flips(fault_.flips);
        break;
      case Kind::kDisk: write_disk(); break;
      case Kind::kLinks: write_links(); break;
    }
    return std::move(out_);
  }

 private:
  void name(const std::vector<MachineId>& machines, Names& names) const {
    for (const MachineId machine : machines)
      *names.Add() = plan_.world.topology.machine_name(machine);
  }
  template <class Message>
  void struck(Message& message) const {
    name(fault_.machines, *message.mutable_place());
  }
  template <class Message>
  void sides(Message& message) const {
    name(fault_.links.from, *message.mutable_from());
    name(fault_.links.to, *message.mutable_to());
    if (!fault_.links.both_ways) message.set_direction(scenario::OUTBOUND);
  }

  void write_clock() {
    scenario::Clock& clock = *out_.mutable_clock();
    struck(clock);
    if (fault_.step > 0) clock.set_forward(exact_span(fault_.step));
    if (fault_.step < 0) clock.set_back(exact_span(-fault_.step));
    if (fault_.drift_ppm != 0) clock.set_drift_ppm(fault_.drift_ppm);
  }

  void write_disk() {
    const sim::DiskTrouble& trouble = fault_.disk;
    scenario::Disk& disk = *out_.mutable_disk();
    struck(disk);
    if (!trouble.files.empty()) disk.set_files(trouble.files);
    if (trouble.read_error > 0) disk.set_read_error(trouble.read_error);
    if (trouble.write_error > 0) disk.set_write_error(trouble.write_error);
    if (trouble.sync_error > 0) disk.set_sync_error(trouble.sync_error);
    if (trouble.sync_fails_once) disk.set_sync_fails_once(true);
    if (trouble.sync_lies > 0) disk.set_sync_lies(trouble.sync_lies);
    if (trouble.name_sync_lies > 0) disk.set_name_sync_lies(trouble.name_sync_lies);
    if (trouble.short_read > 0) disk.set_short_read(trouble.short_read);
    if (trouble.misdirected_read > 0) disk.set_misdirected_read(trouble.misdirected_read);
    if (trouble.misdirected_write > 0) disk.set_misdirected_write(trouble.misdirected_write);
    if (trouble.rot_on_read > 0) disk.set_rot_on_read(trouble.rot_on_read);
    if (trouble.full) disk.set_full(true);
    if (trouble.dead) disk.set_dead(true);
    if (trouble.slower != 1) disk.set_slower(trouble.slower);
    if (trouble.bad_mean > 0) {
      disk.mutable_gray()->set_good(exact_span(trouble.good_mean));
      disk.mutable_gray()->set_bad(exact_span(trouble.bad_mean));
      disk.mutable_gray()->set_slower(trouble.bad_slower);
    }
  }

  void write_links() {
    using Kind = sim::LinkWeather::Kind;
    const sim::LinkWeather& weather = fault_.links;
    if (weather.kind == Kind::kCut || weather.kind == Kind::kRefuse) {
      sides(*out_.mutable_partition());
      if (weather.kind == Kind::kRefuse) out_.mutable_partition()->set_refuse(true);
      return;
    }
    scenario::Links& links = *out_.mutable_links();
    sides(links);
    switch (weather.kind) {
      case Kind::kClog: links.set_clog(true); break;
      case Kind::kHalfOpen: links.set_half_open(true); break;
      case Kind::kLookupFails: links.set_lookup_fails(true); break;
      case Kind::kNarrow: links.set_bytes_per_second(weather.bandwidth_bytes_per_second); break;
      case Kind::kSlow:
        links.set_slower(weather.slower);
        if (weather.extra.minimum() > 0) links.set_longer(exact_span(weather.extra.minimum()));
        break;
      case Kind::kLossy:
        links.set_loss(weather.loss);
        links.set_duplication(weather.duplication);
        links.set_corruption(weather.corruption);
        break;
      case Kind::kFlap:
        links.mutable_flap()->set_up(exact_span(weather.up_mean));
        links.mutable_flap()->set_down(exact_span(weather.down_mean));
        break;
      default: links.set_reset_every(exact_span(weather.reset_mean)); break;
    }
  }

  const Fault& fault_;
  const Plan& plan_;
  scenario::Fault out_;
};

// The places that a fault names, in all its lists.
std::vector<Names*> lists_of(scenario::Fault& fault) {
  std::vector<Names*> lists;
  if (fault.has_partition()) {
    lists = {fault.mutable_partition()->mutable_isolate(),
             fault.mutable_partition()->mutable_from(), fault.mutable_partition()->mutable_to()};
  }
  if (fault.has_links()) {
    lists = {fault.mutable_links()->mutable_isolate(), fault.mutable_links()->mutable_from(),
             fault.mutable_links()->mutable_to()};
  }
  return lists;
}

// Without the clients that the scenario lacks. False when a side has nobody left.
bool fit_clients(scenario::Fault& fault, uint32_t clients) {
  for (Names* names : lists_of(fault)) {
    const int before = names->size();
    for (int i = names->size(); i-- > 0;) {
      const std::optional<uint32_t> client = client_number(names->Get(i));
      if (client && *client > clients) names->DeleteSubrange(i, 1);
    }
    if (before > 0 && names->empty()) return false;
  }
  return true;
}

}  // namespace

scenario::Fault to_scenario(const Fault& fault, const Plan& plan) {
  return Writer(fault, plan).write();
}

Result<std::string> with_storm(const scenario::Scenario& scenario, std::string_view storm,
                               uint32_t* left_out) {
  scenario::Scenario given;
  google::protobuf::TextFormat::Parser parser;
  parser.AllowPartialMessage(true);
  if (!parser.ParseFromString(std::string(storm), &given))
    return {Code::kInvalid, "the recording's faults cannot be read"};
  scenario::Scenario result = scenario;
  result.clear_fault();
  result.clear_swarm();
  *left_out = 0;
  const Duration length =
      scenario.workload().has_for_() ? span_of(scenario.workload().for_()) : kNever;
  for (scenario::Fault& fault : *given.mutable_fault()) {
    const bool late = fault.has_at() && span_of(fault.at()) >= length;
    if (late || !fit_clients(fault, client_processes(scenario))) {
      ++*left_out;
      continue;
    }
    *result.add_fault() = std::move(fault);
  }
  std::string text;
  CHECK(google::protobuf::TextFormat::PrintToString(result, &text));
  return text;
}

}  // namespace ringside::lab
