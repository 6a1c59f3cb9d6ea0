#include "analysis/isolation/dependencies.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <numeric>

#include "runtime/bug.h"

namespace ringside::isolation {

Dependencies::Dependencies(const TransactionHistory& history, const Versions& versions,
                           const DependencyOptions& options)
    : transactions_(static_cast<uint32_t>(history.transactions.size())),
      vertices_(transactions_),
      examples_max_(options.examples_max) {
  sort_by_begin(history);
  depend_on_lists(history, versions, *this);
  depend_on_registers(history, versions, options, *this);
  if (options.process_edges) depend_on_processes(history, versions, *this);
  if (options.real_time_edges) depend_on_real_time(history, versions, *this);
}

void Dependencies::sort_by_begin(const TransactionHistory& history) {
  by_begin_.resize(transactions_);
  std::iota(by_begin_.begin(), by_begin_.end(), 0);
  const auto earlier = [&](TransactionId a, TransactionId b) {
    const int64_t one = history.transactions[a].begin, two = history.transactions[b].begin;
    return one != two ? one < two : a < b;
  };
  if (!std::ranges::is_sorted(by_begin_, earlier)) std::ranges::sort(by_begin_, earlier);
}

// Few pairs are edges. Many become two chains of auxiliary vertices over the targets: one reaches
// all up to a target, the other all from it on, so that a source that is itself a target is left
// out.
void Dependencies::add_all(EdgeKind kind, std::span<const TransactionId> sources,
                           std::span<const TransactionId> targets) {
  if (sources.empty() || targets.empty()) return;
  if (sources.size() * targets.size() <= 4 * (sources.size() + targets.size())) {
    for (const TransactionId source : sources) {
      for (const TransactionId target : targets) add(kind, source, target);
    }
    return;
  }
  const auto count = static_cast<uint32_t>(targets.size());
  const uint32_t up_to = vertices_, from_on = vertices_ + count;
  vertices_ += 2 * count;
  for (uint32_t i = 0; i < count; ++i) {
    add(EdgeKind::kPass, up_to + i, targets[i]);
    add(EdgeKind::kPass, from_on + i, targets[i]);
    if (i > 0) add(EdgeKind::kPass, up_to + i, up_to + i - 1);
    if (i > 0) add(EdgeKind::kPass, from_on + i - 1, from_on + i);
  }
  for (const TransactionId source : sources) {
    const auto self = std::ranges::lower_bound(targets, source);
    if (self == targets.end() || *self != source) {
      add(kind, source, from_on);
      continue;
    }
    const auto at = static_cast<uint32_t>(self - targets.begin());
    if (at > 0) add(kind, source, up_to + at - 1);
    if (at + 1 < count) add(kind, source, from_on + at + 1);
  }
}

void Dependencies::report(AnomalyKind kind, ObjectId object, Value value,
                          std::initializer_list<TransactionId> involved) {
  uint64_t& count = counts_[static_cast<std::size_t>(kind)];
  if (count++ >= examples_max_) return;
  Anomaly& anomaly = anomalies_.emplace_back();
  anomaly.kind = kind;
  anomaly.object = object;
  anomaly.value = value;
  for (const TransactionId id : involved) {
    if (id != kNoTransaction) anomaly.transactions.push_back(id);
  }
}

// A transaction of unknown outcome may take effect later than the process went on.
void depend_on_processes(const TransactionHistory& history, const Versions& versions,
                         Dependencies& into) {
  absl::flat_hash_map<uint32_t, TransactionId> last;  // looked up, never walked
  for (const TransactionId id : into.by_begin()) {
    if (!versions.committed(id)) continue;
    const Transaction& transaction = history.transactions[id];
    const auto [before, first] = last.try_emplace(transaction.process, id);
    if (!first && !RINGSIDE_BUG(processes_have_no_order))
      into.add(EdgeKind::kProcess, before->second, id);
    if (transaction.ok())
      before->second = id;
    else if (first)
      last.erase(before);
  }
}

// Every begin that follows new ends gets a barrier: the ends lead to it, it leads to the begin and
// to the next barrier.
void depend_on_real_time(const TransactionHistory& history, const Versions& versions,
                         Dependencies& into) {
  struct End {
    int64_t time;
    TransactionId id;
  };
  std::vector<End> ends;
  ends.reserve(history.transactions.size());
  for (const TransactionId id : into.by_begin()) {
    if (history.transactions[id].ok()) ends.push_back({history.transactions[id].end, id});
  }
  std::ranges::sort(ends, [](const End& a, const End& b) {
    return a.time != b.time ? a.time < b.time : a.id < b.id;
  });
  const int64_t touching = RINGSIDE_BUG(real_time_orders_what_touches) ? 1 : 0;
  std::size_t next = 0;
  uint32_t barrier = kNoTransaction;
  for (const TransactionId id : into.by_begin()) {
    if (!versions.committed(id)) continue;
    const int64_t begin = history.transactions[id].begin + touching;
    if (next < ends.size() && ends[next].time < begin) {
      const uint32_t before = barrier;
      barrier = into.add_vertex();
      if (before != kNoTransaction) into.add(EdgeKind::kPass, before, barrier);
      for (; next < ends.size() && ends[next].time < begin; ++next)
        into.add(EdgeKind::kRealTime, ends[next].id, barrier);
    }
    if (barrier != kNoTransaction) into.add(EdgeKind::kPass, barrier, id);
  }
}

}  // namespace ringside::isolation
