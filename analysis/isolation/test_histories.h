// For tests: random histories of transactions, small enough to try all orders, and those who try
// them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/isolation/isolation.h"
#include "runtime/random.h"

namespace ringside::isolation {

struct RandomShape {
  bool registers = false;
  bool recorded = false;  // registers: writes say what they replaced
  bool all_ok = false;
  bool read_at_end =
      false;  // all objects as they came to be, so that the order of versions is known
  std::size_t transactions_max = 5;
  std::size_t ops_max = 3;
  double nonsense = 0.02;  // the share of reads that return anything at all
  double dirty = 0;        // the share of what failed that stays all the same
  // The share of transactions that run one after the other, each on the state that the last one
  // left; the rest read any version at all.
  double serial = 0.7;
};
TransactionHistory random_transactions(Random& random, const RandomShape& shape);

// The report of a history that can be judged; fails the test when it cannot.
IsolationReport judge(const TransactionHistory& history, const IsolationOptions& options = {});
// All of its transactions with their times, one a line.
std::string all_of(const TransactionHistory& history);

// Is there an order of what happened, and perhaps of what may have, in which every read is right?
// By trying all.
bool some_serial_order(const TransactionHistory& history, bool processes, bool real_time);
// Is there a sequence of snapshots and commits, first committer wins, in which every read is right?
bool some_snapshot_order(const TransactionHistory& history);
// Is there an order of commits that a weak level accepts? `happened`: those that count.
bool some_commit_order(const TransactionHistory& history, WeakLevel level);

// The length of the shortest simple cycle of each class, 0 for none: over direct edges, found anew
// from lists that have no linear anomaly, by walking all cycles.
std::vector<std::size_t> all_cycle_lengths(const TransactionHistory& history);

}  // namespace ringside::isolation
