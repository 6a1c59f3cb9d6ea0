// What a hunt found, for people and for programs. What the wall clock says is left out on request,
// so that equal hunts are equal bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lab/hunt_file.h"

namespace ringside::cli {

// `directory` is where its bundles are; empty: nobody says.
std::string describe_hunt(const lab::HuntFile& hunt, const std::string& directory);
std::string hunt_as_json(const lab::HuntFile& hunt, bool times);

// "scenario: 384 of 2,000 seeds, 12 s, 31.2 a second, 61 probes, 2 failures of 1 kind"
std::string describe_hunting(const lab::HuntConfig& config, const lab::HuntTotals& totals,
                             uint64_t finished, double seconds, double per_second);

// The texts of a bundle (lab/bundle.h).
std::vector<std::pair<std::string, std::string>> bundle_texts(const lab::HuntConfig& config,
                                                              const lab::HuntAttempt& attempt,
                                                              const lab::HuntOutcome& outcome);

}  // namespace ringside::cli
