// Is there a linearization? The search of Wing & Gong ("Testing and Verifying Concurrent Objects",
// 1993) with the memory of Lowe ("Testing for Linearizability", 2017), for any sequential model:
// take a call that nothing left must precede, step the model, go on; never enter a configuration
// (set of calls done, state) twice. A call that only reads is done as soon as the state agrees, and
// never reconsidered: doing it earlier forbids nothing. A hit in the memory is compared in full
// (visited.h), so no collision of hashes decides. Queues have a search of their own (queues.h).
// Bounded by the number of configurations visited: beyond it the
// answer is unknown, with the longest linearization of a part that was found.
#pragma once

#include "analysis/verdict.h"

namespace ringside {

inline constexpr uint64_t kVisitedMax = 2'000'000;

// The answer and, for kYes, the order; no witness. `texts` where calls append.
Verdict search_linearization(ModelKind model, const Calls& calls, Texts* texts = nullptr,
                             uint64_t visited_max = kVisitedMax);

// For a history that the search calls illegal: as few of its calls as searching again and again
// within the budget can leave. At least the whole history, which is a witness too.
Witness shrink_witness(ModelKind model, const Calls& calls, Texts* texts = nullptr,
                       uint64_t visited_max = kVisitedMax);

// The history that a witness speaks of (verdict.h); `from` receives where each call stood.
Calls restrict_calls(ModelKind model, const Calls& calls, const Witness& witness,
                     std::vector<uint32_t>& from);

}  // namespace ringside
