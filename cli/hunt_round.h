// A round of a hunt, played: every attempt in a worker of its own, then those that fail, and one in
// sixteen of the others, once more in a fresh process (cli/fresh_replay.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lab/hunt.h"

namespace ringside::cli {

struct HuntRoundOptions {
  unsigned jobs = 1;
  std::string work;              // a directory for recordings that may be wanted
  std::function<bool()> enough;  // asked whenever an attempt ends; true: start no more of them
  std::function<void(uint64_t finished)> on_progress;
};

struct PlayedRound {
  std::vector<lab::HuntOutcome>
      outcomes;         // of the first attempts; of all, unless it was enough before
  std::string refused;  // why an attempt cannot be played at all; empty: all can be
};

PlayedRound play_round(const lab::HuntConfig& config, const std::vector<lab::HuntAttempt>& attempts,
                       const HuntRoundOptions& options);

// Where the recording of an attempt lies that fails or is played again.
std::string work_path(const HuntRoundOptions& options, const lab::HuntAttempt& attempt);

}  // namespace ringside::cli
