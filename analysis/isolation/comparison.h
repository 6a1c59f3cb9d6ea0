// For tests: the judges of transactions held against those that try everything, and the verifier
// against lies, one random history after the other.
#pragma once

#include <cstdint>
#include <string>

namespace ringside::isolation {

struct Comparison {
  std::string disagreement;  // the first, with its history; empty: none
  uint64_t histories = 0;
  uint64_t lies = 0;  // that the verifier turned down
};
// Of up to `count` histories: lists with and without nonsense, registers that record what they
// replace and that do not.
Comparison compare_isolation(uint64_t seed, uint64_t count);

}  // namespace ringside::isolation
