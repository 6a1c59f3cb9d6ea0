#include "lab/shrink_trials.h"

#include <algorithm>
#include <cstdio>

#include "lab/overrides.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

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
  WorkerOptions options;
  options.jobs = options_.jobs;
  if (options_.on_progress)
    options.on_progress = [this](const Progress&) { options_.on_progress(); };
  options.on_result = [&](WorkerResult run) {
    const bool fails = shows(run, anomaly_);
    answers[run.seed] = fails ? Answer::kFails : Answer::kHolds;
    known_[bytes[run.seed]] = fails;
    ++played_;
    return !until_first || (!fails && !enough());
  };
  run_in_workers(
      open,
      [&](uint64_t index, const Teller&) -> Result<RunResult> {
        // Crashes are what is looked for; each telling of one would only be in the way.
        if (std::freopen("/dev/null", "w", stderr) == nullptr) return {Code::kIo, "no /dev/null"};
        const std::string text = readable_text(candidates[index]);
        Result<std::unique_ptr<scenario::Scenario>> scenario = parse_scenario(text, "candidate");
        if (!scenario.ok()) return scenario.error();
        return run_scenario(**scenario, (*scenario)->seed());
      },
      options);
  return answers;
}

}  // namespace ringside::lab
