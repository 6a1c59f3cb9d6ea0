// `ringside branch`: a recorded run up to a moment, and from there on as many other futures as are
// asked for, each drawn by a seed of its own. Future N of a recording and a moment is always the
// same.
#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <thread>

#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/anomaly.h"
#include "lab/shrink_recording.h"
#include "lab/text.h"
#include "lab/units.h"
#include "runtime/random.h"

namespace ringside::cli {
namespace {

using lab::concat;

struct Future {
  uint64_t number = 0;
  bool crashed = false;
  std::vector<lab::Anomaly> anomalies;
};

int branch_refused(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

uint64_t future_seed(uint64_t seed, uint64_t number) {
  return std::max<uint64_t>(1, mix(mix(seed, 0x6272616e6368), number));  // "branch"
}

void print_futures(const BranchArguments& arguments, const std::vector<Future>& futures,
                   uint64_t violated) {
  std::map<std::string, std::vector<uint64_t>> by_anomaly;
  for (const Future& future : futures) {
    for (const lab::Anomaly& anomaly : future.anomalies)
      by_anomaly[lab::anomaly_text(anomaly)].push_back(future.number);
  }
  if (arguments.json) {
    Json json;
    json.begin_object().field("at", arguments.at).field("futures", uint64_t{futures.size()});
    json.field("violated", violated).key("anomalies").begin_array();
    for (const auto& [text, numbers] : by_anomaly) {
      json.begin_object().field("anomaly", text).key("futures").begin_array();
      for (const uint64_t number : numbers) json.number(number);
      json.end_array().end_object();
    }
    json.end_array().end_object();
    std::printf("%s\n", json.str().c_str());
    return;
  }
  std::printf("%s  from %s on, %llu of %zu futures violate\n",
              violated > 0 ? "VIOLATED" : "HOLDS   ", arguments.at.c_str(),
              static_cast<unsigned long long>(violated), futures.size());
  for (const auto& [text, numbers] : by_anomaly) {
    std::printf("  %6zu  %s (the first: future %llu)\n", numbers.size(), text.c_str(),
                static_cast<unsigned long long>(numbers.front()));
  }
}

}  // namespace

int branch(const BranchArguments& arguments) {
  Result<lab::Recorded> recorded = lab::load_recorded(arguments.file, "branch");
  if (!recorded.ok()) return branch_refused(recorded.error().message);
  const Result<Duration> at = lab::parse_span(arguments.at);
  if (!at.ok()) return branch_refused(concat("--at ", at.error().message));
  const scenario::Workload& workload = recorded->scenario->workload();
  if (workload.has_for_() && *at >= lab::span_of(workload.for_())) {
    return branch_refused(concat("--at ", arguments.at,
                                 ": is after the end of the workload (for: \"", workload.for_(),
                                 "\")"));
  }

  std::vector<Future> futures;
  std::string refused;
  ProgressLine line(concat("futures of ", recorded->scenario->name()));
  lab::WorkerOptions options;
  options.jobs =
      arguments.jobs > 0 ? arguments.jobs : std::max(1u, std::thread::hardware_concurrency());
  options.on_progress = [&](const lab::Progress& progress) { line.show(progress); };
  options.on_result = [&](lab::WorkerResult run) {
    if (run.end == lab::WorkerResult::End::kRefused) refused = run.message;
    futures.push_back(
        {run.seed, run.end == lab::WorkerResult::End::kCrashed, lab::anomalies_of(run)});
    return refused.empty();
  };
  std::vector<uint64_t> numbers(arguments.seeds);
  std::iota(numbers.begin(), numbers.end(), 1);
  lab::run_in_workers(
      numbers,
      [&](uint64_t number, const lab::Teller& teller) {
        lab::RunOptions run_options;
        run_options.on_progress = teller.progress;
        run_options.branch_at = *at;
        run_options.branch_seed = future_seed(recorded->recording.seed, number);
        return lab::run_scenario(*recorded->scenario, recorded->recording.seed, run_options);
      },
      options);
  line.clear();
  if (!refused.empty()) return branch_refused(refused);
  std::sort(futures.begin(), futures.end(),
            [](const Future& a, const Future& b) { return a.number < b.number; });
  const auto violated =
      static_cast<uint64_t>(std::count_if(futures.begin(), futures.end(), [](const Future& future) {
        return !future.anomalies.empty();
      }));
  print_futures(arguments, futures, violated);
  if (std::any_of(futures.begin(), futures.end(), [](const Future& f) { return f.crashed; }))
    return kCrashed;
  return violated > 0 ? kViolated : kHolds;
}

}  // namespace ringside::cli
