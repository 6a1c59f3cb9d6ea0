#include "lab/explain.h"

#include <algorithm>
#include <bit>

#include "lab/fault_text.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

std::string order_text(const scenario::Admin& order) {
  if (order.has_join()) return concat("order: join ", order.join().machine());
  if (order.has_leave()) return concat("order: leave ", order.leave().machine());
  if (order.has_replace())
    return concat("order: replace ", order.replace().machine(), " by ", order.replace().by());
  if (order.has_remove()) return concat("order: remove ", order.remove().machine());
  if (order.has_cancel()) return concat("order: cancel ", order.cancel().machine());
  return "order: upgrade";
}

// Only the causes whose bit is set: faults first, then orders.
scenario::Scenario with_only(const scenario::Scenario& scenario, const std::vector<bool>& kept) {
  scenario::Scenario out = scenario;
  out.clear_fault();
  out.clear_admin();
  for (int i = 0; i < scenario.fault_size(); ++i)
    if (kept[static_cast<std::size_t>(i)]) *out.add_fault() = scenario.fault(i);
  for (int i = 0; i < scenario.admin_size(); ++i)
    if (kept[static_cast<std::size_t>(scenario.fault_size() + i)])
      *out.add_admin() = scenario.admin(i);
  return out;
}

std::vector<bool> bits(uint32_t set, std::size_t count) {
  std::vector<bool> kept(count);
  for (std::size_t i = 0; i < count; ++i) kept[i] = (set >> i & 1) != 0;
  return kept;
}

void find_necessary(const scenario::Scenario& scenario, WorkerTrials& trials,
                    Explanation& explanation) {
  std::vector<scenario::Scenario> candidates;
  for (std::size_t i = 0; i < explanation.causes.size(); ++i) {
    std::vector<bool> kept(explanation.causes.size(), true);
    kept[i] = false;
    candidates.push_back(with_only(scenario, kept));
  }
  const std::vector<bool> fails = trials.all(candidates);
  for (std::size_t i = 0; i < fails.size(); ++i) explanation.causes[i].necessary = !fails[i];
}

// Level by level of the lattice; what holds a set that suffices is not minimal.
void find_sufficient(const scenario::Scenario& scenario, WorkerTrials& trials,
                     Explanation& explanation) {
  const std::size_t count = explanation.causes.size();
  std::vector<uint32_t> found;
  for (std::size_t size = 0; size <= count; ++size) {
    std::vector<uint32_t> sets;
    std::vector<scenario::Scenario> candidates;
    for (uint32_t set = 0; set < uint32_t{1} << count; ++set) {
      if (static_cast<std::size_t>(std::popcount(set)) != size) continue;
      if (std::any_of(found.begin(), found.end(),
                      [set](uint32_t one) { return (set & one) == one; }))
        continue;
      sets.push_back(set);
      candidates.push_back(with_only(scenario, bits(set, count)));
    }
    if (trials.enough()) return;
    const std::vector<bool> fails = trials.all(candidates);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (!fails[i]) continue;
      found.push_back(sets[i]);
      std::vector<uint32_t> members;
      for (uint32_t cause = 0; cause < count; ++cause)
        if ((sets[i] >> cause & 1) != 0) members.push_back(cause);
      explanation.sufficient.push_back(std::move(members));
    }
  }
  explanation.subsets = true;
}

}  // namespace

Explanation explain_causes(const scenario::Scenario& scenario, WorkerTrials& trials) {
  Explanation explanation;
  for (const scenario::Fault& fault : scenario.fault()) {
    const FaultText text = describe_fault(fault);
    explanation.causes.push_back({concat(text.what, " ", text.when), false});
  }
  for (const scenario::Admin& order : scenario.admin())
    explanation.causes.push_back({concat(order_text(order), " at ", order.at()), false});
  find_necessary(scenario, trials, explanation);
  if (explanation.causes.size() <= kCausesForSubsetsMax)
    find_sufficient(scenario, trials, explanation);
  return explanation;
}

}  // namespace ringside::lab
