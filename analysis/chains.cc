#include "analysis/chains.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

constexpr uint32_t kNobody = ~uint32_t{0};

// A value: who wrote it, who read it, and what it was exchanged for.
struct Value {
  uint32_t write = kNobody;
  uint32_t exchange = kNobody;  // the compare-and-set that expected it
  std::vector<uint32_t> reads;  // by begin
};

// A chain, or a part of one: the call that ended first and the one that began last.
struct Span {
  Time first_end = kNever;
  Time last_begin = INT64_MIN;
  uint32_t first = kNobody;
  uint32_t last = kNobody;

  bool forward() const { return first_end < last_begin; }
};

class ChainTest {
 public:
  explicit ChainTest(const Calls& calls) : calls_(calls.calls) { number_values(calls); }

  Verdict run() {
    Verdict verdict;
    verdict.by = "chains";
    if (!link(verdict.witness) || !string_up(verdict.witness) || !compare(verdict.witness)) {
      verdict.answer = Answer::kNo;
      finish(verdict.witness);
      return verdict;
    }
    verdict.answer = refused_ ? Answer::kUnknown : Answer::kYes;
    verdict.order = order();
    return verdict;
  }

 private:
  // Value 0 of values_ is "absent".
  void number_values(const Calls& calls) {
    values_.resize(1);
    numbers_.emplace(kAbsent, 0);
    written_.resize(calls.calls.size());
    for (uint32_t i = 0; i < calls_.size(); ++i) {
      const Call& call = calls_[i];
      if (call.only_reads()) continue;
      written_[i] = static_cast<uint32_t>(values_.size());
      CHECK(numbers_.emplace(call.value, written_[i]).second);
      values_.emplace_back().write = i;
    }
  }

  uint32_t number_of(uint64_t value) const {
    const auto found = numbers_.find(value);
    return found == numbers_.end() ? kNobody : found->second;
  }

