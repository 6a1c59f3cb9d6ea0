#include "analysis/isolation/test_histories.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/isolation/facts.h"

namespace ringside::isolation {
namespace {

struct PlannedOp {
  ObjectId object;
  bool write;
};

// The newest write of every object, as a plain database has it.
struct PlainState {
  std::vector<std::vector<Value>> lists;
  std::vector<Value> registers;

  explicit PlainState(std::size_t objects) : lists(objects), registers(objects, kInitialValue) {}

  bool reads(const TransactionHistory& history, const Op& op) const {
    if (!op.read_known()) return true;
    if (op.kind == OpKind::kReadRegister) return registers[op.object] == op.value;
    return std::ranges::equal(history.list(op), lists[op.object]);
  }
  void write(const Op& op) {
    if (op.of_list())
      lists[op.object].push_back(op.value);
    else
      registers[op.object] = op.value;
  }
  // False when a read is wrong.
  bool play(const TransactionHistory& history, TransactionId id) {
    const bool ok = history.transactions[id].ok();
    for (const Op& op : history.ops_of(id)) {
      if (!op.writes()) {
        if (ok && !reads(history, op)) return false;
        continue;
      }
      if (ok && op.replaced != kUnrecorded && op.replaced != registers[op.object]) return false;
      write(op);
    }
    return true;
  }
};

std::size_t upto(Random& random, std::size_t bound) {
  return static_cast<std::size_t>(random.below(bound));
}

class SerialSearch {
 public:
  SerialSearch(const TransactionHistory& history, bool processes, bool real_time)
      : history_(history), processes_(processes), real_time_(real_time) {
    for (TransactionId id = 0; id < history.transactions.size(); ++id) {
      if (history.transactions[id].outcome == Outcome::kUnknown) maybe_.push_back(id);
    }
  }
  bool found() {
    for (uint32_t chosen = 0; chosen < 1u << maybe_.size(); ++chosen) {
      left_.clear();
      for (TransactionId id = 0; id < history_.transactions.size(); ++id) {
        const auto at = std::ranges::find(maybe_, id);
        const bool in = at == maybe_.end() ? history_.transactions[id].ok()
                                           : chosen >> (at - maybe_.begin()) & 1;
        if (in) left_.push_back(id);
      }
      if (search(PlainState(history_.objects.size()))) return true;
    }
    return false;
  }

 private:
  bool must_precede(TransactionId a, TransactionId b) const {
    const Transaction &one = history_.transactions[a], &two = history_.transactions[b];
    if (a == b || !one.ok()) return false;
    if (real_time_ && one.end < two.begin) return true;
    return processes_ && one.process == two.process &&
           (one.begin < two.begin || (one.begin == two.begin && a < b));
  }
  bool search(const PlainState& state) {
    if (left_.empty()) return true;
    for (std::size_t i = 0; i < left_.size(); ++i) {
      const TransactionId id = left_[i];
      if (std::ranges::any_of(left_, [&](TransactionId other) { return must_precede(other, id); }))
        continue;
      PlainState next = state;
      if (!next.play(history_, id)) continue;
      left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i));
      const bool found = search(next);
      left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(i), id);
      if (found) return true;
    }
    return false;
  }

  const TransactionHistory& history_;
  const bool processes_, real_time_;
  std::vector<TransactionId> maybe_, left_;
};

// Snapshots and commits in every order. All transactions are ok.
class SnapshotSearch {
 public:
  explicit SnapshotSearch(const TransactionHistory& history)
      : history_(history),
        stage_(history.transactions.size(), 0),
        started_(history.transactions.size(), 0),
        committed_(history.objects.size(), 0) {}

  bool search(const PlainState& state, int now) {
    bool done = true;
    for (TransactionId id = 0; id < stage_.size(); ++id) {
      if (stage_[id] == 2) continue;
      done = false;
      if (stage_[id] == 0) {
        PlainState snapshot = state;
        if (!snapshot.play(history_, id)) continue;
        stage_[id] = 1;
        started_[id] = now;
        if (search(state, now + 1)) return true;
        stage_[id] = 0;
        continue;
      }
      const std::vector<int> before = committed_;
      PlainState next = state;
      bool conflict = false;
      for (const Op& op : history_.ops_of(id)) {
        if (!op.writes()) continue;
        conflict |= before[op.object] > started_[id];
        committed_[op.object] = now;
        next.write(op);
      }
      stage_[id] = 2;
      if (!conflict && search(next, now + 1)) return true;
      stage_[id] = 1;
      committed_ = before;
    }
    return done;
  }

