// Seeds on the command line: "20" means 1 to 20, "5..9" means 5 to 9.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/result.h"

namespace ringside::cli {

inline constexpr uint64_t kSeedsMax = 10'000'000;

Result<std::vector<uint64_t>> parse_seeds(const std::string& text);

}  // namespace ringside::cli
