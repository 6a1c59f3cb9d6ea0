// Levels below Adya's ladder, each as a rule for an order of commits: the order extends what is
// known of it (session order where the level has it, who read from whom, known orders of versions),
// and where t3 reads x from t1 while t2, another writer of x, is *visible* to t3, t2 is older than
// t1. A history has the level iff all that this demands is free of cycles (Biswas & Enea, OOPSLA
// 2019). The demands are found as in AWDIT (arXiv 2504.06975): of each session the latest visible
// writer is enough; of a transaction's writers and its reads the shorter list is walked. Visible to
// t3 is:
//   - read committed: what an earlier read of t3 read from, O(n^1.5)
//   - read atomic: what it read from, and its session's past, O(n^1.5)
//   - causal: all from which those two lead to it, O(n k log n)
//   - read your writes: its session's past
//   - monotonic reads: what its session's past read from
//   - monotonic writes: the past, in its session, of what it read from
//   - writes follow reads: what was read from in the past, in its session, of what it read from
// for n operations and k sessions. The first three respect session order; of the four guarantees
// (Terry et al., PDIS 1994) monotonic writes alone does, for writers. A transaction of unknown
// outcome that counts is a session of its own. Reads of what surely failed, of nobody's or of
// replaced writes are left out here; the linear anomalies name them.
#pragma once

#include <array>
#include <vector>

#include "analysis/isolation/anomalies.h"
#include "analysis/isolation/versions.h"

namespace ringside::isolation {

enum class WeakLevel : uint8_t {
  kReadCommitted,
  kReadAtomic,
  kCausal,
  kReadYourWrites,
  kMonotonicReads,
  kMonotonicWrites,
  kWritesFollowReads,
};
inline constexpr std::size_t kWeakLevels = 7;

const char* weak_level_name(WeakLevel level);

// A cycle, as in Anomaly. An edge kArbitration has the reader that demands it, and the object. One
// transaction alone: it is visible to the reader, which returned the initial version.
struct WeakWitness {
  std::vector<TransactionId> transactions;
  std::vector<EdgeKind> edges;
  struct Demand {
    TransactionId reader = kNoTransaction;
    ObjectId object = 0;
  };
  std::vector<Demand> demands;  // by edge
};

struct WeakVerdict {
  enum class Kind : uint8_t {
    kHolds,
    kViolated,
    kUnknown
  };  // unknown: it would have cost too much
  Kind kind = Kind::kUnknown;
  WeakWitness witness;  // of a violation
};

struct WeakOptions {
  uint64_t work_max = 200'000'000;  // clock entries, or demands, of one level
};

WeakVerdict check_weak(const TransactionHistory& history, const Versions& versions, WeakLevel level,
                       const WeakOptions& options = {});

std::string describe(const TransactionHistory& history, const WeakWitness& witness);

}  // namespace ringside::isolation