 private:
  const TransactionHistory& history_;
  std::vector<int> stage_, started_, committed_;  // by transaction; last commit by object
};

// Simple cycles over an edge matrix.
class CycleWalk {
 public:
  explicit CycleWalk(std::size_t count) : edges_(count, std::vector<uint32_t>(count, 0)) {}
  void add(EdgeKind kind, TransactionId a, TransactionId b) {
    if (a != b && a != kNoTransaction && b != kNoTransaction)
      edges_[a][b] |= 1u << static_cast<int>(kind);
  }
  std::vector<std::size_t> lengths() {
    lengths_.assign(kAnomalyKinds, 0);
    for (TransactionId start = 0; start < edges_.size(); ++start) {
      start_ = start;
      visited_.assign(edges_.size(), 0);
      walk(start);
    }
    return lengths_;
  }

 private:
  void walk(TransactionId at) {
    visited_[at] = 1;
    for (TransactionId to = start_; to < edges_.size(); ++to) {  // the start is the smallest
      for (int kind = 0; kind < 5; ++kind) {
        if ((edges_[at][to] >> kind & 1) == 0) continue;
        kinds_.push_back(static_cast<EdgeKind>(kind));
        if (to == start_) {
          std::size_t& best = lengths_[static_cast<std::size_t>(classify(kinds_))];
          if (best == 0 || kinds_.size() < best) best = kinds_.size();
        } else if (!visited_[to]) {
          walk(to);
        }
        kinds_.pop_back();
      }
    }
    visited_[at] = 0;
  }
  std::vector<std::vector<uint32_t>> edges_;
  std::vector<std::size_t> lengths_;
  std::vector<EdgeKind> kinds_;
  std::vector<char> visited_;
  TransactionId start_ = 0;
};

// One order of commits against one weak level.
class CommitOrder {
 public:
  CommitOrder(const TransactionHistory& history, WeakLevel level)
      : history_(history), facts_(history, options_), level_(level) {
    for (TransactionId id = 0; id < history.transactions.size(); ++id) {
      if (facts_.happened(id)) order_.push_back(id);
    }
    const std::size_t count = history.transactions.size();
    so_.assign(count, std::vector<char>(count, 0));
    wr_ = hb_ = so_;
    for (const TransactionId a : order_) {
      for (const TransactionId b : order_) {
        so_[a][b] = history.transactions[b].ok() && facts_.process(a, b);
        wr_[a][b] = facts_.write_read(a, b);
        hb_[a][b] = so_[a][b] || wr_[a][b];
      }
    }
    for (const TransactionId c : order_) {
      for (const TransactionId a : order_) {
        for (const TransactionId b : order_) hb_[a][b] |= hb_[a][c] && hb_[c][b];
      }
    }
  }

  bool some() {
    do {
      place_.assign(history_.transactions.size(), 0);
      for (std::size_t i = 0; i < order_.size(); ++i) place_[order_[i]] = i;
      if (accepts()) return true;
    } while (std::ranges::next_permutation(order_).found);
    return false;
  }

