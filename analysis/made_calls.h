// For tests: small histories of every model at random, a judge of them that tries every order, and
// all checkers held against it and against each other.
#pragma once

#include <string>
#include <vector>

#include "analysis/verdict.h"
#include "runtime/random.h"

namespace ringside {

enum class MadeKind : uint8_t {
  kRegister,  // values written once, also by compare-and-set
  kPlain,     // reads and writes alone, values once
  kRepeated,  // values again and again, deletes, refused compare-and-sets
  kTexts,     // appends
  kCounter,
  kGrowOnly,
  kSet,
  kQueue,
};
inline constexpr int kMadeKinds = 8;
const char* made_kind_name(MadeKind kind);
ModelKind model_of(MadeKind kind);

// Up to eight calls that overlap and touch. About half of them come from a true object, and some of
// those with one result changed. `texts` for kTexts.
Calls make_calls(MadeKind kind, Random& random, Texts& texts);

// Tries every order. `k`: reads may return one of the last k values.
bool some_order_explains(ModelKind model, const Calls& calls, Texts& texts, uint64_t k = 1);

struct Agreement {
  std::string disagreement;  // the first; empty: none
  uint64_t histories = 0, legal = 0;
  uint64_t orders = 0, witnesses = 0;  // verified
  uint64_t witness_calls = 0;
  uint64_t refused = 0;  // false verdicts that the verifier turned down
};
// Of `count` histories of one kind.
Agreement compare_checkers(MadeKind kind, uint64_t seed, uint64_t count);

}  // namespace ringside
