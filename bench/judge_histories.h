// Histories for the judge benchmark, made from true objects: every operation takes effect at a
// point within its time.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/calls.h"

namespace ringside::bench {

// One key, half puts of unique values, half gets.
History register_history(uint64_t operations, uint64_t clients, uint64_t seed);

// What only the general search can judge: registers with few values, deletes and compare-and-sets,
// counters, sets with removes, and queues, in turn. In every second one result is changed, so that
// most of those are illegal.
struct GeneralHistory {
  ModelKind model = ModelKind::kRegister;
  Calls calls;
};
std::vector<GeneralHistory> general_histories(uint64_t count, uint64_t operations, uint64_t clients,
                                              uint64_t seed);

}  // namespace ringside::bench
