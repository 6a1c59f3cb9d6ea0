// Session guarantees, each client a session. Of several siblings all count as read. Two rules:
//   kCausal    a store that keeps siblings: the value in question must be among those read or
//   superseded by one of them kRealTime  a store with a last-writer rule: it is a violation only
//   when everything that was read is surely older
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/history.h"

namespace ringside {

enum class SessionRule : uint8_t { kCausal, kRealTime };

struct SessionViolation {
  uint32_t read = kNoOperation;     // the get that is behind
  uint32_t earlier = kNoOperation;  // the session's own put, or its earlier get
  ValueId missing = kAbsent;        // what was written, or seen, and is gone
};
struct SessionReport {
  uint64_t checked = 0;  // reads that had something to live up to
  uint64_t violated = 0;
  std::vector<SessionViolation> examples;  // the first few
};

SessionReport check_read_your_writes(const History& history, SessionRule rule,
                                     std::size_t examples_max = 10);
SessionReport check_monotonic_reads(const History& history, SessionRule rule,
                                    std::size_t examples_max = 10);

std::string describe(const History& history, const SessionViolation& violation);

}  // namespace ringside
