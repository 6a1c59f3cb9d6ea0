#include "cli/play_once.h"

#include "lab/load.h"
#include "lab/recording.h"
#include "runtime/bug.h"
#include "scenarios/scenario.pb.h"

namespace ringside::cli {

lab::WorkerResult play_once(const std::string& scenario_file, const std::string& recording_file) {
  lab::WorkerResult run;
  lab::WorkerOptions options;
  options.on_result = [&](lab::WorkerResult result) {
    run = std::move(result);
    return true;
  };
  lab::Recording recording;
  recording.build = lab::build_id();
  recording.planted_build = planted_build();
  lab::run_in_workers(
      {1},
      [&](uint64_t, const lab::Teller&) -> Result<lab::RunResult> {
        Result<std::string> text = lab::read_text_file(scenario_file);
        if (!text.ok()) return text.error();
        Result<std::unique_ptr<scenario::Scenario>> scenario =
            lab::parse_scenario(*text, scenario_file);
        if (!scenario.ok()) return scenario.error();
        recording.scenario_file = scenario_file;
        recording.scenario_text = std::move(*text);
        recording.seed = (*scenario)->seed();
        recording.result.scenario = (*scenario)->name();
        recording.result.seed = recording.seed;
        // There before the run, so that a crash leaves one that replays up to it.
        if (Result<void> early = lab::write_recording(recording_file, recording); !early.ok())
          return early.error();
        Result<lab::RunResult> result = lab::run_scenario(**scenario, recording.seed);
        if (!result.ok()) return result;
        recording.finished = true;
        recording.result = *result;
        if (Result<void> late = lab::write_recording(recording_file, recording); !late.ok())
          return late.error();
        return result;
      },
      options);
  return run;
}

}  // namespace ringside::cli
