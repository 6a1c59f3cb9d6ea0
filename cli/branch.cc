// `ringside branch`: a recorded run up to a moment, and from there on as many other futures as are
// asked for, each drawn by a seed of its own. The run is played once, to the moment; each future is
// a copy of the world that stands there. Future N of a recording and a moment is always the same.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <numeric>
#include <thread>

#include "cli/moment.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/allocator.h"
#include "lab/anomaly.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "runtime/random.h"

namespace ringside::cli {
namespace {

using lab::concat;
using End = lab::WorkerResult::End;

struct Future {
  uint64_t number = 0;
  uint64_t fingerprint = 0;
  uint64_t events = 0;
  std::string crash;  // how its process died; empty: it did not
  std::vector<lab::Anomaly> anomalies;
};

int branch_refused(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  if (error.code == Code::kCorrupt) return kNotDeterministic;
  return error.code == Code::kReset ? kCrashed : kBadInput;
}

uint64_t future_seed(uint64_t seed, uint64_t number) {
  return std::max<uint64_t>(1, mix(mix(seed, 0x6272616e6368), number));  // "branch"
}

// Where the walk is to branch.
Result<std::unique_ptr<lab::Walk>> walk_to(const Moment& moment, const BranchArguments& arguments,
                                           const lab::Recorded& recorded, ProgressLine& line) {
  const auto started = std::chrono::steady_clock::now();
  lab::WalkOptions options{.snapshots_max = 1, .spacing_first = 1 << 16, .keep_events = 0};
  options.on_progress = [&line, started](double share) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
    line.show(elapsed.count(),
              lab::format("%.0f %% of the run, to where it branches", 100 * share));
  };
  Result<std::unique_ptr<lab::Walk>> walk = lab::Walk::begin(recorded, options);
  if (!walk.ok()) return walk;
  if (Result<void> there = go_to(**walk, moment); !there.ok()) return there.error();
  const record::Standing here = (*walk)->here();
  if (!moment.event && here.events() > 0 && !here.over()) {
    // To be the same world to the last bit as by the event's number, which comes before whatever
    // passes without an event up to the time.
    const uint64_t event = here.events();
    if (Result<void> back = (*walk)->to_event(event - 1); !back.ok()) return back.error();
    if (Result<void> there = (*walk)->to_event(event); !there.ok()) return there.error();
  }
  if (here.over()) {
    return {Code::kInvalid, concat("--at ", arguments.at, ": the run is over before, after event ",
                                   here.events(), " at ", here.at() / 1000000, "ms")};
  }
  return walk;
}

void print_futures(const BranchArguments& arguments, const record::Standing& at,
                   const std::vector<Future>& futures, uint64_t violated) {
  std::map<std::string, std::vector<uint64_t>> by_anomaly;
  for (const Future& future : futures) {
    for (const lab::Anomaly& anomaly : future.anomalies)
      by_anomaly[lab::anomaly_text(anomaly)].push_back(future.number);
  }
  if (arguments.json) {
    Json json;
    json.begin_object().field("at", arguments.at).field("event", uint64_t{at.events()});
    json.field("time_ns", static_cast<uint64_t>(at.at()));
    json.field("fingerprint", fingerprint_text(at.fingerprint()));
    json.field("futures", uint64_t{futures.size()}).field("violated", violated);
    json.key("anomalies").begin_array();
    for (const auto& [text, numbers] : by_anomaly) {
      json.begin_object().field("anomaly", text).key("futures").begin_array();
      for (const uint64_t number : numbers) json.number(number);
      json.end_array().end_object();
    }
    json.end_array().key("crashed").begin_array();
    for (const Future& future : futures) {
      if (future.crash.empty()) continue;
      json.begin_object().field("future", future.number).field("how", future.crash).end_object();
    }
    json.end_array().key("played").begin_array();
    for (const Future& future : futures) {
      if (!future.crash.empty()) continue;
      json.begin_object().field("future", future.number).field("events", future.events);
      json.field("fingerprint", fingerprint_text(future.fingerprint)).end_object();
    }
    json.end_array().end_object();
    std::printf("%s\n", json.str().c_str());
    return;
  }
  std::printf("%s  from event %llu at %.6f ms on, %llu of %zu futures violate\n",
              violated > 0 ? "VIOLATED" : "HOLDS   ", static_cast<unsigned long long>(at.events()),
              static_cast<double>(at.at()) / 1e6, static_cast<unsigned long long>(violated),
              futures.size());
  for (const auto& [text, numbers] : by_anomaly) {
    std::printf("  %6zu  %s (the first: future %llu)\n", numbers.size(), text.c_str(),
                static_cast<unsigned long long>(numbers.front()));
  }
  for (const Future& future : futures) {
    if (future.crash.empty()) continue;
    std::printf("  CRASHED   future %llu: its world's process was %s\n",
                static_cast<unsigned long long>(future.number), future.crash.c_str());
  }
}

// In its worker, from the beginning: the history of a run stays where it is played.
Result<lab::RunResult> play_and_record(const lab::Recorded& run, const lab::Branch& branch,
                                       const std::string& file) {
  lab::Recording future;
  future.scenario_file = run.recording.scenario_file;
  future.scenario_text = run.recording.scenario_text;
  future.seed = run.recording.seed;
  future.build = lab::build_id();
  future.planted_build = planted_build();
  future.branch = branch;
  future.result.scenario = run.scenario->name();
  future.result.seed = future.seed;
  // There before the run, so that a crash leaves one that replays up to it.
  if (Result<void> early = lab::write_recording(file, future); !early.ok()) return early.error();
  lab::RunOptions options;
  options.branch = branch;
  Result<lab::RunResult> result = lab::run_scenario(*run.scenario, future.seed, options);
  if (!result.ok()) return result;
  future.finished = true;
  future.result = *result;
  if (Result<void> late = lab::write_recording(file, future); !late.ok()) return late.error();
  return result;
}

int record_future(const BranchArguments& arguments, const lab::Recorded& run, uint64_t event) {
  const lab::Branch branch{event, future_seed(run.recording.seed, arguments.record)};
  const std::string file = !arguments.out.empty()
                               ? arguments.out
                               : concat(arguments.file.substr(0, arguments.file.rfind(".run")),
                                        "-future-", arguments.record, ".run");
  lab::WorkerResult future;
  lab::WorkerOptions options;
  options.on_result = [&](lab::WorkerResult result) {
    future = std::move(result);
    return true;
  };
  lab::run_in_workers(
      {run.recording.seed},
      [&](uint64_t, const lab::Teller&) { return play_and_record(run, branch, file); }, options);
  if (future.end == End::kRefused) return branch_refused({Code::kInvalid, future.message});
  if (arguments.json) {
    Json json;
    json.begin_object();
    run_as_json(future, json);
    json.field("future", arguments.record).field("event", event).field("recording", file);
    json.end_object();
    std::printf("%s\n", json.str().c_str());
  } else {
    std::fputs(describe_run({run.scenario->name(), run.scenario->about(), file}, future).c_str(),
               stdout);
  }
  if (future.end == End::kCrashed) return kCrashed;
  return future.result.holds ? kHolds : kViolated;
}

}  // namespace

