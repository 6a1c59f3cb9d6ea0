// The dependency graph of a history, edge list by edge list, and the anomalies that show without
// it.
//   lists      the longest read orders the versions; committed appends that nobody read come after
//   it,
//              in an order that nobody knows
//   registers  recorded replacements are exact; else the initial version is first, a write follows
//              what its transaction read, and by option the order of a process or of real time
//              holds for versions too (Elle's sequential and linearizable keys)
// Vertices up to the number of transactions are those; the others are auxiliary: barriers of real
// time (a chain, so that n transactions need O(n) edges), and fans that stand for all pairs of
// readers and writers. An edge into an auxiliary vertex has the kind, those that lead on are kPass,
// and a walk from a transaction through them to the next is one dependency. No walk leads from a
// transaction to itself.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "analysis/isolation/anomalies.h"
#include "analysis/isolation/versions.h"

namespace ringside::isolation {

struct DependencyOptions {
  bool sequential_registers = false;    // versions follow the order of each process
  bool linearizable_registers = false;  // versions follow real time
  bool process_edges = true;
  bool real_time_edges = true;
  std::size_t examples_max = 8;  // kept of each linear anomaly; all are counted
};

struct Edge {
  uint32_t from, to;
};

class Dependencies {
 public:
  Dependencies(const TransactionHistory& history, const Versions& versions,
               const DependencyOptions& options = {});

  uint32_t transactions() const { return transactions_; }
  uint32_t vertices() const { return vertices_; }
  std::span<const Edge> edges(EdgeKind kind) const {
    return edges_[static_cast<std::size_t>(kind)];
  }
  // Linear ones alone.
  const std::vector<Anomaly>& anomalies() const { return anomalies_; }
  uint64_t count(AnomalyKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  // Transactions in the order of their begins.
  const std::vector<TransactionId>& by_begin() const { return by_begin_; }

  // For those who find edges.
  void add(EdgeKind kind, uint32_t from, uint32_t to) {
    if (from != to) edges_[static_cast<std::size_t>(kind)].push_back({from, to});
  }
  uint32_t add_vertex() { return vertices_++; }
  // From every source to every target but itself. Targets are unique and sorted.
  void add_all(EdgeKind kind, std::span<const TransactionId> sources,
               std::span<const TransactionId> targets);
  void report(AnomalyKind kind, ObjectId object, Value value,
              std::initializer_list<TransactionId> involved);

 private:
  void sort_by_begin(const TransactionHistory& history);

  uint32_t transactions_ = 0, vertices_ = 0;
  std::size_t examples_max_ = 0;
  std::array<std::vector<Edge>, kEdgeKinds> edges_;
  std::vector<Anomaly> anomalies_;
  std::array<uint64_t, kAnomalyKinds> counts_ = {};
  std::vector<TransactionId> by_begin_;
};

// The parts, each in a file of its own.
void depend_on_lists(const TransactionHistory& history, const Versions& versions,
                     Dependencies& into);
void depend_on_registers(const TransactionHistory& history, const Versions& versions,
                         const DependencyOptions& options, Dependencies& into);
void depend_on_processes(const TransactionHistory& history, const Versions& versions,
                         Dependencies& into);
void depend_on_real_time(const TransactionHistory& history, const Versions& versions,
                         Dependencies& into);

}  // namespace ringside::isolation
