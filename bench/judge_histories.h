// Histories for the judge benchmark, made from true objects: every operation takes effect at a
// point within its time.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/calls.h"

namespace ringside::bench {

// One key, half puts of unique values, half gets.
History register_history(uint64_t operations, uint64_t clients, uint64_t seed);

// What needs more than zones: registers with few values, deletes and compare-and-sets, counters,
// sets with removes, queues. Values are drawn from five again and again, or each is there
// `once`. In every second history one result is changed, so that most of those are illegal.
std::vector<Calls> general_histories(ModelKind model, bool once, uint64_t count,
                                     uint64_t operations, uint64_t clients, uint64_t seed);

}  // namespace ringside::bench