 private:
  bool before(TransactionId a, TransactionId b) const { return place_[a] < place_[b]; }
  bool accepts() const {
    const bool sessions = level_ <= WeakLevel::kCausal;
    for (const TransactionId a : order_) {
      for (const TransactionId b : order_) {
        if (a == b) continue;
        const bool writers_in_session =
            level_ == WeakLevel::kMonotonicWrites && so_[a][b] && writes_any(a) && writes_any(b);
        if (((sessions && so_[a][b]) || wr_[a][b] || writers_in_session || version_before(a, b)) &&
            !before(a, b))
          return false;
      }
      if (!reads_right(a)) return false;
    }
    return true;
  }
  bool writes_any(TransactionId id) const {
    return std::ranges::any_of(history_.ops_of(id), [](const Op& op) { return op.writes(); });
  }
  bool version_before(TransactionId a, TransactionId b) const {  // of lists alone
    for (const Op& one : history_.ops_of(a)) {
      if (one.kind == OpKind::kAppend && facts_.write_write(a, b)) return true;
    }
    return false;
  }
  // Whose version, among those of others: kNoTransaction for the initial one, the reader for its
  // own.
  TransactionId source(TransactionId reader, const Op& read) const {
    for (const TransactionId id : order_) {
      if (facts_.reads_from(read, id)) return id;
    }
    return kNoTransaction;
  }
  bool reads_right(TransactionId reader) const {
    const std::span<const Op> ops = history_.ops_of(reader);
    if (!history_.transactions[reader].ok()) return true;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (!ops[i].read_known()) continue;
      const TransactionId from = source(reader, ops[i]);
      if (from == reader) continue;
      for (const TransactionId writer : order_) {
        if (writer == from || writer == reader || !facts_.wrote(writer, ops[i].object)) continue;
        if (visible(writer, reader, ops.first(i)) &&
            (from == kNoTransaction || before(from, writer)))
          return false;
      }
    }
    return true;
  }
  bool visible(TransactionId a, TransactionId b, std::span<const Op> earlier) const {
    switch (level_) {
      case WeakLevel::kReadCommitted:
        return std::ranges::any_of(
            earlier, [&](const Op& op) { return op.read_known() && source(b, op) == a; });
      case WeakLevel::kReadAtomic: return so_[a][b] || wr_[a][b];
      case WeakLevel::kCausal: return hb_[a][b];
      case WeakLevel::kReadYourWrites: return so_[a][b];
      case WeakLevel::kMonotonicReads:
        return any([&](TransactionId c) { return wr_[a][c] && so_[c][b]; });
      case WeakLevel::kMonotonicWrites:
        return any([&](TransactionId c) { return so_[a][c] && wr_[c][b]; });
      case WeakLevel::kWritesFollowReads:
        return any([&](TransactionId c) {
          return wr_[a][c] &&
                 any([&](TransactionId d) { return (c == d || so_[c][d]) && wr_[d][b]; });
        });
    }
    return false;
  }
  template <class Test>
  bool any(Test&& test) const {
    return std::ranges::any_of(order_, test);
  }

  const TransactionHistory& history_;
  const DependencyOptions options_;
  Facts facts_;
  const WeakLevel level_;
  std::vector<TransactionId> order_;
  std::vector<std::vector<char>> so_, wr_, hb_;
  std::vector<std::size_t> place_;
};

}  // namespace

TransactionHistory random_transactions(Random& random, const RandomShape& shape) {
  TransactionHistory history;
  history.objects = {"x", "y"};
  const std::size_t count = 2 + upto(random, shape.transactions_max - 1);
  const std::size_t processes = 1 + upto(random, 3);
  std::vector<std::vector<Value>> order(2);  // of each object's versions, as they come to be
  Value next = 1;
  std::vector<int64_t> free_at(processes, 0);
  for (std::size_t t = 0; t < count; ++t) {
    const std::size_t process = upto(random, processes);
    const int64_t begin = free_at[process] + static_cast<int64_t>(random.below(4));
    const int64_t end = begin + static_cast<int64_t>(random.below(5));
    free_at[process] = end + static_cast<int64_t>(random.below(2));
    const double fate = random.uniform();
    const Outcome outcome = shape.all_ok || fate < 0.85 ? Outcome::kOk
                            : fate < 0.97               ? Outcome::kUnknown
                                                        : Outcome::kFailed;
    history.add(static_cast<uint32_t>(process), begin, end, outcome);
    const bool serial = random.chance(shape.serial);
    const std::size_t ops = 1 + upto(random, shape.ops_max);
    std::vector<std::vector<Value>> seen = order;  // what this transaction takes for the state
    if (!serial) {
      for (auto& versions : seen) versions.resize(upto(random, versions.size() + 1));
    }
    for (std::size_t i = 0; i < ops; ++i) {
      const auto object = static_cast<ObjectId>(random.below(2));
      std::vector<Value>& mine = seen[object];
      if (random.chance(0.45)) {
        const Value before = order[object].empty() ? kInitialValue : order[object].back();
        const bool recorded = shape.recorded && outcome == Outcome::kOk;
        if (shape.registers)
          history.write(object, next, recorded ? before : kUnrecorded);
        else
          history.append(object, next);
        // Another order than that of the transactions, now and then.
        const bool shuffled = !serial && !shape.recorded && random.chance(0.3);
        const std::size_t at =
            shuffled ? upto(random, order[object].size() + 1) : order[object].size();
        if (outcome != Outcome::kFailed || (shape.dirty > 0 && random.chance(shape.dirty)))
          order[object].insert(order[object].begin() + static_cast<std::ptrdiff_t>(at), next);
        mine.push_back(next++);
        continue;
      }
      if (outcome != Outcome::kOk) {
        history.read_unknown(object, !shape.registers);
        continue;
      }
      if (random.chance(shape.nonsense)) {
        mine.assign(1 + upto(random, 2), 1 + static_cast<Value>(upto(random, 9)));
        if (mine.size() > 1) mine[0] = 1 + static_cast<Value>(upto(random, 9));
      }
      if (shape.registers)
        history.read(object, mine.empty() ? kInitialValue : mine.back());
      else
        history.read_list(object, mine);
    }
  }
  if (!shape.read_at_end) return history;
  history.add(9, 0, 1'000);
  for (ObjectId object = 0; object < 2; ++object) history.read_list(object, order[object]);
  return history;
}

IsolationReport judge(const TransactionHistory& history, const IsolationOptions& options) {
  Result<IsolationReport> report = check_isolation(history, options);
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().text());
  return report.ok() ? std::move(report).value() : IsolationReport{};
}

