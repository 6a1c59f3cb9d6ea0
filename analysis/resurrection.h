// Do deleted values stay deleted? A delete whose client was told that it is done, and that covered
// a value, has ended it for good: what replaced it, or nothing, may be read afterwards, the value
// itself may not. Judged by the final reads, when replicas have had their time to agree. A put that
// was tried at two coordinators may have left two versions of one value, of which the delete
// covered one: whoever saw the wire says which those are, and they are excused.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "workloads/history.h"

namespace ringside {

struct Resurrected {
  uint32_t read = kNoOperation;    // the final get that returned it
  uint32_t remove = kNoOperation;  // an acknowledged delete that covers it
  ValueId value = kAbsent;
};
struct ResurrectionReport {
  uint64_t deletes = 0;                  // acknowledged, of keys that were read afterwards
  uint64_t values = 0;                   // that they ended
  uint64_t excused = 0;                  // of those, read all the same, but written twice
  std::vector<Resurrected> resurrected;  // each value once
};
ResurrectionReport find_resurrected(const History& history,
                                    const std::function<bool(ValueId)>& written_twice);

std::string describe(const History& history, const Resurrected& resurrected);

}  // namespace ringside
