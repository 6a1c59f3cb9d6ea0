#include "analysis/two_atomicity.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "analysis/chains.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

constexpr uint32_t kNoCluster = ~uint32_t{0};

// A value: its write and its reads.
struct Cluster {
  Time begin = INT64_MIN;      // of the write
  Time end = kNever;           // of whichever of its calls ended first
  Time last_read = INT64_MIN;  // when the last of its reads began
  uint32_t write = ~uint32_t{0};
  std::vector<uint32_t> reads;
};

// A list of all clusters by one of their times, the latest first, from which they go for good.
class Latest {
 public:
  template <class F>
  Latest(uint32_t count, F&& time_of) : order_(count), place_(count), next_(count + 1) {
    std::iota(order_.begin(), order_.end(), 0u);
    std::ranges::sort(order_, std::greater<>(),
                      [&](uint32_t c) { return std::pair(time_of(c), c); });
    for (uint32_t i = 0; i < count; ++i) place_[order_[i]] = i;
    std::iota(next_.begin(), next_.end(), 0u);
  }
  // The first place at or after `place` that is taken; their number when there is none.
  uint32_t from(uint32_t place) {
    uint32_t found = place;
    while (next_[found] != found) found = next_[found];
    while (next_[place] != found) place = std::exchange(next_[place], found);
    return found;
  }
  uint32_t at(uint32_t place) const { return order_[place]; }
  uint32_t count() const { return static_cast<uint32_t>(order_.size()); }
  void remove(uint32_t cluster) { next_[place_[cluster]] = place_[cluster] + 1; }

 private:
  std::vector<uint32_t> order_, place_, next_;  // next_: union-find of what is gone
};

class TwoAtomicity {
 public:
  TwoAtomicity(const std::vector<Cluster>& clusters)
      : clusters_(clusters),
        count_(static_cast<uint32_t>(clusters.size())),
        by_begin_(count_, [&](uint32_t c) { return clusters[c].begin; }),
        by_end_(count_, [&](uint32_t c) { return clusters[c].end; }),
        by_read_(count_, [&](uint32_t c) { return clusters[c].last_read; }),
        gone_(count_),
        stamp_(count_) {}

  // The order of the clusters from the last to the first, or as much of it as can be.
  bool run(std::vector<uint32_t>& order) {
    while (order.size() < count_) {
      const std::vector<uint32_t> epoch = find_epoch();
      if (epoch.empty()) return false;
      for (const uint32_t c : epoch) {
        gone_[c] = true;
        by_begin_.remove(c);
        by_end_.remove(c);
        by_read_.remove(c);
        order.push_back(c);
      }
    }
    return true;
  }

 private:
  // One after the other would let one long failure cost as much as all; so all get the same number
  // of steps, and twice as many when none of them comes to an end.
  std::vector<uint32_t> find_epoch() {
    std::vector<uint32_t> candidates = last_ones();
    for (uint32_t steps = 8; !candidates.empty(); steps *= 2) {
      std::vector<uint32_t> undecided;
      for (const uint32_t first : candidates) {
        std::vector<uint32_t> epoch;
        const std::optional<bool> ends = try_epoch(first, steps, epoch);
        if (ends.value_or(false)) return epoch;
        if (!ends) undecided.push_back(first);
      }
      candidates = std::move(undecided);
    }
    return {};
  }

  // Those that no other must follow.
  std::vector<uint32_t> last_ones() {
    std::vector<uint32_t> found;
    const uint32_t latest = by_begin_.at(by_begin_.from(0));
    for (uint32_t place = by_end_.from(0); place < count_; place = by_end_.from(place + 1)) {
      const uint32_t c = by_end_.at(place);
      if (c != latest && clusters_[c].end < clusters_[latest].begin) break;
      found.push_back(c);
    }
    return found;
  }

  bool is_out(uint32_t c) const { return gone_[c] || stamp_[c] == attempt_; }

  // Places `first` last of what is left, then whom it forces, and so on, until nobody is forced.
  // Nothing when `steps` do not suffice.
  std::optional<bool> try_epoch(uint32_t first, uint32_t steps, std::vector<uint32_t>& epoch) {
    ++attempt_;
    uint32_t begin_place = 0, read_place = 0;
    for (uint32_t now = first; now != kNoCluster; --steps) {
      if (steps == 0) return std::nullopt;
      // Nobody who is left begins after `now` has ended.
      while (begin_place < count_ && is_out(by_begin_.at(begin_place)))
        begin_place = by_begin_.from(begin_place + 1);
      const uint32_t latest = by_begin_.at(begin_place);
      if (latest != now && clusters_[latest].begin > clusters_[now].end &&
          !RINGSIDE_BUG(two_atomicity_has_no_clock)) {
        return false;
      }
      stamp_[now] = attempt_;
      epoch.push_back(now);
      // At most one of them has a read that began after `now` had ended.
      uint32_t forced = kNoCluster;
      while (read_place < count_ && is_out(by_read_.at(read_place)))
        read_place = by_read_.from(read_place + 1);
      for (uint32_t place = read_place; place < count_; place = by_read_.from(place + 1)) {
        const uint32_t c = by_read_.at(place);
        if (clusters_[c].last_read <= clusters_[now].end) break;
        if (is_out(c)) continue;
        if (forced != kNoCluster && !RINGSIDE_BUG(two_atomicity_lets_two_be_forced)) return false;
        forced = c;
      }
      now = forced;
    }
    return true;
  }

  const std::vector<Cluster>& clusters_;
  const uint32_t count_;
  Latest by_begin_, by_end_, by_read_;
  std::vector<bool> gone_;
  std::vector<uint32_t> stamp_;  // by cluster: the attempt that placed it
  uint32_t attempt_ = 0;
};

