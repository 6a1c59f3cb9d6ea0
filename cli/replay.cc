// `ringside replay`: the recorded scenario and seed once more, held against the recording, event
// for event.
#include <signal.h>

#include <cstdio>

#include "analysis/plot.h"
#include "cli/event_lines.h"
#include "cli/fresh_replay.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "cli/walk.h"
#include "lab/allocator.h"
#include "lab/recording.h"
#include "lab/text.h"
#include "lab/worker.h"
#include "runtime/bug.h"
#include "runtime/frame_pool.h"
#include "scenarios/scenario.pb.h"

namespace ringside::cli {
namespace {

using lab::concat;
using End = lab::WorkerResult::End;

struct Comparison {
  bool same = false;
  std::string detail;  // one line
};

Comparison compare(const lab::RunResult& recorded, const lab::RunResult& again, bool whole) {
  const auto& a = recorded.checkpoints;
  const auto& b = again.checkpoints;
  uint64_t agreed = 0;
  std::size_t compared = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].events != b[j].events) {
      ++(a[i].events < b[j].events ? i : j);
      continue;
    }
    if (a[i].fingerprint != b[j].fingerprint) {
      return {false, concat("the first difference lies between event ", format_count(agreed),
                            " and event ", format_count(a[i].events), " (", compared,
                            " checkpoints before agree)")};
    }
    agreed = a[i].events;
    ++compared;
    ++i;
    ++j;
  }
  if (!whole)
    return {true, concat(compared, " checkpoints agree, the last at event ", format_count(agreed))};
  if (recorded.fingerprint != again.fingerprint || recorded.events != again.events) {
    return {false, concat("the first difference lies behind event ", format_count(agreed))};
  }
  if (recorded.history_hash != again.history_hash)
    return {false, "the events agree, but the clients' history differs"};
  return {true, concat("the same ", format_count(again.events), " events, ", compared,
                       " checkpoints and history")};
}

int bad_input(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

// In this very process, so that a debugger that runs it is there when it stops.
int stop_at(const scenario::Scenario& scenario, const lab::Recording& recording, uint64_t until) {
  lab::RunOptions options;
  options.gate = recording.gate;
  options.branch = recording.branch;
  options.until_event = until;
  options.on_stop = [until] {
    std::fprintf(stderr, "ringside: event %llu has run; the world stands still\n",
                 static_cast<unsigned long long>(until));
    raise(SIGTRAP);
  };
  Result<lab::RunResult> result = lab::run_scenario(scenario, recording.seed, options);
  if (!result.ok()) return bad_input(result.error().message);
  std::printf("stopped after event %s, fingerprint %s\n", format_count(result->events).c_str(),
              fingerprint_text(result->fingerprint).c_str());
  return kHolds;
}

void print_json(const lab::Recording& recording, const lab::WorkerResult& run,
                const Comparison& comparison) {
  Json json;
  json.begin_object().field("scenario", recording.result.scenario).field("seed", recording.seed);
  json.field("same", comparison.same).field("detail", comparison.detail);
  json.field("fingerprint", fingerprint_text(run.result.fingerprint));
  json.field("recorded_fingerprint", fingerprint_text(recording.result.fingerprint));
  json.field("events", run.result.events).field("wall_seconds", run.wall_seconds).end_object();
  std::printf("%s\n", json.str().c_str());
}

}  // namespace

int replay(const ReplayArguments& arguments) {
  if (arguments.shaken) {
    lab::shake_memory();
    FramePool::set_enabled(false);
  }
  if (arguments.walk || !arguments.seek.empty()) return walk(arguments);
  Result<lab::Recording> recording = lab::read_recording(arguments.file);
  if (!recording.ok()) return bad_input(recording.error().message);
  Result<std::unique_ptr<scenario::Scenario>> scenario =
      lab::parse_scenario(recording->scenario_text, recording->scenario_file);
  if (!scenario.ok()) return bad_input(scenario.error().message);
  if (scenario.value()->planted_bug_size() > 0 && !planted_build()) {
    return bad_input(concat(
        arguments.file, ": was recorded with a planted bug; use script/ringside --planted replay ",
        arguments.file));
  }
  if (arguments.stop) return stop_at(**scenario, *recording, arguments.until);

  ProgressLine line(concat("replay of ", recording->result.scenario, ", seed ", recording->seed));
  lab::WorkerResult run;
  lab::WorkerOptions options;
  if (!arguments.events)
    options.on_progress = [&](const lab::Progress& progress) { line.show(progress); };
  options.on_result = [&](lab::WorkerResult result) {
    run = std::move(result);
    return true;
  };
  lab::run_in_workers(
      {recording->seed},
      [&](uint64_t seed, const std::function<void(double)>& progress) {
        lab::RunOptions run_options;
        run_options.gate = recording->gate;
        run_options.branch = recording->branch;
        run_options.until_event = arguments.until;
        run_options.on_progress = progress;
        if (arguments.events) print_events(run_options);
        return lab::run_scenario(**scenario, seed, run_options);
      },
      options);
  line.clear();
  if (run.end == End::kRefused) return bad_input(run.message);
  if (run.end == End::kCrashed) {
    std::printf(
        "CRASHED   %s, seed %llu: the world's worker was %s%s\n",
        recording->result.scenario.c_str(), static_cast<unsigned long long>(recording->seed),
        run.message.c_str(),
        recording->finished ? ", but the recorded run ended well" : ", as the recorded one");
    return kCrashed;
  }
  Comparison comparison;
  if (!recording->finished) {
    comparison = {false, "the recorded run crashed, but this one ended well"};
  } else {
    comparison = compare(recording->result, run.result, arguments.until == 0);
  }
  const bool other_build = recording->build != lab::build_id();
  if (!comparison.same && other_build)
    comparison.detail += "; it was recorded by another build, which may be why";
  if (arguments.json) {
    print_json(*recording, run, comparison);
  } else {
    std::printf("%s %s, seed %llu: %s\n  fingerprint %s, recorded %s\n",
                comparison.same ? "SAME     " : "DIFFERENT", recording->result.scenario.c_str(),
                static_cast<unsigned long long>(recording->seed), comparison.detail.c_str(),
                fingerprint_text(run.result.fingerprint).c_str(),
                fingerprint_text(recording->result.fingerprint).c_str());
  }
  if (comparison.same) return kHolds;
  return other_build ? kBadInput : kNotDeterministic;
}

}  // namespace ringside::cli
