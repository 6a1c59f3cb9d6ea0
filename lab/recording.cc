#include "lab/recording.h"

#include "lab/load.h"
#include "lab/recording.pb.h"
#include "lab/sealed_file.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "runtime/random.h"

namespace ringside::lab {
namespace {

constexpr Seal kRecordingSeal = {{'R', 'I', 'N', 'G', 'S', 'I', 'D', 'E'},
                                 1,
                                 "recording",
                                 "recording of ringside (a .run file that `ringside run` wrote)"};

void to_message(const TVisibility& from, record::Result::Point& to) {
  to.set_t_ms(from.t_ms);
  to.set_reads(from.reads);
  to.set_consistent(from.consistent);
  to.set_predicted_percent(from.predicted_percent);
}

TVisibility from_message(const record::Result::Point& from) {
  return {from.t_ms(), from.reads(), from.consistent(), from.predicted_percent()};
}

void to_message(const RunResult& result, record::Result& out) {
  out.set_scenario(result.scenario);
  out.set_seed(result.seed);
  out.set_holds(result.holds);
  out.set_fingerprint(result.fingerprint);
  out.set_events(result.events);
  out.set_simulated_seconds(result.simulated_seconds);
  out.set_operations(result.operations);
  out.set_history_hash(result.history_hash);
  for (const Expectation& from : result.expectations) {
    auto& to = *out.add_expectation();
    to.set_name(from.name);
    to.set_holds(from.holds);
    to.set_detail(from.detail);
  }
  for (const Metric& from : result.metrics) {
    auto& to = *out.add_metric();
    to.set_name(from.name);
    to.set_value(from.value);
  }
  for (const Pooled& from : result.pooled) {
    auto& to = *out.add_pooled();
    to.set_name(from.name);
    to.set_kind(from.kind);
    to.set_published(from.published);
    to.set_tolerance(from.tolerance);
    to.set_quantile(from.quantile);
    to.set_successes(from.successes);
    to.set_trials(from.trials);
    to.set_histogram(from.histogram);
    for (const TVisibility& point : from.points) to_message(point, *to.add_point());
  }
  for (const TVisibility& from : result.t_visibility) to_message(from, *out.add_t_visibility());
  for (const Checkpoint& from : result.checkpoints) {
    auto& to = *out.add_checkpoint();
    to.set_events(from.events);
    to.set_at(from.at);
    to.set_fingerprint(from.fingerprint);
  }
  for (const std::string& line : result.faults) out.add_fault(line);
  out.set_storm(result.storm);
  for (const std::string& line : result.witnesses) out.add_witness(line);
}

RunResult from_message(const record::Result& from) {
  RunResult out;
  out.scenario = from.scenario();
  out.seed = from.seed();
  out.holds = from.holds();
  out.fingerprint = from.fingerprint();
  out.events = from.events();
  out.simulated_seconds = from.simulated_seconds();
  out.operations = from.operations();
  out.history_hash = from.history_hash();
  for (const auto& line : from.expectation())
    out.expectations.push_back({line.name(), line.holds(), line.detail()});
  for (const auto& metric : from.metric()) out.metrics.push_back({metric.name(), metric.value()});
  for (const auto& pooled : from.pooled()) {
    out.pooled.push_back({pooled.name(),
                          pooled.kind(),
                          pooled.published(),
                          pooled.tolerance(),
                          pooled.quantile(),
                          pooled.successes(),
                          pooled.trials(),
                          pooled.histogram(),
                          {}});
    for (const auto& point : pooled.point())
      out.pooled.back().points.push_back(from_message(point));
  }
  for (const auto& point : from.t_visibility()) out.t_visibility.push_back(from_message(point));
  for (const auto& point : from.checkpoint())
    out.checkpoints.push_back({point.events(), point.at(), point.fingerprint()});
  out.faults.assign(from.fault().begin(), from.fault().end());
  out.storm = from.storm();
  out.witnesses.assign(from.witness().begin(), from.witness().end());
  return out;
}

}  // namespace

Result<void> write_recording(const std::string& path, const Recording& recording) {
  record::Recording message;
  message.set_scenario_file(recording.scenario_file);
  message.set_scenario_text(recording.scenario_text);
  message.set_seed(recording.seed);
  message.set_build(recording.build);
  message.set_planted_build(recording.planted_build);
  message.set_gate(recording.gate);
  message.set_finished(recording.finished);
  if (recording.branch.seed != 0) {
    message.mutable_branch()->set_event(recording.branch.event);
    message.mutable_branch()->set_seed(recording.branch.seed);
  }
  to_message(recording.result, *message.mutable_result());
  message.set_history(recording.result.history);
  return write_sealed(path, kRecordingSeal, message.SerializeAsString());
}

Result<Recording> read_recording(const std::string& path) {
  Result<std::string> body = read_sealed(path, kRecordingSeal);
  if (!body.ok()) return body.error();
  record::Recording message;
  if (!message.ParseFromString(*body))
    return {Code::kCorrupt, concat(path, ": this recording is damaged: it cannot be parsed")};
  Recording recording;
  recording.scenario_file = message.scenario_file();
  recording.scenario_text = message.scenario_text();
  recording.seed = message.seed();
  recording.build = message.build();
  recording.planted_build = message.planted_build();
  recording.gate = message.gate();
  recording.finished = message.finished();
  recording.branch = {message.branch().event(), message.branch().seed()};
  recording.result = from_message(message.result());
  recording.result.history = message.history();
  return recording;
}

std::string encode_result(const RunResult& result) {
  record::Result message;
  to_message(result, message);
  return message.SerializeAsString();
}

Result<RunResult> decode_result(const std::string& bytes) {
  record::Result message;
  if (!message.ParseFromString(bytes)) return {Code::kCorrupt, "these bytes are no result"};
  return from_message(message);
}

uint64_t build_id() {
  Result<std::string> program = read_text_file("/proc/self/exe");
  return program.ok() ? hash_bytes(*program) : 0;
}

}  // namespace ringside::lab
