// An independent judge of what the checker says, from the history alone: it shares no code with the
// inference of versions, dependencies and cycles, and looks at every operation anew. A witness of a
// *no* is true when each of its edges (or its one linear claim) is, and its class is the one it
// claims; a serial order, the witness of a *yes*, when it holds what surely happened once, nothing
// that surely did not, and every read returns what a plain database would return in that order.
// Slow: a witness costs O(operations) an edge.
#pragma once

#include <span>

#include "analysis/isolation/dependencies.h"
#include "analysis/isolation/weak.h"

namespace ringside::isolation {

struct OrderClaims {
  bool processes = false;  // the order of each process too
  bool real_time = false;  // and real time
};

// Errors say what is untrue.
Result<void> verify_order(const TransactionHistory& history, std::span<const TransactionId> order,
                          const OrderClaims& claims = {});
Result<void> verify_anomaly(const TransactionHistory& history, const Anomaly& anomaly,
                            const DependencyOptions& options = {});
Result<void> verify_weak(const TransactionHistory& history, WeakLevel level,
                         const WeakWitness& witness);

}  // namespace ringside::isolation