Witness witness_of(const std::vector<Cluster>& clusters, const std::vector<uint32_t>& some) {
  Witness witness;
  for (const uint32_t c : some) {
    if (clusters[c].write != ~uint32_t{0}) witness.calls.push_back(clusters[c].write);
    witness.calls.insert(witness.calls.end(), clusters[c].reads.begin(), clusters[c].reads.end());
  }
  std::ranges::sort(witness.calls);
  return witness;
}

// Few clusters that are not 2-atomic, out of many: halves, quarters and so on are left out as long
// as the rest is still none.
std::vector<uint32_t> few(const std::vector<Cluster>& clusters, std::vector<uint32_t> some) {
  const auto fails = [&](const std::vector<uint32_t>& chosen) {
    std::vector<Cluster> part;
    for (const uint32_t c : chosen) part.push_back(clusters[c]);
    std::vector<uint32_t> order;
    return !TwoAtomicity(part).run(order);
  };
  for (std::size_t chunk = (some.size() + 1) / 2; chunk > 0;) {
    for (std::size_t at = 0; at < some.size();) {
      std::vector<uint32_t> rest(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(at));
      const std::size_t end = std::min(some.size(), at + chunk);
      rest.insert(rest.end(), some.begin() + static_cast<std::ptrdiff_t>(end), some.end());
      if (fails(rest)) {
        some = std::move(rest);
      } else {
        at = end;
      }
    }
    chunk = chunk == 1 ? 0 : std::min((chunk + 1) / 2, some.size());
  }
  return some;
}

// Of the reads of a value those that say most: the one that ended first, the one that began last.
Witness fewer_reads(const Calls& calls, std::vector<Cluster> clusters,
                    const std::vector<uint32_t>& some) {
  for (Cluster& cluster : clusters) {
    if (cluster.reads.size() <= 2) continue;
    const auto first = *std::ranges::min_element(cluster.reads, {},
                                                 [&](uint32_t i) { return calls.calls[i].end; });
    const auto last = *std::ranges::max_element(cluster.reads, {},
                                                [&](uint32_t i) { return calls.calls[i].begin; });
    cluster.reads = first == last ? std::vector{first} : std::vector{first, last};
  }
  return witness_of(clusters, some);
}

// A read stands behind its value's write, or behind the next one when that had ended before.
std::vector<uint32_t> with_reads(const Calls& calls, const std::vector<Cluster>& clusters,
                                 const std::vector<uint32_t>& from_last) {
  std::vector<std::vector<uint32_t>> behind(from_last.size());  // by place from the last
  for (std::size_t place = from_last.size(); place-- > 0;) {
    const Cluster& cluster = clusters[from_last[place]];
    for (const uint32_t read : cluster.reads) {
      const bool after_next =
          place > 0 && clusters[from_last[place - 1]].end < calls.calls[read].begin;
      behind[after_next ? place - 1 : place].push_back(read);
    }
  }
  std::vector<uint32_t> order;
  for (std::size_t place = from_last.size(); place-- > 0;) {
    const uint32_t write = clusters[from_last[place]].write;
    if (write != ~uint32_t{0}) order.push_back(write);
    std::ranges::sort(behind[place]);  // calls are in the order of their begins
    order.insert(order.end(), behind[place].begin(), behind[place].end());
  }
  return order;
}

}  // namespace

bool suits_two_atomicity(const Calls& calls) {
  return suits_chain_test(calls) && std::ranges::none_of(calls.calls, [](const Call& call) {
           return call.act == Act::kCompareAndSet;
         });
}

Verdict check_two_atomicity(const Calls& calls) {
  Verdict verdict;
  verdict.by = "2-atomicity";
  std::vector<Cluster> clusters(1);  // the first is "absent", written before everything
  clusters[0].end = INT64_MIN;
  absl::flat_hash_map<uint64_t, uint32_t> numbers;  // looked up only
  numbers.emplace(kAbsent, 0);
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    if (call.act != Act::kWrite) continue;
    CHECK(numbers.emplace(call.value, clusters.size()).second);
    clusters.push_back({call.begin, call.end, INT64_MIN, i, {}});
  }
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    if (call.act != Act::kRead) continue;
    const auto number = numbers.find(call.value);
    const bool known = number != numbers.end();
    if (!known || call.end < clusters[number->second].begin) {
      verdict.answer = Answer::kNo;
      if (known) verdict.witness.calls.push_back(clusters[number->second].write);
      verdict.witness.calls.push_back(i);
      std::ranges::sort(verdict.witness.calls);
      return verdict;
    }
    Cluster& cluster = clusters[number->second];
    cluster.end = std::min(cluster.end, call.end);
    cluster.last_read = std::max(cluster.last_read, call.begin);
    cluster.reads.push_back(i);
  }
  // What may not have happened and nobody read is left out.
  std::erase_if(clusters, [&](const Cluster& cluster) {
    return cluster.write != ~uint32_t{0} && cluster.end == kNever;
  });

  std::vector<uint32_t> order;
  if (TwoAtomicity(clusters).run(order)) {
    verdict.answer = Answer::kYes;
    verdict.order = with_reads(calls, clusters, order);
    return verdict;
  }
  verdict.answer = Answer::kNo;
  std::vector<uint32_t> left;
  std::vector<bool> placed(clusters.size());
  for (const uint32_t c : order) placed[c] = true;
  for (uint32_t c = 0; c < clusters.size(); ++c) {
    if (!placed[c]) left.push_back(c);
  }
  verdict.witness = fewer_reads(calls, clusters, few(clusters, std::move(left)));
  return verdict;
}

}  // namespace ringside
