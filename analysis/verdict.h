// Verdict: what a checker of calls found, in a form that somebody else can check
// (verify_verdict.h). A *yes* carries a linearization: the calls that took effect, in an order that
// explains all results and keeps to real time. A *no* carries a witness: a few of the calls that no
// order explains, which is enough, since what was left out cannot help:
//   - calls that began after `cut` are out, and what ended after `cut` counts as unknown, because a
//     beginning of a linearizable history is linearizable;
//   - reads and refused compare-and-sets may be out;
//   - a register's value may be out with all that wrote, deleted, expected or read it (then nothing
//     refused or appended may be in); a compare-and-set counts as a plain write, which asks for
//     less, when it is out itself or is in `blind`;
//   - an element of a set, or a value of a queue, may be out with every call on it, and is then
//   taken
//     out of what reads returned.
// For k-atomicity a read may return one of the last k values, and the same holds.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/calls.h"

namespace ringside {

enum class Answer : uint8_t { kYes, kNo, kUnknown };
const char* answer_name(Answer answer);

struct Witness {
  std::vector<uint32_t> calls;  // ascending
  std::vector<uint32_t> blind;  // of those
  Time cut = kNever;
};

struct Verdict {
  Answer answer = Answer::kUnknown;
  // kYes: the linearization. kUnknown: the longest one of a part that was found.
  std::vector<uint32_t> order;
  Witness witness;       // kNo
  const char* by = "";   // the checker that decided
  uint64_t visited = 0;  // configurations, of a search
};

}  // namespace ringside
