// Witnesses of a few calls, out of a whole illegal history: the shortest illegal beginning, then
// what can go without making it legal. What may go is said in verdict.h.
#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "analysis/search.h"

namespace ringside {
namespace {

bool has_act(const Calls& calls, std::span<const uint32_t> some, Act act) {
  return std::ranges::any_of(some, [&](uint32_t i) { return calls.calls[i].act == act; });
}

// Sets of calls that go together: reads alone, others by value. Registers: values that are joined
// by a compare-and-set are one.
std::vector<std::vector<uint32_t>> removable(ModelKind model, const Calls& calls,
                                             std::span<const uint32_t> some, Time cut) {
  std::vector<std::vector<uint32_t>> parts;
  const bool values = model != ModelKind::kCounter && !has_act(calls, some, Act::kAppend);
  std::map<uint64_t, uint64_t> leader;
  const std::function<uint64_t(uint64_t)> find = [&](uint64_t value) {
    const uint64_t up = leader.try_emplace(value, value).first->second;
    return up == value ? value : leader[value] = find(up);
  };
  bool refused = false;
  for (const uint32_t i : some) {
    const Call& call = calls.calls[i];
    if (call.act != Act::kCompareAndSet) continue;
    refused |= !call.applied;
    if (call.applied) leader[find(call.value)] = find(call.expected);
  }
  std::map<uint64_t, std::vector<uint32_t>> by_value;
  for (const uint32_t i : some) {
    const Call& call = calls.calls[i];
    const bool empty =
        call.act == Act::kDequeue && (call.value == kAbsent || call.end > cut || !call.known());
    if (call.only_reads()) parts.push_back({i});
    if (call.act == Act::kReadAll || (call.act == Act::kCompareAndSet && !call.applied)) continue;
    if (call.only_reads() && model != ModelKind::kRegister) continue;
    if (values && !refused && !empty) by_value[find(call.value)].push_back(i);
  }
  for (auto& [value, group] : by_value) parts.push_back(std::move(group));
  return parts;
}

}  // namespace

Calls restrict_calls(ModelKind model, const Calls& calls, const Witness& witness,
                     std::vector<uint32_t>& from) {
  Calls out;
  out.object = calls.object;
  from.clear();
  // Elements of a set that are out.
  std::set<uint64_t> out_of_set;
  std::vector<bool> in(calls.calls.size());
  for (const uint32_t i : witness.calls) in[i] = true;
  if (model == ModelKind::kSet) {
    for (std::size_t i = 0; i < calls.calls.size(); ++i) {
      const Call& call = calls.calls[i];
      if (!in[i] && !call.only_reads() && call.begin <= witness.cut) out_of_set.insert(call.value);
    }
  }
  for (const uint32_t i : witness.calls) {
    Call call = calls.calls[i];
    if (call.begin > witness.cut) continue;
    if (call.end > witness.cut) {
      if (call.only_reads()) continue;
      call.end = kNever;
    }
    if (std::ranges::binary_search(witness.blind, i)) call.act = Act::kWrite;
    const std::span<const uint64_t> list = calls.list_of(call);
    call.list_begin = static_cast<uint32_t>(out.lists.size());
    for (const uint64_t element : list) {
      if (!out_of_set.contains(element)) out.lists.push_back(element);
    }
    call.list_count = static_cast<uint32_t>(out.lists.size()) - call.list_begin;
    from.push_back(i);
    out.calls.push_back(call);
  }
  return out;
}

Witness shrink_witness(ModelKind model, const Calls& calls, Texts* texts, uint64_t visited_max) {
  Witness best;
  best.calls.resize(calls.calls.size());
  std::iota(best.calls.begin(), best.calls.end(), 0u);
  uint64_t budget = visited_max;  // of all searches together, and how many
  int tries = 400;
  std::vector<uint32_t> from;
  const auto illegal = [&](const Witness& witness) {
    if (budget == 0 || tries-- <= 0) return false;
    const Verdict verdict =
        search_linearization(model, restrict_calls(model, calls, witness, from), texts, budget);
    budget -= std::min(budget, verdict.visited);
    return verdict.answer == Answer::kNo;
  };

  // The shortest illegal beginning.
  std::vector<Time> ends;
  for (const Call& call : calls.calls) {
    if (call.known()) ends.push_back(call.end);
  }
  std::ranges::sort(ends);
  std::size_t low = 0, high = ends.size();  // the beginning up to ends[high - 1] is illegal
  while (low + 1 < high) {
    const std::size_t middle = (low + high) / 2;
    Witness shorter = best;
    shorter.cut = ends[middle - 1];
    (illegal(shorter) ? high : low) = middle;
  }
  if (high > 0) best.cut = ends[high - 1];
  restrict_calls(model, calls, best, from);
  best.calls = from;

  // Delta debugging (Zeller & Hildebrandt 2002) over what may go.
  std::size_t pieces = 2;
  while (tries > 0 && budget > 0) {
    const std::vector<std::vector<uint32_t>> parts = removable(model, calls, best.calls, best.cut);
    if (parts.empty()) break;
    pieces = std::min(pieces, parts.size());
    bool smaller = false;
    for (std::size_t piece = 0; piece < pieces && !smaller; ++piece) {
      std::set<uint32_t> gone;
      const std::size_t begin = parts.size() * piece / pieces;
      const std::size_t end = parts.size() * (piece + 1) / pieces;
      for (std::size_t i = begin; i < end; ++i) gone.insert(parts[i].begin(), parts[i].end());
      Witness less{{}, {}, best.cut};
      for (const uint32_t i : best.calls) {
        if (!gone.contains(i)) less.calls.push_back(i);
      }
      if (less.calls.size() < best.calls.size() && illegal(less)) {
        best = std::move(less);
        smaller = true;
      }
    }
    if (smaller) {
      pieces = std::max<std::size_t>(2, pieces - 1);
    } else {
      if (pieces >= parts.size()) break;
      pieces = std::min(parts.size(), pieces * 2);
    }
  }
  return best;
}

}  // namespace ringside
