#include "analysis/ladder.h"

#include <numeric>

#include "analysis/chains.h"
#include "analysis/collections.h"

namespace ringside {

Verdict judge_calls(ModelKind model, const Calls& calls, Texts* texts,
                    const LadderOptions& options) {
  Verdict verdict;
  switch (model) {
    case ModelKind::kRegister:
      if (suits_chain_test(calls)) verdict = check_chains(calls);
      break;
    case ModelKind::kCounter: verdict = check_counter(calls); break;
    case ModelKind::kSet:
      if (suits_grow_only(calls)) verdict = check_grow_only(calls);
      break;
    case ModelKind::kQueue: break;
  }
  if (verdict.answer != Answer::kUnknown) return verdict;
  verdict = search_linearization(model, calls, texts, options.visited_max);
  if (verdict.answer != Answer::kNo) return verdict;
  if (options.witness) {
    verdict.witness = shrink_witness(model, calls, texts, options.visited_max);
  } else {
    verdict.witness.calls.resize(calls.calls.size());
    std::iota(verdict.witness.calls.begin(), verdict.witness.calls.end(), 0u);
  }
  return verdict;
}

}  // namespace ringside
