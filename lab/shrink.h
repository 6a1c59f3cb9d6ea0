// Shrink: makes a failing scenario small while it goes on failing alike. Delta debugging (Zeller
// and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002) over faults,
// orders, clients, keys and operations, then machines, then the length of faults, then every choice
// back to its benign default; again until nothing more can be taken. Every step is the first of its
// alternatives, in their order, that still fails, so that the outcome does not depend on how many
// are played at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/shrink_edits.h"

namespace ringside::lab {

// Plays scenarios and says whether they fail alike.
class Trials {
 public:
  virtual ~Trials() = default;
  // The index of the first, in their order, that still fails.
  virtual std::optional<std::size_t> first_that_fails(
      const std::vector<scenario::Scenario>& candidates) = 0;
  // No more than asked for: the shrinker ends with what it has.
  virtual bool enough() const = 0;
};

struct ShrinkOptions {
  // After every change: what is done now, and the scenario as it is.
  std::function<void(const std::string& pass, const scenario::Scenario& now)> on_change;
};

// `start` fails and is resolved. What comes back fails too; nothing of it that was tried can be
// taken away, unless `enough` cut it short.
scenario::Scenario shrink(scenario::Scenario start, Trials& trials, const ShrinkOptions& options);

}  // namespace ringside::lab
