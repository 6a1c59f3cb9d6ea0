// Checks what checkers say, and shares nothing with them but the calls and the verdict: the models
// are written again, over plain containers, and a witness is held against every order there is. A
// linearization is checked in linear time (but for what the states cost); a witness by trying, so
// it must be small.
#pragma once

#include <string>

#include "analysis/verdict.h"

namespace ringside {

struct Verification {
  bool holds = false;
  std::string objection;  // the first one
};

// Every call of known outcome is in `order` once, none before one that had ended before it began,
// and each returned what the model says. `k`: reads may return one of the last k values.
Verification verify_order(ModelKind model, const Calls& calls, const std::vector<uint32_t>& order,
                          const Texts* texts = nullptr, uint64_t k = 1);

// What was left out may be left out (verdict.h), and no order explains the rest. Gives up, which is
// an objection, beyond `states_max` partial orders.
Verification verify_witness(ModelKind model, const Calls& calls, const Witness& witness,
                            const Texts* texts = nullptr, uint64_t k = 1,
                            uint64_t states_max = 1'000'000);

// Either, as the verdict has it; nothing can be said of an unknown one.
Verification verify_verdict(ModelKind model, const Calls& calls, const Verdict& verdict,
                            const Texts* texts = nullptr, uint64_t k = 1);

}  // namespace ringside