std::string all_of(const TransactionHistory& history) {
  std::string text;
  for (TransactionId id = 0; id < history.transactions.size(); ++id)
    text += describe(history, id) + " at " + std::to_string(history.transactions[id].begin) + "-" +
            std::to_string(history.transactions[id].end) + "\n";
  return text;
}

bool some_serial_order(const TransactionHistory& history, bool processes, bool real_time) {
  return SerialSearch(history, processes, real_time).found();
}

bool some_snapshot_order(const TransactionHistory& history) {
  return SnapshotSearch(history).search(PlainState(history.objects.size()), 1);
}

bool some_commit_order(const TransactionHistory& history, WeakLevel level) {
  return CommitOrder(history, level).some();
}

std::vector<std::size_t> all_cycle_lengths(const TransactionHistory& history) {
  const DependencyOptions options;
  const Facts facts(history, options);
  const auto count = static_cast<TransactionId>(history.transactions.size());
  CycleWalk walk(count);
  for (TransactionId a = 0; a < count; ++a) {
    for (TransactionId b = 0; b < count; ++b) {
      if (facts.process(a, b)) walk.add(EdgeKind::kProcess, a, b);
      if (facts.real_time(a, b)) walk.add(EdgeKind::kRealTime, a, b);
    }
  }
  for (ObjectId object = 0; object < history.objects.size(); ++object) {
    std::vector<Value> longest;
    for (const Op& op : history.ops) {
      if (op.object == object && op.kind == OpKind::kReadList && op.read_known() &&
          op.list_count > longest.size())
        longest.assign(history.list(op).begin(), history.list(op).end());
    }
    std::vector<TransactionId> unread;
    for (TransactionId id = 0; id < count; ++id) {
      for (const Op& op : history.ops_of(id)) {
        if (op.object == object && op.writes() && facts.happened(id) &&
            std::ranges::count(longest, op.value) == 0)
          unread.push_back(id);
      }
    }
    const auto writer = [&](std::size_t i) { return facts.writer(object, longest[i]); };
    for (std::size_t i = 1; i < longest.size(); ++i)
      walk.add(EdgeKind::kWriteWrite, writer(i - 1), writer(i));
    for (const TransactionId id : unread) {
      if (!longest.empty()) walk.add(EdgeKind::kWriteWrite, writer(longest.size() - 1), id);
    }
    for (TransactionId id = 0; id < count; ++id) {
      for (const Op& op : history.ops_of(id)) {
        if (op.object != object || !op.read_known()) continue;
        if (op.list_count > 0) walk.add(EdgeKind::kWriteRead, writer(op.list_count - 1), id);
        if (op.list_count < longest.size())
          walk.add(EdgeKind::kReadWrite, id, writer(op.list_count));
        else
          for (const TransactionId other : unread) walk.add(EdgeKind::kReadWrite, id, other);
      }
    }
  }
  return walk.lengths();
}

}  // namespace ringside::isolation
