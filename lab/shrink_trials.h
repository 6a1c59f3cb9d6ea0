// Trials in worker processes: each scenario under its own seed, as many at once as there are jobs.
// One with a planted bug fails only if it holds once that is off. Whether a run is another one when
// memory is shaken shows only beside a second one, in a fresh process: then each that tests
// something is recorded and played again.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "lab/anomaly.h"
#include "lab/shrink.h"

namespace ringside::lab {

struct TrialOptions {
  unsigned jobs = 1;
  double seconds_max = 0;             // real time, after which it is `enough`; 0: without end
  std::function<void()> on_progress;  // a few times a second
  PlayAgain play_again;               // for kReplayAnomaly; without it none shows that
  bool tested = false;                // one that tested nothing does not fail, unless it crashes
};

class WorkerTrials final : public Trials {
 public:
  // Fails alike: shows this anomaly.
  WorkerTrials(Anomaly anomaly, TrialOptions options);

  std::optional<std::size_t> first_that_fails(
      const std::vector<scenario::Scenario>& candidates) override;
  bool enough() const override;

  // Of every one, not only up to the first.
  std::vector<bool> all(const std::vector<scenario::Scenario>& candidates);

  // Runs so far. A scenario that was tried before is not played again and not counted; how many of
  // those behind the first that failed were begun depends on the jobs.
  uint64_t played() const { return played_; }
  double seconds() const;

 private:
  enum class Answer : uint8_t { kUnknown, kHolds, kFails };
  using Candidates = std::vector<scenario::Scenario>;
  // Until one fails and all before it are known, or until all are.
  std::vector<Answer> play(const Candidates& candidates, bool until_first);
  // Of the candidates with these indices; `tell` says whether to go on.
  using Tell = std::function<bool(uint64_t index, bool fails)>;
  void play_each(const Candidates& candidates, const std::vector<uint64_t>& open, const Tell& tell);
  void play_each_twice(const Candidates& candidates, const std::vector<uint64_t>& open,
                       const Tell& tell);
  void run(const Candidates& candidates, const std::vector<uint64_t>& open,
           std::function<bool(WorkerResult)> on_result) const;

  Anomaly anomaly_;
  TrialOptions options_;
  std::chrono::steady_clock::time_point started_;
  std::map<std::string, bool> known_;  // by the scenario's bytes
  uint64_t played_ = 0;
};

}  // namespace ringside::lab