int branch(const BranchArguments& arguments) {
  lab::use_large_pages();
  Result<lab::Recorded> recorded = lab::load_recorded(arguments.file, "branch");
  if (!recorded.ok()) return branch_refused({Code::kInvalid, recorded.error().message});
  const Result<Moment> moment = parse_moment(arguments.at);
  if (!moment.ok())
    return branch_refused({Code::kInvalid, concat("--at ", moment.error().message)});
  ProgressLine line(concat("futures of ", recorded->scenario->name()));
  const Result<std::unique_ptr<lab::Walk>> walk = walk_to(*moment, arguments, *recorded, line);
  if (!walk.ok()) {
    line.clear();
    return branch_refused(walk.error());
  }
  if (arguments.record != 0) {
    line.clear();
    return record_future(arguments, *recorded, (*walk)->here().events());
  }

  std::vector<Future> futures;
  std::string refused;
  lab::WorkerOptions options;
  options.jobs =
      arguments.jobs > 0 ? arguments.jobs : std::max(1u, std::thread::hardware_concurrency());
  options.on_progress = [&](const lab::Progress& progress) { line.show(progress); };
  options.on_result = [&](lab::WorkerResult run) {
    if (run.end == End::kRefused) refused = run.message;
    futures.push_back({run.seed, run.result.fingerprint, run.result.events,
                       run.end == End::kCrashed ? run.message : std::string(),
                       lab::anomalies_of(run)});
    return refused.empty();
  };
  std::vector<uint64_t> numbers(arguments.seeds);
  std::iota(numbers.begin(), numbers.end(), 1);
  lab::run_launched(
      numbers,
      [&](uint64_t number) {
        return (*walk)->world().future(future_seed(recorded->recording.seed, number));
      },
      options);
  line.clear();
  if (!refused.empty()) return branch_refused({Code::kInvalid, refused});
  std::sort(futures.begin(), futures.end(),
            [](const Future& a, const Future& b) { return a.number < b.number; });
  const auto violated =
      static_cast<uint64_t>(std::count_if(futures.begin(), futures.end(), [](const Future& future) {
        return !future.anomalies.empty();
      }));
  print_futures(arguments, (*walk)->here(), futures, violated);
  if (std::any_of(futures.begin(), futures.end(), [](const Future& f) { return !f.crash.empty(); }))
    return kCrashed;
  return violated > 0 ? kViolated : kHolds;
}

}  // namespace ringside::cli