  // Who read what, and which compare-and-set took which value's place. `witness`: the calls that
  // cannot be.
  bool link(Witness& witness) {
    for (uint32_t i = 0; i < calls_.size(); ++i) {
      const Call& call = calls_[i];
      if (call.act == Act::kCompareAndSet && !call.applied) refused_ = true;
      if (call.act != Act::kRead) continue;
      const uint32_t number = number_of(call.value);
      if (number == kNobody) return fails(witness, {i});
      const uint32_t write = values_[number].write;
      if (write != kNobody && call.end < calls_[write].begin) return fails(witness, {write, i});
      values_[number].reads.push_back(i);
    }
    find_happened();
    for (uint32_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].act != Act::kCompareAndSet || dropped_[i]) continue;
      const uint32_t number = number_of(calls_[i].expected);
      if (number == kNobody) return fails(witness, traced(i));
      Value& value = values_[number];
      if (value.exchange != kNobody) {
        std::vector<uint32_t> calls = traced(i);
        const std::vector<uint32_t> others = traced(value.exchange);
        calls.insert(calls.end(), others.begin(), others.end());
        if (value.write != kNobody) calls.push_back(value.write);
        return fails(witness, std::move(calls));
      }
      value.exchange = i;
    }
    return true;
  }

  // Who was told so, or whose value was read, did happen; so did who wrote what one of those
  // expected. The others left no trace and are left out, as is what was refused.
  void find_happened() {
    dropped_.assign(calls_.size(), true);
    shown_by_.assign(calls_.size(), kNobody);
    std::vector<uint32_t> happened;
    for (uint32_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].only_reads()) continue;
      const Value& value = values_[written_[i]];
      if (!calls_[i].known() && value.reads.empty()) continue;
      if (!calls_[i].known()) shown_by_[i] = value.reads.front();
      dropped_[i] = false;
      happened.push_back(i);
    }
    while (!happened.empty()) {
      const uint32_t i = happened.back();
      happened.pop_back();
      if (calls_[i].act != Act::kCompareAndSet) continue;
      const uint32_t number = number_of(calls_[i].expected);
      const uint32_t write = number == kNobody ? kNobody : values_[number].write;
      if (write == kNobody || !dropped_[write]) continue;
      dropped_[write] = false;
      shown_by_[write] = i;
      happened.push_back(write);
    }
  }

  // A call with what shows that it happened, if nobody was told so: a read of its value, or the
  // compare-and-set that expected it, and what shows that one.
  std::vector<uint32_t> traced(uint32_t call) const {
    std::vector<uint32_t> calls{call};
    while (shown_by_[call] != kNobody) {
      calls.push_back(call = shown_by_[call]);
      if (calls_[call].act == Act::kRead) break;
    }
    return calls;
  }

  static bool fails(Witness& witness, std::vector<uint32_t> calls) {
    witness.calls = std::move(calls);
    return false;
  }

  static void widen(Span& span, const Call& call, uint32_t index) {
    const Time end = call.end;
    if (end < span.first_end) {
      span.first_end = end;
      span.first = index;
    }
    if (call.begin >= span.last_begin) {
      span.last_begin = call.begin;
      span.last = index;
    }
  }

  // Chains out of values; each in itself must keep to real time.
  bool string_up(Witness& witness) {
    chain_of_.assign(values_.size(), kNobody);
    for (uint32_t first = 0; first < values_.size(); ++first) {
      const uint32_t write = values_[first].write;
      if (write != kNobody && (dropped_[write] || calls_[write].act == Act::kCompareAndSet))
        continue;
      add_chain(first);
    }
    // What hangs on no write is a ring of compare-and-sets, each of which needs the one before.
    for (uint32_t number = 0; number < values_.size(); ++number) {
      const uint32_t write = values_[number].write;
      if (chain_of_[number] != kNobody || write == kNobody || dropped_[write]) continue;
      std::vector<uint32_t> ring{write};
      std::vector<uint32_t> proof = traced(write);
      for (uint32_t at = number_of(calls_[write].expected); at != number && at != kNobody;) {
        const uint32_t before = values_[at].write;
        if (before == kNobody || std::ranges::find(ring, before) != ring.end()) break;
        ring.push_back(before);
        at = number_of(calls_[before].expected);
      }
      ring.insert(ring.end(), proof.begin(), proof.end());
      return fails(witness, std::move(ring));
    }
    for (const std::vector<uint32_t>& chain : chains_) {
      if (!in_order(chain, witness)) return false;
    }
    return true;
  }

  void add_chain(uint32_t first) {
    const auto number = static_cast<uint32_t>(chains_.size());
    std::vector<uint32_t>& chain = chains_.emplace_back();
    Span& span = spans_.emplace_back();
    if (first == 0) span.first_end = span.last_begin = INT64_MIN;
    for (uint32_t at = first; at != kNobody;) {
      chain.push_back(at);
      chain_of_[at] = number;
      for_each_call(at, [&](uint32_t i) { widen(span, calls_[i], i); });
      at = values_[at].exchange == kNobody ? kNobody : written_[values_[at].exchange];
    }
  }

  template <class F>
  void for_each_call(uint32_t number, F&& use) const {
    const Value& value = values_[number];
    if (value.write != kNobody) use(value.write);
    for (const uint32_t i : value.reads) use(i);
  }

  // No call of a later value ends before one of an earlier value begins.
  bool in_order(const std::vector<uint32_t>& chain, Witness& witness) const {
    if (RINGSIDE_BUG(chains_have_no_order_within)) return true;
    Span earlier;
    for (std::size_t k = 0; k < chain.size(); ++k) {
      uint32_t offender = kNobody;
      for_each_call(chain[k], [&](uint32_t i) {
        if (k > 0 && calls_[i].end < earlier.last_begin && offender == kNobody) offender = i;
      });
      if (offender != kNobody) {
        return fails(witness,
                     between(chain, position(chain, earlier.last), k, {earlier.last, offender}));
      }
      for_each_call(chain[k], [&](uint32_t i) { widen(earlier, calls_[i], i); });
    }
    return true;
  }

  uint32_t value_of(uint32_t call) const {
    return calls_[call].act == Act::kRead ? number_of(calls_[call].value) : written_[call];
  }
  std::size_t position(const std::vector<uint32_t>& chain, uint32_t call) const {
    return static_cast<std::size_t>(std::ranges::find(chain, value_of(call)) - chain.begin());
  }

  // `calls` and what joins their values: the writes from the first of the chain to the last.
  std::vector<uint32_t> between(const std::vector<uint32_t>& chain, std::size_t begin,
                                std::size_t end, std::vector<uint32_t> calls) const {
    for (std::size_t k = std::min(begin, end); k <= std::max(begin, end); ++k) {
      const uint32_t write = values_[chain[k]].write;
      if (write != kNobody) calls.push_back(write);
    }
    return calls;
  }
  std::vector<uint32_t> joined(uint32_t chain, const Span& span) const {
    const std::vector<uint32_t>& values = chains_[chain];
    const std::size_t begin = span.first == kNobody ? 0 : position(values, span.first);
    const std::size_t end = span.last == kNobody ? 0 : position(values, span.last);
    std::vector<uint32_t> calls;
    for (const uint32_t call : {span.first, span.last}) {
      if (call != kNobody) calls.push_back(call);
    }
    return between(values, begin, end, std::move(calls));
  }

  bool contradiction(uint32_t a, uint32_t b, Witness& witness) const {
    std::vector<uint32_t> calls = joined(a, spans_[a]);
    const std::vector<uint32_t> others = joined(b, spans_[b]);
    calls.insert(calls.end(), others.begin(), others.end());
    return fails(witness, std::move(calls));
  }

  bool compare(Witness& witness) {
    for (uint32_t c = 0; c < spans_.size(); ++c) {
      if (spans_[c].forward()) forward_.push_back(c);
    }
    std::ranges::sort(forward_, {}, [this](uint32_t c) { return spans_[c].first_end; });
    for (std::size_t i = 1; i < forward_.size(); ++i) {
      const uint32_t older = forward_[i - 1], newer = forward_[i];
      if (RINGSIDE_BUG(chains_let_forward_zones_overlap)) break;
      if (spans_[newer].first_end < spans_[older].last_begin)
        return contradiction(older, newer, witness);
    }
    for (uint32_t c = 0; c < spans_.size(); ++c) {
      const Span& span = spans_[c];
      if (span.forward() || span.last_begin == INT64_MIN ||
          RINGSIDE_BUG(chains_skip_backward_zones))
        continue;
      const uint32_t around = last_before(span.last_begin);
      if (around != kNobody && spans_[around].last_begin > span.first_end)
        return contradiction(around, c, witness);
    }
    return true;
  }

  // The forward chain that was the last to begin its zone before `at`.
  uint32_t last_before(Time at) const {
    const auto after = std::ranges::lower_bound(forward_, at, {},
                                                [this](uint32_t c) { return spans_[c].first_end; });
    return after == forward_.begin() ? kNobody : *std::prev(after);
  }

  // Forward chains by their zones, each backward one at a point of its own that no forward zone
  // has inside.
  std::vector<uint32_t> order() const {
    struct Place {
      Time at;
      bool forward;
      uint32_t chain;
    };
    std::vector<Place> places;
    for (uint32_t c = 0; c < spans_.size(); ++c) {
      const Span& span = spans_[c];
      if (span.forward() || span.last_begin == INT64_MIN) {
        places.push_back({span.first_end, span.forward(), c});
        continue;
      }
      const uint32_t around = last_before(span.last_begin);
      const bool inside = around != kNobody && spans_[around].last_begin > span.last_begin;
      places.push_back({inside ? spans_[around].last_begin : span.last_begin, false, c});
    }
    std::ranges::sort(places, {}, [](const Place& place) {
      return std::tuple(place.at, place.forward, place.chain);
    });
    std::vector<uint32_t> calls;
    for (const Place& place : places) {
      for (const uint32_t number : chains_[place.chain]) {
        for_each_call(number, [&](uint32_t i) { calls.push_back(i); });
      }
    }
    return calls;
  }

  // What nobody was told of must be shown to have happened by a call of the witness, and what a
  // read of it returned must have been written by one.
  void finish(Witness& witness) const {
    std::vector<uint32_t> calls;
    for (const uint32_t i : witness.calls) {
      const std::vector<uint32_t> with = shown_by_.empty() ? std::vector{i} : traced(i);
      calls.insert(calls.end(), with.begin(), with.end());
    }
    const std::size_t shown = calls.size();
    for (std::size_t k = 0; k < shown; ++k) {
      const uint32_t i = calls[k];
      if (calls_[i].act != Act::kRead) continue;
      const uint32_t number = number_of(calls_[i].value);
      if (number != kNobody && values_[number].write != kNobody)
        calls.push_back(values_[number].write);
    }
    std::ranges::sort(calls);
    calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
    witness.calls = std::move(calls);
    // A compare-and-set whose expected value is out counts as a write.
    for (const uint32_t i : witness.calls) {
      const Call& call = calls_[i];
      if (call.act != Act::kCompareAndSet) continue;
      const uint32_t number = number_of(call.expected);
      const uint32_t write = number == kNobody ? kNobody : values_[number].write;
      if (write != kNobody && !std::ranges::binary_search(witness.calls, write))
        witness.blind.push_back(i);
    }
  }

  const std::vector<Call>& calls_;
  absl::flat_hash_map<uint64_t, uint32_t> numbers_;  // looked up only
  std::vector<Value> values_;
  std::vector<uint32_t> written_;  // by call that writes: its value's number
  std::vector<bool> dropped_;
  std::vector<uint32_t> shown_by_;  // by call of unknown outcome: what shows that it happened
  std::vector<uint32_t> chain_of_;  // by value
  std::vector<std::vector<uint32_t>> chains_;
  std::vector<Span> spans_;  // by chain
  std::vector<uint32_t> forward_;
  bool refused_ = false;
};

}  // namespace

bool suits_chain_test(const Calls& calls) {
  absl::flat_hash_map<uint64_t, bool> seen;
  seen.emplace(kAbsent, true);
  for (const Call& call : calls.calls) {
    switch (call.act) {
      case Act::kRead: break;
      case Act::kWrite:
      case Act::kCompareAndSet:
        if (call.applied && !seen.emplace(call.value, true).second) return false;
        break;
      default: return false;
    }
  }
  return true;
}

Verdict check_chains(const Calls& calls) { return ChainTest(calls).run(); }

}  // namespace ringside
