#include "analysis/online_register.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

constexpr uint32_t kUnranked = ~uint32_t{0};

struct Seen {
  Time first_end = kNever;
  Time last_begin = INT64_MIN;
  uint32_t write = ~uint32_t{0};
  uint32_t last = ~uint32_t{0};  // the call that began last
  uint32_t rank = kUnranked;     // among the values, by first end
  bool read = false;
  bool failed = false;
};

// The greatest last begin of the ranks below some rank, and of which rank; the best two, so that
// one value can be left out. A Fenwick tree that grows at its end.
class Maxima {
 public:
  struct Best {
    Time time = INT64_MIN;
    uint32_t rank = kUnranked;
  };
  struct Two {
    Best first, second;
    void add(Best best) {
      if (best.rank == first.rank) {
        first.time = std::max(first.time, best.time);
      } else if (best.time > first.time) {
        second = first;
        first = best;
      } else if (best.rank == second.rank ? best.time > second.time
                                          : best.time > second.time || second.rank == kUnranked) {
        second = best;
      }
    }
  };

  uint32_t append(Time time) {
    const auto rank = static_cast<uint32_t>(nodes_.size());
    Two node;
    node.add({time, rank});
    // Those that this node covers besides its own.
    for (uint32_t step = 1; ((rank + 1) & step) == 0; step *= 2) {
      const Two& part = nodes_[rank - step];
      for (const Best& best : {part.first, part.second}) {
        if (best.rank != kUnranked) node.add(best);
      }
    }
    nodes_.push_back(node);
    return rank;
  }
  void raise(uint32_t rank, Time time) {
    for (uint32_t i = rank + 1; i <= nodes_.size(); i += i & (~i + 1))
      nodes_[i - 1].add({time, rank});
  }
  // Over ranks below `end`, but for `except`.
  Best below(uint32_t end, uint32_t except) const {
    Best best;
    for (uint32_t i = end; i > 0; i &= i - 1) {
      const Two& node = nodes_[i - 1];
      const Best& of_node = node.first.rank == except ? node.second : node.first;
      if (of_node.rank != kUnranked && of_node.time > best.time) best = of_node;
    }
    return best;
  }

 private:
  std::vector<Two> nodes_;
};

}  // namespace

struct OnlineRegister::State {
  absl::flat_hash_map<uint64_t, uint32_t> numbers;  // looked up only
  std::vector<Seen> values;
  std::vector<uint32_t> by_rank;
  std::vector<Time> first_ends;  // by rank: they only rise
  Maxima maxima;
  Time now = INT64_MIN;
};

OnlineRegister::OnlineRegister() : state_(std::make_unique<State>()) {
  // "Absent" was written before everything.
  state_->numbers.emplace(kAbsent, 0);
  Seen absent;
  absent.first_end = INT64_MIN;
  absent.rank = state_->maxima.append(INT64_MIN);
  state_->values.push_back(absent);
  state_->by_rank.push_back(0);
  state_->first_ends.push_back(INT64_MIN);
}
OnlineRegister::~OnlineRegister() = default;

bool OnlineRegister::fail(uint32_t call, uint32_t other) {
  violated_ = true;
  violation_ = {call, other};
  return false;
}

void OnlineRegister::write_begins(uint64_t value, Time at, uint32_t call) {
  CHECK(at >= state_->now);
  state_->now = at;
  const bool fresh =
      state_->numbers.emplace(value, static_cast<uint32_t>(state_->values.size())).second;
  CHECK(fresh);
  Seen seen;
  seen.last_begin = at;
  seen.write = seen.last = call;
  state_->values.push_back(seen);
}

bool OnlineRegister::write_ends(uint64_t value, Time at, bool happened) {
  if (violated_) return false;
  const auto found = state_->numbers.find(value);
  CHECK(found != state_->numbers.end());
  Seen& seen = state_->values[found->second];
  if (happened) return add(found->second, seen.last_begin, at, seen.write);
  CHECK(at >= state_->now);
  state_->now = at;
  seen.failed = true;
  return seen.read ? fail(seen.write, seen.last) : true;
}

bool OnlineRegister::read_ends(uint64_t value, Time begin, Time at, uint32_t call) {
  if (violated_) return false;
  CHECK(begin <= at);
  const auto found = state_->numbers.find(value);
  if (found == state_->numbers.end()) return fail(call, ~uint32_t{0});
  Seen& seen = state_->values[found->second];
  if (seen.failed && !RINGSIDE_BUG(online_test_believes_failed_writes))
    return fail(call, seen.write);
  seen.read = true;
  return add(found->second, begin, at, call);
}

bool OnlineRegister::add(uint32_t number, Time begin, Time at, uint32_t call) {
  State& state = *state_;
  CHECK(at >= state.now);
  state.now = at;
  Seen& seen = state.values[number];
  if (begin >= seen.last_begin) {
    seen.last_begin = begin;
    seen.last = call;
  }
  if (seen.rank == kUnranked) {
    seen.first_end = at;
    seen.rank = state.maxima.append(seen.last_begin);
    state.by_rank.push_back(number);
    state.first_ends.push_back(at);
  } else {
    state.maxima.raise(seen.rank, seen.last_begin);
  }
  // Values that first ended before this one's last call began.
  const auto end = static_cast<uint32_t>(
      std::ranges::lower_bound(state.first_ends, seen.last_begin) - state.first_ends.begin());
  const Maxima::Best other = state.maxima.below(end, seen.rank);
  const bool too_late = other.rank != kUnranked && other.time > seen.first_end;
  if (too_late && !RINGSIDE_BUG(online_test_never_compares))
    return fail(call, state.values[state.by_rank[other.rank]].last);
  return true;
}

}  // namespace ringside
