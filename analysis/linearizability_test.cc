#include "analysis/linearizability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "analysis/made_history.h"
#include "runtime/random.h"

namespace ringside {
namespace {

using Kind = LinearizabilityViolation::Kind;

// Tries every order: an operation may come next when no other that is left finished before it
// began.
class BruteForce {
 public:
  explicit BruteForce(const History& history) {
    for (const Operation& op : history.operations) {
      if (op.outcome == Outcome::kFailed || (op.is_get() && !op.ok())) continue;
      operations_.push_back(&op);
    }
  }
  bool linearizable() { return search((1u << operations_.size()) - 1, kAbsent); }

 private:
  bool search(uint32_t left, ValueId value) {
    bool obliged = false;  // an operation that surely happened is left
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      obliged |= (left >> i & 1) != 0 && operations_[i]->ok();
    }
    if (!obliged) return true;
    if (!seen_.insert({left, value}).second) return false;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if ((left >> i & 1) == 0 || !may_be_next(left, i)) continue;
      const Operation& op = *operations_[i];
      if (op.is_get() && op.value != value) continue;
      if (search(left & ~(1u << i), op.is_put() ? op.value : value)) return true;
    }
    return false;
  }
  bool may_be_next(uint32_t left, std::size_t candidate) const {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if ((left >> i & 1) == 0 || i == candidate || !operations_[i]->ok()) continue;
      if (operations_[i]->finished < operations_[candidate]->invoked) return false;
    }
    return true;
  }

  std::vector<const Operation*> operations_;
  std::set<std::pair<uint32_t, ValueId>> seen_;
};

// Up to 8 operations within a short time, so that ties and overlaps abound; reads return any value
// at all.
History random_history(Random& random) {
  struct Planned {
    Time invoked, finished;
    bool put;
    Outcome outcome;
  };
  const auto count = static_cast<std::size_t>(2 + random.below(7));
  const Time span = static_cast<Time>(4 + random.below(30));
  std::vector<Planned> plan;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = static_cast<Time>(random.below(static_cast<uint64_t>(span)));
    const auto length = static_cast<Time>(random.below(static_cast<uint64_t>(span / 2 + 1)));
    const double fate = random.uniform();
    plan.push_back({begin, begin + length, random.chance(0.4),
                    fate < 0.8    ? Outcome::kOk
                    : fate < 0.95 ? Outcome::kUnknown
                                  : Outcome::kFailed});
  }
  std::ranges::sort(plan, {}, &Planned::invoked);
  std::vector<ValueId> values = {kAbsent};
  for (std::size_t i = 0; i < count; ++i) {
    if (plan[i].put && plan[i].outcome != Outcome::kFailed) values.push_back(i + 1);
  }
  MadeHistory made;
  for (std::size_t i = 0; i < count; ++i) {
    const Planned& op = plan[i];
    if (op.put)
      made.put(i + 1, op.invoked, op.finished, {.outcome = op.outcome});
    else
      made.get(values[random.below(values.size())], op.invoked, op.finished,
               {.outcome = op.outcome});
  }
  return made.history;
}

// The witness must be a contradiction by itself.
void expect_true_witness(const History& history, const LinearizabilityViolation& v) {
  const Operation &read = history.operations[v.read], &other = history.operations[v.other];
  ASSERT_TRUE(read.is_get() && read.ok());
  if (v.kind == Kind::kReadBeforeWrite) {
    ASSERT_EQ(read.value, other.id);
    ASSERT_LT(read.finished, other.invoked);
    return;
  }
  ASSERT_EQ(v.kind, Kind::kStaleRead);
  ASSERT_NE(read.value, other.value);
  ASSERT_LT(other.finished, read.invoked);
  const Operation& after = history.operations[v.after];
  ASSERT_EQ(after.value, other.value);
  if (v.before == kNoOperation) {
    ASSERT_EQ(read.value, kAbsent);
    return;
  }
  const Operation& before = history.operations[v.before];
  ASSERT_EQ(before.value, read.value);
  ASSERT_LT(before.finished, after.invoked);
}

