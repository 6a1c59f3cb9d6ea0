// Judges a history of transactions: every anomaly that it shows, a shortest witness for each class
// of cycle, and which isolation levels that leaves. What *holds* was certified: a serial order was
// found and every read replayed in it (verify.h), or a level's rule has no cycle (weak.h). Exact
// for lists, and for registers whose writes all recorded what they replaced: serializable and its
// strong forms are then either ruled out or hold. For other registers a level may stay open, since
// to find their order of versions is NP-hard (Papadimitriou, JACM 1979). O(n log n) for a history
// without cycles.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analysis/isolation/cycles.h"
#include "analysis/isolation/levels.h"
#include "analysis/isolation/weak.h"

namespace ringside::isolation {

struct IsolationOptions {
  DependencyOptions dependencies;
  CycleOptions cycles;
  WeakOptions weak;
  bool judge_weak = true;  // otherwise only what follows from the stronger levels
};

enum class LevelVerdict : uint8_t { kHolds, kRuledOut, kOpen };  // open: no anomaly, no certificate

struct IsolationReport {
  uint64_t transactions = 0, committed = 0, failed = 0;
  uint64_t unknown = 0;  // of those that count as not committed
  std::array<uint64_t, kEdgeKinds> edges = {};
  std::vector<Anomaly> anomalies;                   // linear ones first, a few of each
  std::array<uint64_t, kAnomalyKinds> counts = {};  // of linear ones all, of cycles 0 or 1
  std::array<bool, kAnomalyKinds> stopped = {};     // whose search stopped at its budget
  std::array<LevelVerdict, kLevels> levels = {};
  std::array<WeakVerdict, kWeakLevels> weak = {};
  // Serial order of the committed, when one was found that satisfies every read.
  std::vector<TransactionId> order;

  LevelVerdict level(Level one) const { return levels[static_cast<std::size_t>(one)]; }
  const WeakVerdict& weak_level(WeakLevel one) const { return weak[static_cast<std::size_t>(one)]; }
  bool shows(AnomalyKind kind) const { return counts[static_cast<std::size_t>(kind)] > 0; }
};

// An error when the history cannot be judged (see `validate`).
Result<IsolationReport> check_isolation(const TransactionHistory& history,
                                        const IsolationOptions& options = {});

// For people: the levels, then each anomaly with its witness.
std::string describe(const TransactionHistory& history, const IsolationReport& report);

}  // namespace ringside::isolation
