#include "lab/anomaly.h"

#include <algorithm>

#include "lab/text.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

// How the judges put it, and what it is called here.
struct Way {
  const char* says;
  const char* kind;
};
constexpr Way kWays[] = {
    {" lost", "lost"},
    {"added items missing", "items missing"},
    {"that nobody wrote", "nobody wrote it"},
    {"which nobody wrote", "nobody wrote it"},
    {"there though reported as failed", "failed, yet there"},
    {"which surely failed", "failed, yet read"},
    {"before it was written", "read before it was written"},
    {"registers are not", "not one register"},
    {"cannot be opened by a fresh engine", "unreadable disk"},
    {"not on the disk of the replica", "acknowledged, not on disk"},
    {"differ between replicas", "replicas differ"},
    {"after the healing, more than", "too late"},
    {"does not run at the end", "a node does not run"},
    {"is not done at the end", "a client is not done"},
    {"deleted values came back", "deleted, yet back"},
    {"fall behind their own session", "stale in its session"},
};

std::string expectation_of(const Expectation& line) {
  // "consistent at 0ms" is of the kind "consistent".
  return line.name.substr(0, line.name.find(' '));
}

}  // namespace

Anomaly replay_anomaly() { return {kReplayAnomaly, "another run when memory is shaken"}; }

std::vector<Anomaly> anomalies_of(const RunResult& result) {
  std::vector<Anomaly> found;
  for (const Expectation& line : result.expectations) {
    if (line.holds || contains(line.detail, "nothing was tested")) continue;
    const std::size_t before = found.size();
    for (const Way& way : kWays) {
      const Anomaly anomaly{expectation_of(line), way.kind};
      if (contains(line.detail, way.says) &&
          std::find(found.begin(), found.end(), anomaly) == found.end())
        found.push_back(anomaly);
    }
    if (found.size() == before) found.push_back({expectation_of(line), "violated"});
  }
  return found;
}

std::vector<Anomaly> anomalies_of(const WorkerResult& run) {
  if (run.end == WorkerResult::End::kFinished) return anomalies_of(run.result);
  if (run.end == WorkerResult::End::kCrashed) return {{kCrashAnomaly, run.message}};
  return {};
}

bool shows(const RunResult& result, const Anomaly& anomaly) {
  const std::vector<Anomaly> found = anomalies_of(result);
  return std::find(found.begin(), found.end(), anomaly) != found.end();
}

bool shows(const WorkerResult& run, const Anomaly& anomaly) {
  const std::vector<Anomaly> found = anomalies_of(run);
  return std::find(found.begin(), found.end(), anomaly) != found.end();
}

std::optional<Anomaly> choose_anomaly(const std::vector<Anomaly>& anomalies,
                                      const std::string& expectation) {
  for (const Anomaly& anomaly : anomalies) {
    if (expectation.empty() || anomaly.expectation == expectation) return anomaly;
  }
  return std::nullopt;
}

std::string anomaly_text(const Anomaly& anomaly) {
  return concat(anomaly.expectation, ": ", anomaly.kind);
}

void expect_only(const Anomaly& anomaly, scenario::Scenario& scenario) {
  scenario::Expect& expect = *scenario.mutable_expect();
  const bool excuses = expect.evidence().excuse_damaged_disks();
  const google::protobuf::Reflection* reflection = expect.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(expect, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    // A crash ends the run before anybody judges; what is expected does not matter then.
    if (field->name() != anomaly.expectation && anomaly.expectation != kCrashAnomaly)
      reflection->ClearField(&expect, field);
  }
  scenario::Evidence& evidence = *expect.mutable_evidence();
  evidence.Clear();
  evidence.set_acknowledged_writes(1);
  if (excuses) evidence.set_excuse_damaged_disks(true);
}

}  // namespace ringside::lab
