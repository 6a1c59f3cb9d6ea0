// Reports: a result as a person reads it in ten seconds, and the same for programs.
#pragma once

#include <string>
#include <vector>

#include "cli/json.h"
#include "lab/worker.h"

namespace ringside::cli {

inline constexpr int kHolds = 0;
inline constexpr int kViolated = 1;
inline constexpr int kBadInput = 2;
inline constexpr int kNotDeterministic = 3;
inline constexpr int kCrashed = 4;

struct Report {
  std::string scenario;
  std::string about;
  std::string recording;  // where it went; empty: nowhere
};

std::string fingerprint_text(uint64_t fingerprint);

// One run.
std::string describe_run(const Report& report, const lab::WorkerResult& run);
// `times`: with what the wall clock says.
void run_as_json(const lab::WorkerResult& run, Json& json, bool times = true);

// The verdict of many seeds. `runs` in the order of seeds.
struct SetVerdict {
  uint64_t seeds = 0, holding = 0, violated = 0, crashed = 0;
  std::vector<lab::Expectation>
      expectations;  // how many seeds hold each; then the pooled estimates
  bool holds = false;
};
SetVerdict judge_set(const std::vector<lab::WorkerResult>& runs);
std::string describe_set(const Report& report, const std::vector<lab::WorkerResult>& runs,
                         const SetVerdict& verdict, double wall_seconds);
std::string set_as_json(const Report& report, const std::vector<lab::WorkerResult>& runs,
                        const SetVerdict& verdict, double wall_seconds, bool times = true);

}  // namespace ringside::cli