TEST(ZoneTest, agrees_with_brute_force_on_random_histories) {
  Random random(1);
  int legal = 0, illegal = 0;
  for (int i = 0; i < 150'000; ++i) {
    const History history = random_history(random);
    const bool expected = BruteForce(history).linearizable();
    const LinearizabilityReport report = check_linearizability(history);
    ASSERT_EQ(report.linearizable(), expected) << i << (expected ? "" : " (illegal)");
    (expected ? legal : illegal)++;
    if (!expected) expect_true_witness(history, report.violations.at(0));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(legal, 20'000);
  EXPECT_GT(illegal, 20'000);
}

TEST(ZoneTest, names_the_stale_read_and_the_write_that_it_missed) {
  MadeHistory made;
  made.put(1, 0, 10);
  const uint32_t newer = made.put(2, 20, 30);
  const uint32_t stale = made.get(1, 40, 50);
  const LinearizabilityReport report = check_linearizability(made.history);
  ASSERT_EQ(report.keys_violated, 1u);
  const LinearizabilityViolation& v = report.violations[0];
  EXPECT_EQ(v.kind, Kind::kStaleRead);
  EXPECT_EQ(v.read, stale);
  EXPECT_EQ(v.other, newer);
  const std::string text = describe(made.history, v);
  EXPECT_NE(
      text.find(
          "get #0:1000002 of \"k\" by client 102 [0.000040 ms, 0.000050 ms] returned value #0:1"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("put #0:2 of \"k\" by client 101 [0.000020 ms, 0.000030 ms] had been "
                      "acknowledged 10 ns before"),
            std::string::npos)
      << text;
}

TEST(ZoneTest, prefers_a_witness_that_a_person_can_follow) {
  // The zones meet an intricate contradiction first; the plain one comes later.
  MadeHistory made;
  made.put(1, 0, 100);
  made.put(2, 0, 100);
  made.get(1, 10, 20);
  made.get(2, 30, 40);
  made.get(1, 50, 60);
  made.put(3, 200, 210);
  const uint32_t older = made.put(4, 220, 230);
  const uint32_t newer = made.put(5, 240, 250);
  const uint32_t stale = made.get(4, 260, 270);
  const LinearizabilityReport report = check_linearizability(made.history);
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].read, stale);
  EXPECT_EQ(report.violations[0].other, newer);
  EXPECT_EQ(report.violations[0].before, older);
  EXPECT_NE(describe(made.history, report.violations[0]).find("; that put began after put #0:4"),
            std::string::npos);
}

TEST(ZoneTest, finds_a_read_that_goes_back_behind_another_read) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 100);  // slow: both values may be read until it ends, but not 2 and then 1
  const uint32_t fresh = made.get(2, 30, 40);
  const uint32_t stale = made.get(1, 50, 60);
  const LinearizabilityReport report = check_linearizability(made.history);
  ASSERT_FALSE(report.linearizable());
  EXPECT_EQ(report.violations[0].read, stale);
  EXPECT_EQ(report.violations[0].other, fresh);
}

TEST(ZoneTest, absent_is_older_than_every_write) {
  MadeHistory made;
  made.get(kAbsent, 0, 5);
  made.put(1, 10, 20);
  EXPECT_TRUE(check_linearizability(made.history).linearizable());
  made.get(kAbsent, 15, 30);  // concurrent with the put
  EXPECT_TRUE(check_linearizability(made.history).linearizable());
  const uint32_t stale = made.get(kAbsent, 40, 50);
  const LinearizabilityReport report = check_linearizability(made.history);
  ASSERT_FALSE(report.linearizable());
  EXPECT_EQ(report.violations[0].read, stale);
  EXPECT_NE(describe(made.history, report.violations[0]).find("returned absent, but put"),
            std::string::npos);
}

TEST(ZoneTest, an_unknown_write_may_take_effect_late_or_never_but_not_twice) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.outcome = Outcome::kUnknown});
  made.get(1, 40, 50);
  EXPECT_TRUE(check_linearizability(made.history).linearizable());
  made.get(2, 60, 70);
  EXPECT_TRUE(check_linearizability(made.history).linearizable()) << "it took effect between";
  made.get(1, 80, 90);
  EXPECT_FALSE(check_linearizability(made.history).linearizable());
}

