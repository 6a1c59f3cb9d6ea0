// The zone test with compare-and-set: is this a register, when every value is written once at most?
// A compare-and-set that succeeded stands right behind the value that it expected, so values form
// chains that stay together in every linearization, and a chain is to the zone test of Gibbons &
// Korach what a value is without: its calls span [first end, last begin], and two chains contradict
// each other when each has a call that ended before one of the other's began. Within a chain the
// order is given (mini-transactions, arXiv 2504.02344). O(n log n). Refused compare-and-sets are
// left out: a *no* stands all the same, a *yes* is then none (kUnknown, with the order found).
#pragma once

#include "analysis/verdict.h"

namespace ringside {

// Nothing is deleted or appended, and no value is written twice.
bool suits_chain_test(const Calls& calls);
Verdict check_chains(const Calls& calls);

}  // namespace ringside
