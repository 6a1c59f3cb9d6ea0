// How many versions did reads return? A read that found nothing counts as none, and not at all.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "workloads/history.h"

namespace ringside {

struct VersionCounts {
  static constexpr uint32_t kMost = 4;  // … and more

  uint64_t reads = 0;  // answered, and not empty
  uint64_t versions = 0;
  uint32_t max = 0;
  std::array<uint64_t, kMost> by = {};  // by[i] reads returned i + 1 versions

  uint64_t with(uint32_t count) const { return by[std::min(count, kMost) - 1]; }
  double mean() const {
    return reads == 0 ? 0 : static_cast<double>(versions) / static_cast<double>(reads);
  }
};

inline VersionCounts count_versions(const History& history, Phase phase = Phase::kMain) {
  VersionCounts counts;
  for (const Operation& op : history.operations) {
    if (!op.is_get() || !op.ok() || op.phase != phase || op.ids_count == 0) continue;
    ++counts.reads;
    counts.versions += op.ids_count;
    counts.max = std::max(counts.max, op.ids_count);
    ++counts.by[std::min(op.ids_count, VersionCounts::kMost) - 1];
  }
  return counts;
}

}  // namespace ringside
