// Counters, grow-only sets and carts, in linear time.
//
// Counter: a read lies between what had surely been added before it began and what may have been
// before it ended (amounts of either sign). Necessary, not sufficient: a *no* is one, otherwise the
// answer is unknown and the search goes on.
//
// Grow-only set (each element added once, nothing removed, reads return everything): exact. Reads
// are in the order of their sizes and each must hold the one before; an element's add stands right
// before the first read that saw it, one that nobody saw behind all reads. No other order can be,
// so that it is a linearization or there is none.
#pragma once

#include <string>
#include <vector>

#include "analysis/verdict.h"

namespace ringside {

Verdict check_counter(const Calls& calls);

bool suits_grow_only(const Calls& calls);
Verdict check_grow_only(const Calls& calls);

// What became of each element, by the reads alone, whatever the order: for people.
struct SetReport {
  uint64_t added = 0;             // surely
  uint64_t read = 0;              // elements that some read returned
  std::vector<uint64_t> lost;     // surely added; no read that began later has it
  std::vector<uint64_t> stale;    // added or read, missed by a later read, there again after that
  std::vector<uint64_t> phantom;  // read, and nobody added it, or not yet
};
SetReport report_set(const Calls& calls);

// Shopping carts of a history: items that are lost, by the rule of durability.h, and items that
// were read and that nobody had put in.
struct CartVerdict {
  uint64_t adds = 0;
  std::vector<uint32_t> lost;      // operations
  std::vector<uint32_t> phantoms;  // reads
};
CartVerdict judge_carts(const History& history);

}  // namespace ringside
