// `ringside run`: one seed or many, each world in a worker of its own, each worker with a recording
// that is there before the run, so that a crash leaves one that replays up to it.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "cli/progress.h"
#include "cli/report.h"
#include "cli/seeds.h"
#include "cli/verbs.h"
#include "cli/watch.h"
#include "lab/load.h"
#include "lab/merge.h"
#include "lab/plan.h"
#include "lab/recording.h"
#include "lab/shard.h"
#include "lab/storm.h"
#include "lab/text.h"
#include "lab/worker.h"
#include "runtime/bug.h"
#include "runtime/random.h"
#include "scenarios/scenario.pb.h"

namespace ringside::cli {
namespace {

using lab::concat;
using End = lab::WorkerResult::End;

int bad_input(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

// What stays the same for every seed of a call.
struct Job {
  std::string file;
  std::string text;
  std::unique_ptr<scenario::Scenario> scenario;
  uint64_t build = 0;
};

// The scenario's text with the storm of a recording in place of its own faults.
Result<std::string> give_storm(const scenario::Scenario& scenario, const std::string& from) {
  Result<lab::Recording> recording = lab::read_recording(from);
  if (!recording.ok()) return recording.error();
  if (!recording->finished) {
    return {Code::kInvalid,
            concat(from, ": was left by a run that did not finish; its faults are not in it")};
  }
  uint32_t left_out = 0;
  Result<std::string> text = lab::with_storm(scenario, recording->result.storm, &left_out);
  if (text.ok() && left_out > 0) {
    std::fprintf(stderr,
                 "%s: %u of its faults are left out: they begin after this workload's end, or "
                 "strike only clients that it lacks\n",
                 from.c_str(), left_out);
  }
  return text;
}

Result<Job> load_job(std::string file, const std::string& faults) {
  Result<std::string> text = lab::read_text_file(file);
  if (!text.ok()) return text.error();
  Result<std::unique_ptr<scenario::Scenario>> scenario = lab::parse_scenario(*text, file);
  if (!scenario.ok()) return scenario.error();
  if (!faults.empty()) {
    text = give_storm(**scenario, faults);
    if (!text.ok()) return text.error();
    file = concat(file, " with the faults of ", faults);
    scenario = lab::parse_scenario(*text, file);
    if (!scenario.ok()) return scenario.error();
  }
  if (scenario.value()->planted_bug_size() > 0 && !planted_build()) {
    return {Code::kInvalid,
            concat(file, ": switches on the planted bug ", scenario.value()->planted_bug(0),
                   ", which this build does not have; use script/ringside --planted run ", file)};
  }
  return Job{file, std::move(*text), std::move(*scenario), lab::build_id()};
}

lab::Recording recording_of(const Job& job, uint64_t seed) {
  lab::Recording recording;
  recording.scenario_file = job.file;
  recording.scenario_text = job.text;
  recording.seed = seed;
  recording.build = job.build;
  recording.planted_build = planted_build();
  recording.result.scenario = job.scenario->name();
  recording.result.seed = seed;
  return recording;
}

// In the worker. What cannot be recorded is an error of the run: nobody may believe that there is a
// recording.
Result<lab::RunResult> run_one(const Job& job, uint64_t seed, const std::string& path,
                               lab::RunOptions options) {
  lab::Recording recording = recording_of(job, seed);
  if (Result<void> early = lab::write_recording(path, recording); !early.ok()) return early.error();
  Result<lab::RunResult> result = lab::run_scenario(*job.scenario, seed, options);
  if (!result.ok()) {
    std::filesystem::remove(path);
    return result.error();
  }
  recording.finished = true;
  recording.result = std::move(*result);
  if (Result<void> late = lab::write_recording(path, recording); !late.ok()) return late.error();
  return std::move(recording.result);
}

std::string default_name(const Job& job, uint64_t seed) {
  return concat(job.scenario->name(), "-seed-", seed, ".run");
}

Result<void> make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) return {Code::kIo, concat(directory.string(), ": cannot be made: ", error.message())};
  return {};
}

// Plays one seed in a worker and shows it meanwhile: as a line of progress, or as it plays.
lab::WorkerResult play(const RunArguments& arguments, const Job& job, const std::string& path,
                       Watch* watch) {
  ProgressLine line(concat(job.scenario->name(), ", seed ", arguments.seed));
  lab::WorkerResult run;
  lab::WorkerOptions options;
  if (watch != nullptr) {
    options.look_every_ms = Watch::kLookEveryMs;
    options.on_snapshot = [&](std::string_view bytes) { watch->take(bytes); };
    options.hold = [&] { return watch->look(); };
  } else {
    options.on_progress = [&](const lab::Progress& progress) { line.show(progress); };
  }
  options.on_result = [&](lab::WorkerResult result) {
    run = std::move(result);
    return true;
  };
  lab::run_in_workers(
      {arguments.seed},
      [&](uint64_t seed, const lab::Teller& teller) {
        lab::RunOptions run_options;
        run_options.on_progress = teller.progress;
        if (watch != nullptr) {
          Terminal::forget();
          run_options.on_snapshot = teller.snapshot;
          run_options.snapshot_every = watch->snapshot_every();
        }
        return run_one(job, seed, path, run_options);
      },
      options);
  if (watch != nullptr && run.end != End::kRefused) watch->finish();
  return run;
}

int run_single(const RunArguments& arguments, const Job& job) {
  const std::string path =
      arguments.out.empty() ? concat("runs/", default_name(job, arguments.seed)) : arguments.out;
  if (arguments.out.empty()) {
    if (Result<void> made = make_directory("runs"); !made.ok())
      return bad_input(made.error().message);
  }
  std::unique_ptr<Watch> watch;
  if (arguments.watch) {
    const Result<lab::Plan> plan = lab::make_plan(*job.scenario, arguments.seed, false);
    if (!plan.ok()) return bad_input(plan.error().message);
    watch = std::make_unique<Watch>(*job.scenario, *plan, arguments.seed, arguments.speed);
  }
  lab::WorkerResult run = play(arguments, job, path, watch.get());
  watch.reset();  // the terminal is as it was before anything is printed
  if (run.end == End::kRefused) return bad_input(run.message);
  if (arguments.json) {
    run.result.scenario = job.scenario->name();
    Json json;
    json.begin_object();
    run_as_json(run, json);
    json.field("recording", path).end_object();
    std::printf("%s\n", json.str().c_str());
  } else {
    std::fputs(describe_run({job.scenario->name(), job.scenario->about(), path}, run).c_str(),
               stdout);
  }
  if (run.end == End::kCrashed) return kCrashed;
  return run.result.holds ? kHolds : kViolated;
}

// What `merge` needs of a shard.
Result<void> leave_shard(const RunArguments& arguments, const Job& job,
                         const std::string& directory, double seconds,
                         const std::vector<lab::WorkerResult>& runs) {
  if (arguments.shard.empty()) return {};
  Result<lab::Shard> which = lab::parse_shard(arguments.shard);
  if (!which.ok()) return which.error();
  lab::RunShard shard;
  shard.scenario = job.scenario->name();
  shard.about = job.scenario->about();
  shard.text_hash = hash_bytes(job.text);
  shard.build = job.build;
  shard.seeds = arguments.seeds;
  shard.shard = *which;
  shard.wall_seconds = seconds;
  shard.runs = runs;
  return lab::write_run_shard(lab::run_shard_path(directory, shard), shard);
}

int run_many(const RunArguments& arguments, const Job& job) {
  Result<std::vector<uint64_t>> seeds = parse_seeds(arguments.seeds);
  if (!seeds.ok()) return bad_input(seeds.error().message);
  if (!arguments.shard.empty()) {
    const Result<lab::Shard> shard = lab::parse_shard(arguments.shard);
    if (!shard.ok()) return bad_input(shard.error().message);
    *seeds = lab::part_of(*seeds, *shard);
  }
  const std::string directory = arguments.out.empty() ? "runs" : arguments.out;
  if (Result<void> made = make_directory(directory); !made.ok())
    return bad_input(made.error().message);
  const auto path_of = [&](uint64_t seed) {
    return concat(directory, "/", default_name(job, seed));
  };

  ProgressLine line(job.scenario->name());
  std::vector<lab::WorkerResult> runs;
  std::string refused;
  lab::WorkerOptions options;
  options.jobs =
      arguments.jobs > 0 ? arguments.jobs : std::max(1u, std::thread::hardware_concurrency());
  options.on_progress = [&](const lab::Progress& progress) { line.show(progress); };
  options.on_result = [&](lab::WorkerResult result) {
    if (result.end == End::kRefused) {
      refused = result.message;
      return false;
    }
    // Those that hold would only fill the disk: the seed is enough to have them again.
    if (result.end == End::kFinished && result.result.holds)
      std::filesystem::remove(path_of(result.seed));
    result.result.scenario = job.scenario->name();
    runs.push_back(std::move(result));
    return true;
  };
  const auto started = std::chrono::steady_clock::now();
  lab::run_in_workers(
      *seeds,
      [&](uint64_t seed, const lab::Teller& teller) {
        lab::RunOptions run_options;
        run_options.on_progress = teller.progress;
        return run_one(job, seed, path_of(seed), run_options);
      },
      options);
  line.clear();
  if (!refused.empty()) return bad_input(refused);
  std::sort(runs.begin(), runs.end(),
            [](const lab::WorkerResult& a, const lab::WorkerResult& b) { return a.seed < b.seed; });
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (Result<void> left = leave_shard(arguments, job, directory, seconds, runs); !left.ok())
    return bad_input(left.error().message);
  const SetVerdict verdict = judge_set(runs);
  const Report report{job.scenario->name(), job.scenario->about(), directory};
  if (arguments.json) {
    std::printf("%s\n", set_as_json(report, runs, verdict, seconds, !arguments.no_times).c_str());
  } else {
    std::fputs(describe_set(report, runs, verdict, seconds).c_str(), stdout);
  }
  if (verdict.crashed > 0) return kCrashed;
  return verdict.holds ? kHolds : kViolated;
}

}  // namespace

int run(const RunArguments& arguments) {
  Result<Job> job = load_job(arguments.file, arguments.faults);
  if (!job.ok()) return bad_input(job.error().message);
  RunArguments chosen = arguments;
  if (!arguments.seed_given && job->scenario->has_seed()) chosen.seed = job->scenario->seed();
  return arguments.seeds.empty() ? run_single(chosen, *job) : run_many(chosen, *job);
}

}  // namespace ringside::cli
