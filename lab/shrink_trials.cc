#include "lab/shrink_trials.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "lab/overrides.h"
#include "lab/recording.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

// Of recordings that nobody keeps.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "ringside-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) directory_ = name;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code error;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, error);
  }
  std::string path(const std::string& name) const { return concat(directory_, "/", name); }

 private:
  std::string directory_;
};

bool tests_something(const WorkerResult& run) {
  return run.end == WorkerResult::End::kFinished &&
         std::none_of(run.result.expectations.begin(), run.result.expectations.end(),
                      [](const Expectation& line) {
                        return !line.holds && contains(line.detail, "nothing was tested");
                      });
}

Result<void> record(const scenario::Scenario& scenario, WorkerResult run, const std::string& path) {
  Recording recording;
  recording.scenario_file = "candidate";
  recording.scenario_text = readable_text(scenario);
  recording.seed = scenario.seed();
  recording.build = build_id();
  recording.planted_build = planted_build();
  recording.finished = true;
  recording.result = std::move(run.result);
  return write_recording(path, recording);
}

}  // namespace

WorkerTrials::WorkerTrials(Anomaly anomaly, TrialOptions options)
    : anomaly_(std::move(anomaly)),
      options_(std::move(options)),
      started_(std::chrono::steady_clock::now()) {}

double WorkerTrials::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

bool WorkerTrials::enough() const {
  return options_.seconds_max > 0 && seconds() > options_.seconds_max;
}

std::optional<std::size_t> WorkerTrials::first_that_fails(
    const std::vector<scenario::Scenario>& candidates) {
  const std::vector<Answer> answers = play(candidates, true);
  const auto first = std::find(answers.begin(), answers.end(), Answer::kFails);
  if (first == answers.end()) return std::nullopt;
  return static_cast<std::size_t>(first - answers.begin());
}

std::vector<bool> WorkerTrials::all(const std::vector<scenario::Scenario>& candidates) {
  std::vector<bool> fails;
  for (const Answer answer : play(candidates, false)) fails.push_back(answer == Answer::kFails);
  return fails;
}

std::vector<WorkerTrials::Answer> WorkerTrials::play(
    const std::vector<scenario::Scenario>& candidates, bool until_first) {
  std::vector<Answer> answers(candidates.size(), Answer::kUnknown);
  std::vector<std::string> bytes(candidates.size());
  std::vector<uint64_t> open;  // indices, which stand for seeds here
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    bytes[i] = candidates[i].SerializeAsString();
    if (const auto found = known_.find(bytes[i]); found != known_.end()) {
      answers[i] = found->second ? Answer::kFails : Answer::kHolds;
      if (until_first && found->second) break;
    } else {
      open.push_back(i);
    }
  }
  const Tell tell = [&](uint64_t index, bool fails) {
    answers[index] = fails ? Answer::kFails : Answer::kHolds;
    known_[bytes[index]] = fails;
    ++played_;
    return !until_first || (!fails && !enough());
  };
  if (anomaly_ == replay_anomaly()) {
    play_each_twice(candidates, open, tell);
  } else {
    play_each(candidates, open, tell);
  }
  return answers;
}

void WorkerTrials::play_each(const Candidates& candidates, const std::vector<uint64_t>& open,
                             const Tell& tell) {
  run(candidates, open, [&](WorkerResult run) {
    const bool counts =
        !options_.tested || run.end != WorkerResult::End::kFinished || tests_something(run);
    return tell(run.seed, counts && shows(run, anomaly_));
  });
}

void WorkerTrials::play_each_twice(const Candidates& candidates, const std::vector<uint64_t>& open,
                                   const Tell& tell) {
  if (!options_.play_again) return;
  const ScratchDirectory scratch;
  const std::size_t at_once = std::max(1u, options_.jobs);
  bool going_on = true;
  for (std::size_t begin = 0; begin < open.size() && going_on; begin += at_once) {
    const std::size_t end = std::min(open.size(), begin + at_once);
    std::vector<uint64_t> indices(open.begin() + static_cast<std::ptrdiff_t>(begin),
                                  open.begin() + static_cast<std::ptrdiff_t>(end));
    std::map<uint64_t, std::string> recordings;
    run(candidates, indices, [&](WorkerResult run) {
      const uint64_t index = run.seed;
      const std::string path = scratch.path(concat(index, ".run"));
      if (tests_something(run) && record(candidates[index], std::move(run), path).ok())
        recordings[index] = path;
      return true;
    });
    std::vector<std::string> paths;
    for (const auto& [index, path] : recordings) paths.push_back(path);
    const std::vector<Again> verdicts = options_.play_again(paths, options_.jobs);
    std::size_t next = 0;
    for (const uint64_t index : indices) {
      const bool there = recordings.contains(index);
      const Again again = there ? verdicts[next++] : Again::kNotAsked;
      if (!tell(index, again == Again::kDifferent || again == Again::kCrashed)) {
        going_on = false;
        break;
      }
    }
  }
}

void WorkerTrials::run(const Candidates& candidates, const std::vector<uint64_t>& open,
                       std::function<bool(WorkerResult)> on_result) const {
  WorkerOptions options;
  options.jobs = options_.jobs;
  options.on_result = std::move(on_result);
  if (options_.on_progress)
    options.on_progress = [this](const Progress&) { options_.on_progress(); };
  run_in_workers(
      open,
      [&](uint64_t index, const Teller&) -> Result<RunResult> {
        // Crashes are what is looked for; each telling of one would only be in the way.
        if (std::freopen("/dev/null", "w", stderr) == nullptr) return {Code::kIo, "no /dev/null"};
        const std::string text = readable_text(candidates[index]);
        Result<std::unique_ptr<scenario::Scenario>> scenario = parse_scenario(text, "candidate");
        if (!scenario.ok()) return scenario.error();
        Result<RunResult> result = run_scenario(**scenario, (*scenario)->seed());
        // What fails without the planted bug, too, is another failure, into which this one slipped.
        if ((*scenario)->planted_bug_size() > 0 && result.ok() && shows(*result, anomaly_)) {
          (*scenario)->clear_planted_bug();
          const Result<RunResult> without = run_scenario(**scenario, (*scenario)->seed());
          const bool holds =
              without.ok() && (options_.tested ? without->holds : !shows(*without, anomaly_));
          if (!holds) return {Code::kInvalid, "it is not the planted bug that fails"};
        }
        return result;
      },
      options);
}

}  // namespace ringside::lab