TEST(ZoneTest, a_value_that_nobody_wrote_or_that_surely_failed_is_an_anomaly) {
  MadeHistory made;
  made.put(1, 0, 10, {.outcome = Outcome::kFailed});
  made.put(2, 0, 10, {.key = "other"});
  made.get(1, 20, 30);
  made.get(9, 20, 30, {.key = "x"});
  made.get(2, 20, 30, {.key = "y"});
  const LinearizabilityReport report = check_linearizability(made.history);
  ASSERT_EQ(report.violations.size(), 3u);
  EXPECT_EQ(report.violations[0].kind, Kind::kFailedWasRead);
  EXPECT_EQ(report.violations[1].kind, Kind::kNobodyWrote);
  EXPECT_EQ(report.violations[2].kind, Kind::kNobodyWrote) << "written, but to another key";
}

// A register that really is one: each operation takes effect at a point within its time.
History million(uint64_t operations, uint64_t clients, uint64_t keys) {
  Random random(5);
  History history;
  for (uint64_t k = 0; k < keys; ++k) history.keys.push_back(std::to_string(k));
  struct Point {
    Time at;
    uint32_t operation;
  };
  std::vector<Time> free(clients);
  for (uint64_t i = 0; i < operations; ++i) {
    const auto client = static_cast<std::size_t>(i % clients);
    history.clients.resize(std::max(history.clients.size(), client + 1));
    Operation op;
    op.id = i + 1;
    op.client = static_cast<ClientIndex>(client);
    op.key = static_cast<KeyIndex>(random.below(keys));
    op.kind = random.chance(0.5) ? OperationKind::kPut : OperationKind::kGet;
    op.invoked = free[client] + static_cast<Time>(random.below(1000));
    op.finished = op.invoked + 1 + static_cast<Time>(random.below(1000));
    free[client] = op.finished;
    op.outcome = Outcome::kOk;
    history.operations.push_back(op);
  }
  std::ranges::sort(history.operations, {},
                    [](const Operation& op) { return std::pair(op.invoked, op.id); });
  std::vector<Point> points;
  for (uint32_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    points.push_back({op.invoked + static_cast<Time>(random.below(
                                       static_cast<uint64_t>(op.finished - op.invoked + 1))),
                      i});
  }
  std::ranges::sort(points, {},
                    [](const Point& point) { return std::pair(point.at, point.operation); });
  std::vector<ValueId> now(keys);
  for (const Point& point : points) {
    Operation& op = history.operations[point.operation];
    if (op.is_put())
      now[op.key] = op.value = op.id;
    else
      op.value = now[op.key];
  }
  return history;
}

TEST(ZoneTest, judges_a_million_operations_on_one_key_in_a_fraction_of_a_second) {
  const History history = million(1'000'000, 50, 1);
  const auto begin = std::chrono::steady_clock::now();
  const LinearizabilityReport report = check_linearizability(history);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(report.linearizable());
  EXPECT_EQ(report.reads + report.writes, 1'000'000u);
  EXPECT_LT(took.count(), 2.0) << "this took far longer than the 0.1 to 0.2 s it should";
  std::printf("a million operations on one key: %.0f ms\n", took.count() * 1000);
}

TEST(ZoneTest, finds_one_stale_read_among_many_keys) {
  History history = million(100'000, 20, 50);
  ASSERT_TRUE(check_linearizability(history).linearizable());
  // A late read is made to return its key's first value.
  for (std::size_t i = history.operations.size(); i-- > 0;) {
    Operation& read = history.operations[i];
    if (!read.is_get()) continue;
    for (const Operation& op : history.operations) {
      if (!op.is_put() || op.key != read.key) continue;
      read.value = op.value;
      break;
    }
    const LinearizabilityReport report = check_linearizability(history);
    ASSERT_EQ(report.keys_violated, 1u);
    EXPECT_EQ(report.violations[0].read, i);
    break;
  }
}

}  // namespace
}  // namespace ringside
