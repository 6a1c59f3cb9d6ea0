// 2-atomicity: is there an order of a register's calls, true to real time, in which each read
// returns one of the last two values? What quorums that overlap only just, or a store that hands
// out the value before the last, still promise. For values that are written once: Golab, Hurwitz &
// Li, "On the k-Atomicity-Verification Problem" (arXiv 1309.5522), by their limited backtracking:
// writes are placed from the last to the first; whoever is placed before w forces at most one other
// right before itself (the one whose reads began after w had ended), and where nothing is forced
// the choice is free and never needs to be taken back. O(c · n log n) with c writes at once.
//
// An end that matters is the cluster's: a write took effect before the first read of its value
// ended.
#pragma once

#include "analysis/verdict.h"

namespace ringside {

// For what suits_two_atomicity. The order of a *yes* lets every read return one of the last two
// values (verify_order with k = 2).
Verdict check_two_atomicity(const Calls& calls);

// Plain reads and writes, no value twice.
bool suits_two_atomicity(const Calls& calls);

}  // namespace ringside
