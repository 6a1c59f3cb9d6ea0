// The search of Wing & Gong (1993) with the memory of Lowe (2017), as it is published and as
// Porcupine plays it: calls and returns in a linked list, a read is a choice like any other, and
// each configuration is kept with the whole set of calls done. What ours is measured against.
#pragma once

#include "analysis/calls.h"

namespace ringside::bench {

// Whether a register of reads and writes, all of known outcome, is linearizable.
bool published_search(const Calls& calls);

}  // namespace ringside::bench
