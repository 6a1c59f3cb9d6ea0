#include "cli/hunt_round.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "cli/fresh_replay.h"
#include "lab/recording.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "scenarios/scenario.pb.h"

namespace ringside::cli {
namespace {

using End = lab::WorkerResult::End;

lab::Recording recording_of(const lab::HuntConfig& config, const lab::HuntAttempt& attempt,
                            std::string text) {
  lab::Recording recording;
  recording.scenario_file = config.scenarios[attempt.scenario].file;
  if (attempt.variation)
    lab::append(recording.scenario_file, " with the storm of seed ", attempt.parent);
  recording.scenario_text = std::move(text);
  recording.seed = attempt.seed;
  recording.build = config.build;
  recording.planted_build = planted_build();
  recording.result.scenario = config.scenarios[attempt.scenario].name;
  recording.result.seed = attempt.seed;
  return recording;
}

// In the worker.
Result<lab::RunResult> play_attempt(const lab::HuntConfig& config, const lab::HuntAttempt& attempt,
                                    const std::string& path, const lab::Teller& teller) {
  Result<std::string> text = lab::text_of(attempt, config);
  if (!text.ok()) return text.error();
  std::unique_ptr<scenario::Scenario> varied;
  const scenario::Scenario* scenario = config.scenarios[attempt.scenario].scenario.get();
  if (attempt.variation) {
    auto parsed = lab::parse_scenario(*text, config.scenarios[attempt.scenario].file);
    if (!parsed.ok()) return parsed.error();
    varied = std::move(*parsed);
    scenario = varied.get();
  }
  lab::RunOptions run_options;
  run_options.on_progress = teller.progress;
  Result<lab::RunResult> result = lab::run_scenario(*scenario, attempt.seed, run_options);
  if (!result.ok()) return result.error();
  if (result->holds && !lab::played_again(attempt, config)) return result;
  lab::Recording recording = recording_of(config, attempt, std::move(*text));
  recording.finished = true;
  recording.result = std::move(*result);
  if (Result<void> wrote = lab::write_recording(path, recording); !wrote.ok()) return wrote.error();
  return std::move(recording.result);
}

// What a crash could not write itself.
void leave_recording(const lab::HuntConfig& config, const lab::HuntAttempt& attempt,
                     const std::string& path) {
  Result<std::string> text = lab::text_of(attempt, config);
  if (!text.ok()) return;
  (void)lab::write_recording(path, recording_of(config, attempt, std::move(*text)));
}

void replay_fresh(const lab::HuntConfig& config, const std::vector<lab::HuntAttempt>& attempts,
                  const HuntRoundOptions& options, std::vector<lab::HuntOutcome>& outcomes) {
  std::vector<std::string> recordings;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].run.end != End::kFinished) continue;
    if (!outcomes[i].fails() && !lab::played_again(attempts[i], config)) continue;
    recordings.push_back(work_path(options, attempts[i]));
    whose.push_back(i);
  }
  const std::vector<lab::Again> verdicts = play_again(recordings, options.jobs);
  for (std::size_t i = 0; i < whose.size(); ++i) outcomes[whose[i]].again = verdicts[i];
}

}  // namespace

std::string work_path(const HuntRoundOptions& options, const lab::HuntAttempt& attempt) {
  return lab::concat(options.work, "/", attempt.number, ".run");
}

PlayedRound play_round(const lab::HuntConfig& config, const std::vector<lab::HuntAttempt>& attempts,
                       const HuntRoundOptions& options) {
  PlayedRound round;
  std::vector<std::optional<lab::WorkerResult>> runs(attempts.size());
  uint64_t finished = 0;
  lab::WorkerOptions workers;
  workers.jobs = options.jobs;
  workers.on_progress = [&](const lab::Progress&) { options.on_progress(finished); };
  workers.on_result = [&](lab::WorkerResult run) {
    const std::size_t index = run.seed;  // workers are told apart by the place in the round
    if (run.end == End::kRefused) round.refused = run.message;
    run.seed = attempts[index].seed;
    run.result.scenario = config.scenarios[attempts[index].scenario].name;
    runs[index] = std::move(run);
    ++finished;
    return round.refused.empty() && !options.enough();
  };
  std::vector<uint64_t> places(attempts.size());
  std::iota(places.begin(), places.end(), 0);
  lab::run_in_workers(
      places,
      [&](uint64_t place, const lab::Teller& teller) {
        return play_attempt(config, attempts[place], work_path(options, attempts[place]), teller);
      },
      workers);
  if (!round.refused.empty()) return round;
  // They start in order, and whoever started has ended.
  for (std::size_t i = 0; i < runs.size() && runs[i]; ++i) {
    if (runs[i]->end == End::kCrashed)
      leave_recording(config, attempts[i], work_path(options, attempts[i]));
    round.outcomes.push_back({std::move(*runs[i]), lab::Again::kNotAsked});
  }
  replay_fresh(config, attempts, options, round.outcomes);
  return round;
}

}  // namespace ringside::cli
