// Is there an order of the calls on a first-in-first-out queue? A search that never asks what the
// queue holds. The n-th value taken is the n-th put in, so an order is a sequence of pairs
// (enqueue, dequeue) with equal values, dequeues that found nothing between them, and at the end
// what is still in the queue. Each call has a moment, the earliest that its own time and what comes
// before it in the sequence leave: enqueues wait for enqueues, dequeues for dequeues and for their
// own enqueue, and what finds nothing lets later enqueues wait for it. Sorted by moments the
// sequence is a linearization, and each linearization has such a sequence.
//
// Whether a call may be next depends on the set of calls done alone: it, and who was waited for,
// must have begun before the first end of those that would wait. So a configuration is that set,
// and none of the orders that concurrent enqueues may have until somebody takes what they put in.
// Of calls that ask the same and return the same, one that may begin as soon and must end no later
// goes first. Exponential at worst, in the number of calls at once; bounded by the configurations
// visited.
#pragma once

#include "analysis/search.h"

namespace ringside {

// The answer and, for kYes, the order; no witness.
Verdict search_queue(const Calls& calls, uint64_t visited_max = kVisitedMax);

}  // namespace ringside
