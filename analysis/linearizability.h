// Is each key a linearizable register? The zone test of Gibbons & Korach ("Testing Shared
// Memories", 1997), exact for histories whose writes have unique values, in O(n log n). A value's
// write and the reads that returned it form a cluster with the zone [first finish, last start].
// Illegal iff a read ends before its write starts, two forward zones overlap, or a backward zone
// lies inside a forward one. Rules:
//   - a get's value is Operation::value; kAbsent is a write that finished before the start;
//   - a put of unknown outcome never ends when its value was read, and is left out when it was not;
//   an unanswered get is
//     left out; a put that failed is left out, and reading its value is an anomaly, as is a value
//     that nobody wrote;
//   - a finishes before b only when a.finished < b.invoked; equal instants are concurrent.
// Histories with deletes do not belong here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workloads/history.h"

namespace ringside {

struct LinearizabilityViolation {
  enum class Kind : uint8_t {
    kReadBeforeWrite,  // `read` ended before `other`, the write of its value, began
    kStaleRead,    // `other` had finished before `read` began, and its value is newer than the one
                   // `read` returned
    kNobodyWrote,  // no put of the history wrote what `read` returned (other is kNoOperation)
    kFailedWasRead,  // `other` surely did not happen, yet `read` returned its value
  };
  Kind kind = Kind::kStaleRead;
  KeyIndex key = 0;
  uint32_t read = kNoOperation;  // indices into History::operations
  uint32_t other = kNoOperation;
  // kStaleRead: why `other`'s value is newer: `before` (of the value read; kNoOperation: the start)
  // finished before `after` (of the newer value) began.
  uint32_t before = kNoOperation;
  uint32_t after = kNoOperation;
};

struct LinearizabilityReport {
  uint64_t keys = 0;
  uint64_t reads = 0;  // judged
  uint64_t writes = 0;
  uint64_t keys_violated = 0;
  std::vector<LinearizabilityViolation>
      violations;  // the first of each violated key, in the order of keys
  bool linearizable() const { return keys_violated == 0; }
};

// Over the operations of all phases.
LinearizabilityReport check_linearizability(const History& history);
// One key, given its operations in the order of invocation. False and `violation` when it is not a
// register.
bool check_register(const History& history, std::span<const uint32_t> operations,
                    LinearizabilityViolation& violation);

// One line that names both operations with their times.
std::string describe(const History& history, const LinearizabilityViolation& violation);

}  // namespace ringside
