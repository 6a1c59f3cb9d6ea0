// Cycles of dependencies: strongly connected components first, then in each a shortest cycle for
// every class, by breadth-first search over (vertex, state of the class's automaton on edge kinds),
// from every vertex that may begin one. A search stops as soon as it cannot beat the best of its
// class. The search may close a walk that meets a transaction twice; such a walk falls apart into
// shorter cycles and is no witness. Where one may stand in the way of a cycle, small components are
// searched walk by walk; in large ones the class is called stopped. What is ruled out never depends
// on it: a shortest walk among those that a level forbids meets no transaction twice.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "analysis/isolation/dependencies.h"
#include "analysis/isolation/graph.h"

namespace ringside::isolation {

struct CycleOptions {
  uint64_t visits_max = 400'000'000;  // edges looked at, in all; then classes are left undecided
};

struct CycleReport {
  std::vector<Anomaly> anomalies;  // at most one of a class, in the order of AnomalyKind
  // Classes whose search was given up: not found, or found and perhaps not the shortest.
  std::array<bool, kAnomalyKinds> stopped = {};
  // An order of the transactions that satisfies the most that can be satisfied of: dependencies,
  // then processes, then real time. Empty when dependencies alone have cycles.
  std::vector<TransactionId> order;
};

CycleReport find_cycles(const Dependencies& dependencies, const CycleOptions& options = {});

// The class of a cycle with these edges.
AnomalyKind classify(std::span<const EdgeKind> edges);

}  // namespace ringside::isolation
