#include "analysis/staleness.h"

#include <algorithm>

#include "analysis/by_key.h"
#include "analysis/supersession.h"

namespace ringside {
namespace {

// Counts of things at places 0..n-1, with sums of a prefix (Fenwick 1994).
class PrefixSums {
 public:
  explicit PrefixSums(std::size_t n) : tree_(n + 1) {}
  void add(std::size_t at) {
    for (++at; at < tree_.size(); at += at & (~at + 1)) ++tree_[at];
  }
  uint64_t below(std::size_t end) const {
    uint64_t sum = 0;
    for (; end > 0; end -= end & (~end + 1)) sum += tree_[end];
    return sum;
  }

 private:
  std::vector<uint32_t> tree_;
};

struct Write {
  Time invoked, finished;
};
struct Read {
  uint32_t operation;
  Time began;
  Time surely;  // when everything that it returned was surely there
};

class StalenessMeter {
 public:
  StalenessMeter(const History& history, StalenessReport& report)
      : history_(history), report_(report), values_(history), first_seen_(values_.first_seen()) {}

  void measure(std::span<const uint32_t> operations) {
    collect(operations);
    if (reads_.empty()) return;
    // Newer writes acknowledged before a read = those acknowledged before it, less those of them
    // that are not newer; the reads by what they returned, so that the writes that are not newer
    // only grow.
    std::vector<Time> acknowledged;
    for (const Write& write : writes_) acknowledged.push_back(write.finished);
    std::ranges::sort(acknowledged);
    std::vector<Time> first_ack_from(writes_.size() + 1, kNever);  // of the writes from i on
    for (std::size_t i = writes_.size(); i-- > 0;) {
      first_ack_from[i] = std::min(first_ack_from[i + 1], writes_[i].finished);
    }
    std::ranges::sort(reads_, {},
                      [](const Read& read) { return std::tuple(read.surely, read.operation); });
    PrefixSums not_newer(writes_.size());
    std::size_t next = 0;
    for (const Read& read : reads_) {
      for (; next < writes_.size() && writes_[next].invoked <= read.surely; ++next) {
        not_newer.add(index(acknowledged, writes_[next].finished));
      }
      const std::size_t before = index(acknowledged, read.began);
      const uint64_t k = before - not_newer.below(before);
      ++report_.reads;
      ++report_.by_k[std::min<std::size_t>(k, report_.by_k.size() - 1)];
      if (k == 0) continue;
      ++report_.stale;
      report_.t.add(read.began - first_ack_from[next]);
      if (k > report_.k_max) {
        report_.k_max = k;
        report_.stalest = read.operation;
      }
    }
  }

 private:
  static std::size_t index(const std::vector<Time>& sorted, Time at) {
    return static_cast<std::size_t>(std::ranges::lower_bound(sorted, at) - sorted.begin());
  }

  void collect(std::span<const uint32_t> operations) {
    writes_.clear();
    reads_.clear();
    for (const uint32_t i : operations) {  // in the order of invocation
      const Operation& op = history_.operations[i];
      if (!op.ok()) continue;
      if (op.is_put()) {
        writes_.push_back({op.invoked, op.finished});
      } else if (op.phase == Phase::kMain) {
        Read read{i, op.invoked, INT64_MIN};
        for (const ValueId id : history_.ids_of(op)) {
          const uint32_t put = values_.put_of(id);
          if (put != kNoOperation) read.surely = std::max(read.surely, first_seen_[put]);
        }
        reads_.push_back(read);
      }
    }
  }

  const History& history_;
  StalenessReport& report_;
  Supersession values_;
  std::vector<Time> first_seen_;
  std::vector<Write> writes_;
  std::vector<Read> reads_;
};

}  // namespace

double StalenessReport::within(uint64_t k) const {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < std::min<uint64_t>(k, by_k.size()); ++i) sum += by_k[i];
  return reads == 0 ? 1 : static_cast<double>(sum) / static_cast<double>(reads);
}

StalenessReport measure_staleness(const History& history, std::size_t k_buckets) {
  StalenessReport report;
  report.by_k.resize(k_buckets + 1);
  const ByKey by_key(history);
  StalenessMeter meter(history, report);
  for (KeyIndex key = 0; key < by_key.keys(); ++key) meter.measure(by_key[key]);
  return report;
}

void for_each_visibility_read(const History& history, const VisibilityRead& call) {
  std::vector<uint32_t> put_of(history.keys.size(), kNoOperation);
  std::vector<uint32_t> puts(history.keys.size());
  for (uint32_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    if (!op.is_put()) continue;
    ++puts[op.key];
    if (op.ok()) put_of[op.key] = i;
  }
  for (const Operation& op : history.operations) {
    if (!op.is_get() || !op.ok() || op.phase != Phase::kMain) continue;
    if (puts[op.key] != 1 || put_of[op.key] == kNoOperation) continue;
    const Operation& put = history.operations[put_of[op.key]];
    if (op.invoked < put.finished) continue;
    call(op, op.invoked - put.finished,
         std::ranges::find(history.ids_of(op), put.value) != history.ids_of(op).end());
  }
}

Duration nearest_rung(std::span<const Duration> ladder, Duration t) {
  auto rung = std::ranges::lower_bound(ladder, t);
  if (rung == ladder.end() || (rung != ladder.begin() && t - *std::prev(rung) < *rung - t)) --rung;
  return *rung;
}

std::vector<VisibilityPoint> measure_visibility(const History& history,
                                                std::span<const Duration> ladder) {
  std::vector<VisibilityPoint> curve;
  for (const Duration t : ladder) curve.push_back({t});
  if (curve.empty()) return curve;
  for_each_visibility_read(history, [&](const Operation&, Duration t, bool consistent) {
    auto rung = std::ranges::lower_bound(curve, nearest_rung(ladder, t), {}, &VisibilityPoint::t);
    ++rung->reads;
    rung->consistent += consistent;
  });
  return curve;
}

double time_to_visibility(std::span<const VisibilityPoint> curve, double share) {
  std::size_t from = curve.size();
  while (from > 0 && curve[from - 1].reads > 0 && curve[from - 1].share() >= share) --from;
  if (from == curve.size()) return -1;
  const VisibilityPoint& reached = curve[from];
  if (from == 0 || curve[from - 1].reads == 0) return static_cast<double>(reached.t);
  const VisibilityPoint& below = curve[from - 1];
  const double part = (share - below.share()) / (reached.share() - below.share());
  return static_cast<double>(below.t) + part * static_cast<double>(reached.t - below.t);
}

}  // namespace ringside
