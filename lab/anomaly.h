// Anomaly: what is wrong with a run, in few enough words that two runs can be said to fail alike:
// the expectation that is violated and in which way. A run that tested nothing has none, so that a
// failure does not slip into "there is nothing left that could hold". A world that crashes has one
// of its own, and so has a run that a fresh process with shaken memory does not play again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/worker.h"

namespace ringside::lab {

inline constexpr const char* kCrashAnomaly = "crash";
inline constexpr const char* kReplayAnomaly = "deterministic";

struct Anomaly {
  std::string expectation;  // as the scenario spells it, or kCrashAnomaly, or kReplayAnomaly
  std::string kind;         // "lost", "replicas differ"; "violated" where there is only one way
  friend bool operator==(const Anomaly&, const Anomaly&) = default;
};

// "deterministic: another run when memory is shaken". No run shows it by itself.
Anomaly replay_anomaly();

// All of a run, in the order of its verdict.
std::vector<Anomaly> anomalies_of(const RunResult& result);
std::vector<Anomaly> anomalies_of(const WorkerResult& run);
bool shows(const RunResult& result, const Anomaly& anomaly);
bool shows(const WorkerResult& run, const Anomaly& anomaly);

// The first, or the first of that expectation; nothing: there is none.
std::optional<Anomaly> choose_anomaly(const std::vector<Anomaly>& anomalies,
                                      const std::string& expectation);

// "acknowledged_writes: lost"
std::string anomaly_text(const Anomaly& anomaly);

// Of what the scenario expects only what the anomaly breaks, and the least evidence.
void expect_only(const Anomaly& anomaly, scenario::Scenario& scenario);

}  // namespace ringside::lab
