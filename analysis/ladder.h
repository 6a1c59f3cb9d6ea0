// The ladder: for each kind of history the cheapest test that decides it, then the general search.
//
//   register, values written once, nothing deleted or appended    chains       O(n log n)
//   grow-only set                                                 exact        O(size of the reads)
//   counter                                                       bounds, which may say no
//   queue                                                         queues, within a budget
//   anything else, and what those left open                       search, within a budget
#pragma once

#include "analysis/search.h"
#include "analysis/verdict.h"

namespace ringside {

struct LadderOptions {
  uint64_t visited_max = kVisitedMax;
  bool witness = true;  // of what the search calls illegal: a few calls, instead of all
};

Verdict judge_calls(ModelKind model, const Calls& calls, Texts* texts = nullptr,
                    const LadderOptions& options = {});

}  // namespace ringside
