#include "analysis/collections.h"

#include <algorithm>
#include <map>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "analysis/durability.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

constexpr std::size_t kNowhere = ~std::size_t{0};

Verdict no(const char* by, std::vector<uint32_t> calls) {
  std::ranges::sort(calls);
  calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
  Verdict verdict;
  verdict.answer = Answer::kNo;
  verdict.by = by;
  verdict.witness.calls = std::move(calls);
  return verdict;
}

// The adds of a history by element.
absl::flat_hash_map<uint64_t, uint32_t> adds_of(const Calls& calls) {
  absl::flat_hash_map<uint64_t, uint32_t> adds;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    if (calls.calls[i].act == Act::kAdd) adds.emplace(calls.calls[i].value, i);
  }
  return adds;
}

}  // namespace

Verdict check_counter(const Calls& calls) {
  struct Edge {
    Time at;
    int64_t amount;
  };
  std::vector<Edge> ends, begins;
  std::vector<uint32_t> reads;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    if (call.act == Act::kRead) {
      reads.push_back(i);
      continue;
    }
    begins.push_back({call.begin, static_cast<int64_t>(call.value)});
    if (call.known()) ends.push_back({call.end, static_cast<int64_t>(call.value)});
  }
  // A sum of those that ended (began) before each of these times, separately by sign.
  const auto sums = [](std::vector<Edge>& edges, bool negative) {
    std::ranges::sort(edges, {}, &Edge::at);
    std::vector<std::pair<Time, int64_t>> sums;
    int64_t sum = 0;
    for (const Edge& edge : edges) {
      if ((edge.amount < 0) != negative) continue;
      sums.emplace_back(edge.at, sum += edge.amount);
    }
    return sums;
  };
  const auto up_done = sums(ends, false), down_done = sums(ends, true);
  const auto up_begun = sums(begins, false), down_begun = sums(begins, true);
  using Sums = std::vector<std::pair<Time, int64_t>>;
  const auto before = [](const Sums& sums, Time at) {  // strictly
    const auto end = std::ranges::lower_bound(sums, at, {}, &std::pair<Time, int64_t>::first);
    return end == sums.begin() ? int64_t{0} : std::prev(end)->second;
  };
  const auto until = [](const Sums& sums, Time at) {
    const auto end = std::ranges::upper_bound(sums, at, {}, &std::pair<Time, int64_t>::first);
    return end == sums.begin() ? int64_t{0} : std::prev(end)->second;
  };
  for (const uint32_t i : reads) {
    const Call& read = calls.calls[i];
    const auto value = static_cast<int64_t>(read.value);
    const Time late = RINGSIDE_BUG(counter_misses_what_is_under_way) ? read.begin : read.end;
    const int64_t least = before(up_done, read.begin) + until(down_begun, read.end);
    const int64_t most = until(up_begun, late) + before(down_done, read.begin);
    if (least <= value && value <= most) continue;
    // The read alone of all reads: every add stays.
    std::vector<uint32_t> witness{i};
    for (uint32_t j = 0; j < calls.calls.size(); ++j) {
      if (calls.calls[j].act != Act::kRead && calls.calls[j].begin <= read.end)
        witness.push_back(j);
    }
    Verdict verdict = no("counter bounds", std::move(witness));
    verdict.witness.cut = read.end;
    return verdict;
  }
  Verdict verdict;
  verdict.by = "counter bounds";
  return verdict;
}

bool suits_grow_only(const Calls& calls) {
  absl::flat_hash_set<uint64_t> seen;
  return std::ranges::all_of(calls.calls, [&](const Call& call) {
    return call.act == Act::kReadAll || (call.act == Act::kAdd && seen.insert(call.value).second);
  });
}

