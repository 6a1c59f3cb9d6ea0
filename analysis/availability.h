// Availability: of the operations that were due in a second, how many succeeded, and of the whole,
// the longest gap without a success.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "workloads/history.h"

namespace ringside {

struct AvailabilityCount {
  uint64_t ok = 0, failed = 0, unknown = 0;
  uint64_t all() const { return ok + failed + unknown; }
  double share() const {
    return all() == 0 ? 0 : static_cast<double>(ok) / static_cast<double>(all());
  }
};
struct AvailabilitySecond {
  Time from = 0;
  AvailabilityCount gets, puts;
};

// Which operations count; empty: those of Phase::kMain.
using OperationFilter = std::function<bool(const Operation&)>;

// One row a second from the first to the last operation that counts, by the time it was due. An
// answer later than `deadline` after that counts as unknown.
std::vector<AvailabilitySecond> availability_per_second(const History& history,
                                                        Duration deadline = kNever,
                                                        const OperationFilter& filter = {});
// Of the operations due in [from, to).
AvailabilityCount availability(const History& history, Time from, Time to,
                               Duration deadline = kNever, const OperationFilter& filter = {});
// The longest time in [from, to) during which no operation succeeded.
Duration longest_gap(const History& history, Time from, Time to,
                     const OperationFilter& filter = {});

}  // namespace ringside
