#include "analysis/isolation/register_order.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "runtime/check.h"

namespace ringside::isolation {

void RegisterOrder::begin(ObjectId object, const TransactionHistory& history,
                          const Versions& versions) {
  history_ = &history;
  versions_ = &versions;
  touches_ = versions.touches(object);
  writes_.assign(1, kInitialOp);
  for (const Touch& touch : touches_) {
    if (history.ops[touch.op].writes() && versions.committed(touch.transaction))
      writes_.push_back(touch.op);
  }
  replacer_.assign(writes_.size(), kNoOp);
  edges_.clear();
}

// Operations are numbered in the order of transactions, and so are an object's touches.
uint32_t RegisterOrder::version_of_write(uint32_t op) const {
  const auto at = std::lower_bound(writes_.begin() + 1, writes_.end(), op);
  CHECK(at != writes_.end() && *at == op);
  return static_cast<uint32_t>(at - writes_.begin());
}

uint32_t RegisterOrder::replace(uint32_t before, uint32_t write) {
  precede(before, version_of_write(write));
  const uint32_t other = replacer_[before];
  if (other == kNoOp) replacer_[before] = write;
  return other;
}

std::vector<RegisterOrder::Met> RegisterOrder::met() const {
  std::vector<Met> all;
  for (const Touch& touch : touches_) {
    const Op& op = history_->ops[touch.op];
    if (!versions_->committed(touch.transaction)) continue;
    uint32_t version = 0;
    if (op.kind == OpKind::kWrite) {
      version = version_of_write(touch.op);
    } else {
      const uint32_t write = versions_->link(touch.op);
      if (!op.read_known() || write == kNoOp) continue;
      if (write != kInitialOp && !versions_->committed(versions_->owner(write))) continue;
      version = version_of(write);
    }
    if (all.empty() || all.back().transaction != touch.transaction)
      all.push_back({touch.transaction, version, version});
    all.back().last = version;
  }
  return all;
}

void RegisterOrder::follow_processes() {
  std::vector<Met> all = met();
  const auto& transactions = history_->transactions;
  std::ranges::sort(all, {}, [&](const Met& one) {
    return std::pair(transactions[one.transaction].begin, one.transaction);
  });
  absl::flat_hash_map<uint32_t, uint32_t> last;  // looked up, never walked
  for (const Met& one : all) {
    const Transaction& transaction = transactions[one.transaction];
    const auto before = last.find(transaction.process);
    if (before != last.end()) precede(before->second, one.first);
    if (transaction.ok()) last[transaction.process] = one.last;
  }
}

// Of the transactions that have ended, those that ended before another of them began say nothing
// new.
void RegisterOrder::follow_real_time() {
  std::vector<Met> begins = met(), ends;
  const auto& transactions = history_->transactions;
  const auto begin_of = [&](const Met& one) { return transactions[one.transaction].begin; };
  const auto end_of = [&](const Met& one) { return transactions[one.transaction].end; };
  for (const Met& one : begins) {
    if (transactions[one.transaction].ok()) ends.push_back(one);
  }
  std::ranges::sort(begins, {},
                    [&](const Met& one) { return std::pair(begin_of(one), one.transaction); });
  std::ranges::sort(ends, {},
                    [&](const Met& one) { return std::pair(end_of(one), one.transaction); });
  std::size_t old = 0, ended = 0;
  int64_t latest_begin = INT64_MIN;
  for (const Met& one : begins) {
    for (; ended < ends.size() && end_of(ends[ended]) < begin_of(one); ++ended)
      latest_begin = std::max(latest_begin, begin_of(ends[ended]));
    while (old < ended && end_of(ends[old]) < latest_begin) ++old;
    for (std::size_t i = old; i < ended; ++i) precede(ends[i].last, one.first);
  }
}

std::vector<TransactionId> RegisterOrder::close() {
  std::vector<uint32_t> before(writes_.size(), 0);
  for (const Pair& edge : edges_) ++before[edge.after];
  for (uint32_t version = 1; version < versions(); ++version) {
    if (before[version] == 0) edges_.push_back({0, version});
  }
  std::ranges::sort(edges_);
  edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
  begin_.assign(writes_.size() + 1, 0);
  targets_.clear();
  std::ranges::fill(before, 0);
  for (const Pair& edge : edges_) {
    ++begin_[edge.before + 1];
    ++before[edge.after];
    targets_.push_back(edge.after);
  }
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];

  // Kahn's: what cannot be taken away is in a circle, or after one.
  std::vector<uint32_t> free, left = before;
  for (uint32_t version = 0; version < versions(); ++version) {
    if (left[version] == 0) free.push_back(version);
  }
  for (std::size_t i = 0; i < free.size(); ++i) {
    for (const uint32_t next : after(free[i])) {
      if (--left[next] == 0) free.push_back(next);
    }
  }
  std::vector<TransactionId> circle;
  if (free.size() == writes_.size()) return circle;
  // Walk backwards among what is left until a version repeats.
  std::vector<uint32_t> previous(writes_.size(), kNoOp);
  for (const Pair& edge : edges_) {
    if (left[edge.before] != 0 && left[edge.after] != 0) previous[edge.after] = edge.before;
  }
  std::vector<char> seen(writes_.size(), 0);
  uint32_t at = 0;
  while (left[at] == 0) ++at;
  for (; !seen[at]; at = previous[at]) seen[at] = 1;
  for (const uint32_t version : {previous[at], at}) {
    if (version != 0) circle.push_back(versions_->owner(writes_[version]));
  }
  return circle;
}

}  // namespace ringside::isolation