Verdict check_grow_only(const Calls& calls) {
  constexpr const char* kBy = "grow-only set";
  const absl::flat_hash_map<uint64_t, uint32_t> adds = adds_of(calls);
  std::vector<uint32_t> reads;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    if (calls.calls[i].act == Act::kReadAll) reads.push_back(i);
  }
  std::ranges::sort(reads, {}, [&](uint32_t i) { return std::pair(calls.calls[i].list_count, i); });

  std::vector<uint32_t> order;
  std::vector<uint32_t> unseen;  // adds that no read so far has
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    if (calls.calls[i].act == Act::kAdd) unseen.push_back(i);
  }
  std::vector<bool> placed(calls.calls.size());
  uint32_t before = ~uint32_t{0};
  for (const uint32_t i : reads) {
    const std::span<const uint64_t> list = calls.list_of(calls.calls[i]);
    const auto twice = std::ranges::adjacent_find(list);
    const std::size_t begin = order.size();
    std::size_t old = 0;
    for (const uint64_t element : list) {
      const auto add = adds.find(element);
      if (add == adds.end()) return no(kBy, {i});
      if (placed[add->second]) {
        ++old;
      } else {
        placed[add->second] = true;
        order.push_back(add->second);
      }
    }
    if (twice != list.end()) return no(kBy, {i, adds.at(*twice)});
    if (before != ~uint32_t{0} && old != calls.calls[before].list_count &&
        !RINGSIDE_BUG(set_reads_need_not_hold_each_other)) {
      // One element of each that the other does not have.
      const std::span<const uint64_t> other = calls.list_of(calls.calls[before]);
      std::vector<uint64_t> mine, its;
      std::ranges::set_difference(list, other, std::back_inserter(mine));
      std::ranges::set_difference(other, list, std::back_inserter(its));
      return no(kBy, {i, before, adds.at(mine.front()), adds.at(its.front())});
    }
    std::sort(order.begin() + static_cast<std::ptrdiff_t>(begin), order.end());
    order.push_back(i);
    before = i;
  }
  for (const uint32_t add : unseen) {
    if (!placed[add] && calls.calls[add].known()) order.push_back(add);
  }
  // Does it keep to real time? Equal reads stand in the order of their begins, as adds do.
  std::size_t latest = kNowhere;
  for (std::size_t at = 0; at < order.size(); ++at) {
    const Call& call = calls.calls[order[at]];
    if (latest != kNowhere && call.end < calls.calls[order[latest]].begin &&
        !RINGSIDE_BUG(set_has_no_clock)) {
      // What forces their order: the first read that stands between, which has the one and not the
      // other; between two reads, an element that only the later has.
      std::vector<uint32_t> witness{order[at], order[latest]};
      const auto is_read = [&](std::size_t k) {
        return calls.calls[order[k]].act == Act::kReadAll;
      };
      const bool reads_alone = is_read(at) && is_read(latest);
      for (std::size_t k = latest + 1; k < at; ++k) {
        if (is_read(k) == reads_alone) continue;
        witness.push_back(order[k]);
        break;
      }
      return no(kBy, std::move(witness));
    }
    if (latest == kNowhere || call.begin > calls.calls[order[latest]].begin) latest = at;
  }
  Verdict verdict;
  verdict.answer = Answer::kYes;
  verdict.by = kBy;
  verdict.order = std::move(order);
  return verdict;
}

SetReport report_set(const Calls& calls) {
  struct Element {
    Time added = kNever;  // when it was surely there: its add, or a read that has it, ended
    Time add_begins = kNever;
    Time last_present = INT64_MIN;  // begin of the last read that has it
    Time last_absent = INT64_MIN;   // begin of the last read that began after `added` and has not
    bool acknowledged = false, read = false, early = false;
  };
  std::map<uint64_t, Element> elements;
  std::vector<uint32_t> reads;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    if (call.act == Act::kReadAll) reads.push_back(i);
    if (call.act != Act::kAdd) continue;
    Element& element = elements[call.value];
    element.add_begins = std::min(element.add_begins, call.begin);
    element.acknowledged |= call.known();
    element.added = std::min(element.added, call.end);
  }
  for (const uint32_t i : reads) {
    for (const uint64_t value : calls.list_of(calls.calls[i])) {
      Element& element = elements[value];
      element.read = true;
      element.early |= calls.calls[i].end < element.add_begins;
      element.added = std::min(element.added, calls.calls[i].end);
      element.last_present = std::max(element.last_present, calls.calls[i].begin);
    }
  }
  SetReport report;
  for (auto& [value, element] : elements) {
    if (element.early || element.add_begins == kNever) report.phantom.push_back(value);
    report.added += element.acknowledged ? 1 : 0;
    report.read += element.read ? 1 : 0;
    for (const uint32_t i : reads) {
      const Call& read = calls.calls[i];
      if (read.begin > element.added && !std::ranges::binary_search(calls.list_of(read), value))
        element.last_absent = std::max(element.last_absent, read.begin);
    }
    if (element.last_absent == INT64_MIN || element.add_begins == kNever) continue;
    (element.last_present > element.last_absent ? report.stale : report.lost).push_back(value);
  }
  return report;
}

CartVerdict judge_carts(const History& history) {
  CartVerdict verdict;
  const CartReport lost = find_lost_items(history);
  verdict.adds = lost.adds;
  for (const LostWrite& write : lost.lost) verdict.lost.push_back(write.operation);
  absl::flat_hash_map<uint64_t, uint32_t> adds;  // looked up only
  for (uint32_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    if (op.is_put() && op.action == Action::kAdd && op.outcome != Outcome::kFailed)
      adds.emplace(op.item == 0 ? op.id : op.item, i);
  }
  for (uint32_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    if (!op.is_get() || !op.ok()) continue;
    for (const uint64_t item : history.items_of(op)) {
      const auto add = adds.find(item);
      const bool there = add != adds.end() && history.operations[add->second].key == op.key &&
                         history.operations[add->second].invoked <= op.finished;
      if (there) continue;
      verdict.phantoms.push_back(i);
      break;
    }
  }
  return verdict;
}

}  // namespace ringside
