#include "lab/shrink_recording.h"

#include <algorithm>

#include "lab/overrides.h"
#include "lab/plan.h"
#include "lab/shrink_trials.h"
#include "lab/text.h"
#include "lab/worker.h"
#include "runtime/bug.h"

namespace ringside::lab {
namespace {

struct Replayed {
  WorkerResult run;
  scenario::Scenario scripted;  // without a script: the workload cannot be written down
};

// Once more, to see what is wrong with it and what its clients did.
Replayed play_again(const Recorded& recorded, const scenario::Scenario& explicit_scenario) {
  Replayed again;
  WorkerOptions options;
  options.on_snapshot = [&](std::string_view bytes) {
    CHECK(again.scripted.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  };
  options.on_result = [&](WorkerResult run) {
    again.run = std::move(run);
    return true;
  };
  run_in_workers(
      {recorded.recording.seed},
      [&](uint64_t seed, const Teller& teller) {
        RunOptions run_options;
        run_options.on_steps = [&](const std::vector<ScriptStep>& steps) {
          scenario::Scenario scripted = explicit_scenario;
          if (scripted.workload().has_registers() && !steps.empty()) give_script(steps, scripted);
          teller.snapshot(scripted.SerializeAsString());
        };
        return run_scenario(*recorded.scenario, seed, run_options);
      },
      options);
  if (!again.scripted.has_workload()) again.scripted = explicit_scenario;  // it crashed
  return again;
}

Error nothing_to_shrink(const Recorded& recorded, const ShrinkRequest& request,
                        const std::vector<Anomaly>& there) {
  std::vector<std::string> violated;
  for (const Anomaly& one : there) violated.push_back(anomaly_text(one));
  return Error{
      Code::kInvalid,
      concat(recorded.file, ": ",
             request.expectation.empty() ? "nothing to shrink: no expectation is violated"
                                         : concat("does not violate ", request.expectation),
             violated.empty() ? "" : concat("; it violates ", join(violated, ", ")))};
}

std::string plural(uint64_t number, const char* what) {
  return concat(number, " ", what, number == 1 ? "" : "s");
}

}  // namespace

Result<Recorded> load_recorded(const std::string& file, const std::string& verb) {
  Result<Recording> recording = read_recording(file);
  if (!recording.ok()) return recording.error();
  Result<std::unique_ptr<scenario::Scenario>> scenario =
      parse_scenario(recording->scenario_text, recording->scenario_file);
  if (!scenario.ok()) return scenario.error();
  if (scenario.value()->planted_bug_size() > 0 && !planted_build()) {
    return {Code::kInvalid, concat(file,
                                   ": was recorded with a planted bug; use script/ringside "
                                   "--planted ",
                                   verb, " ", file)};
  }
  if (recording->branch.seed != 0 && verb != "replay" && verb != "diff") {
    return {
        Code::kInvalid,
        concat(file, ": is a future of another run, which no scenario and seed alone can play; ",
               "`ringside replay`, `log` and `diff` take it, `", verb, "` does not")};
  }
  if (recording->gate)
    return {Code::kInvalid, concat(file, ": is of the determinism gate, which judges nothing")};
  return Recorded{file, std::move(*recording), std::move(*scenario)};
}

Result<Shrunk> shrink_recording(const Recorded& recorded, const ShrinkRequest& request) {
  Result<Plan> plan = make_plan(*recorded.scenario, recorded.recording.seed, false);
  if (!plan.ok()) return plan.error();
  const scenario::Scenario whole = resolved(*recorded.scenario, *plan);
  const Replayed again = play_again(recorded, whole);
  if (again.run.end == WorkerResult::End::kRefused) return {Code::kInvalid, again.run.message};
  const std::vector<Anomaly> anomalies = anomalies_of(again.run);
  std::optional<Anomaly> anomaly = choose_anomaly(anomalies, request.expectation);
  const bool shaken = !anomaly && request.play_again &&
                      (anomalies.empty() || request.expectation == kReplayAnomaly);
  if (shaken) anomaly = replay_anomaly();
  if (!anomaly) return nothing_to_shrink(recorded, request, anomalies);

  Shrunk shrunk;
  shrunk.anomaly = *anomaly;
  shrunk.before = size_of(again.scripted);
  std::string pass = "the operations, written out";
  ScenarioSize size = shrunk.before;
  WorkerTrials* playing = nullptr;
  const auto tell = [&] {
    if (request.on_progress) request.on_progress(pass, size, playing->played(), playing->seconds());
  };
  WorkerTrials trials(*anomaly, {.jobs = request.jobs,
                                 .seconds_max = request.seconds_max,
                                 .on_progress = tell,
                                 .play_again = request.play_again,
                                 .tested = true});
  playing = &trials;
  std::vector<scenario::Scenario> starts(4, again.scripted);
  starts[1] = starts[3] = whole;
  expect_only(*anomaly, starts[0]);
  expect_only(*anomaly, starts[1]);
  const std::optional<std::size_t> start = trials.first_that_fails(starts);
  if (!start && shaken) return nothing_to_shrink(recorded, request, anomalies);
  if (!start) {
    return {Code::kCorrupt, concat(recorded.file,
                                   ": does not fail again when its faults are written "
                                   "out (",
                                   anomaly_text(*anomaly), ")")};
  }
  ShrinkOptions options;
  options.on_change = [&](const std::string& what, const scenario::Scenario& now) {
    pass = what;
    size = size_of(now);
    tell();
  };
  shrunk.scenario = shrink(starts[*start], trials, options);
  shrunk.after = size_of(shrunk.scenario);
  shrunk.cut_short = trials.enough();
  shrunk.played = trials.played();
  shrunk.seconds = trials.seconds();
  return shrunk;
}

std::string shrunk_comment(const Recorded& recorded, const Shrunk& shrunk,
                           const std::string& file) {
  const bool planted = shrunk.scenario.planted_bug_size() > 0;
  const std::string program = concat("script/ringside ", planted ? "--planted " : "");
  const std::string how = shrunk.anomaly == replay_anomaly()
                              ? concat(program, "run ", file, " --out again.run; ", program,
                                       "replay --shaken again.run")
                              : concat(program, "run ", file);
  return concat("# Shrunk from ", recorded.recording.scenario_file, ", seed ",
                recorded.recording.seed, ". What is wrong: ", anomaly_text(shrunk.anomaly),
                ".\n# Before: ", size_text(shrunk.before), ".\n# After:  ", size_text(shrunk.after),
                ".\n# It fails by itself: ", how, "\n");
}

std::string size_text(const ScenarioSize& size) {
  std::string text = plural(size.faults, "fault");
  if (size.orders > 0) append(text, ", ", plural(size.orders, "order"));
  append(text, ", ", plural(size.clients, "client"));
  if (size.operations > 0) append(text, ", ", plural(size.operations, "operation"));
  append(text, size.operations > 0 ? " on " : ", ", plural(size.keys, "key"), ", ",
         plural(size.machines, "machine"), ", ", plural(size.tunables, "setting"), ", ",
         format("%.3g s", size.seconds));
  return text;
}

}  // namespace ringside::lab
