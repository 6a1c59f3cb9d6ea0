// Explain: which faults a failure needs. One at a time is taken out of the run; and where there are
// few, every subset is played, smallest first, to find the minimal sets that suffice. What is taken
// out shifts no other draw, so that the rest of the weather stays as it was.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/shrink_trials.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

inline constexpr uint32_t kCausesForSubsetsMax = 12;

// A fault, or an order of the administrators.
struct Cause {
  std::string text;
  bool necessary = false;  // without it, it does not fail
};

struct Explanation {
  std::vector<Cause> causes;
  // Each a set of indices of causes that fails, and no subset of which does; by size. The empty
  // set: it fails without any.
  std::vector<std::vector<uint32_t>> sufficient;
  bool subsets = false;  // `sufficient` was looked for, to the end
};

// `scenario` is resolved and fails.
Explanation explain_causes(const scenario::Scenario& scenario, WorkerTrials& trials);

}  // namespace ringside::lab
