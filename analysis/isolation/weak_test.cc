#include "analysis/isolation/weak.h"

#include <gtest/gtest.h>

#include "analysis/isolation/test_histories.h"
#include "analysis/isolation/verify.h"
#include "runtime/test_scale.h"

namespace ringside::isolation {
namespace {

using Kind = WeakVerdict::Kind;

std::string weak_text(const TransactionHistory& history, WeakLevel level,
                      const WeakVerdict& verdict) {
  std::string text = std::string(weak_level_name(level)) + "\n" + all_of(history);
  if (!verdict.witness.transactions.empty()) text += describe(history, verdict.witness);
  return text;
}

bool any_linear(const IsolationReport& report) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(AnomalyKind::kG0); ++i) {
    if (i != static_cast<std::size_t>(AnomalyKind::kLostUpdate) && report.counts[i] > 0)
      return true;
  }
  return false;
}

void weak_levels_against_all_orders(const RandomShape& shape, uint64_t seed, int rounds) {
  Random random(seed);
  IsolationOptions no_weak;
  no_weak.judge_weak = false;
  int held[kWeakLevels] = {}, violated[kWeakLevels] = {};
  for (int i = 0; i < rounds; ++i) {
    const TransactionHistory history = random_transactions(random, shape);
    const IsolationReport report = judge(history, no_weak);
    if (any_linear(report)) continue;
    const Versions versions(history);
    for (std::size_t one = 0; one < kWeakLevels; ++one) {
      const auto level = static_cast<WeakLevel>(one);
      const WeakVerdict verdict = check_weak(history, versions, level);
      ASSERT_NE(verdict.kind, Kind::kUnknown);
      ASSERT_EQ(verdict.kind == Kind::kHolds, some_commit_order(history, level))
          << i << " " << weak_text(history, level, verdict);
      ++(verdict.kind == Kind::kHolds ? held : violated)[one];
      if (verdict.kind == Kind::kHolds) continue;
      const Result<void> verified = verify_weak(history, level, verdict.witness);
      ASSERT_TRUE(verified.ok()) << i << ": " << verified.error().text() << "\n"
                                 << weak_text(history, level, verdict);
    }
    // What holds in every session in some serial order holds at every weak level.
    if (report.level(Level::kStrongSessionSerializable) != LevelVerdict::kHolds) continue;
    for (std::size_t one = 0; one < kWeakLevels; ++one)
      ASSERT_EQ(check_weak(history, versions, static_cast<WeakLevel>(one)).kind, Kind::kHolds);
  }
  for (std::size_t one = 0; one < kWeakLevels; ++one) {
    EXPECT_GT(held[one], scaled(1'000)) << weak_level_name(static_cast<WeakLevel>(one));
    EXPECT_GT(violated[one], scaled(20)) << weak_level_name(static_cast<WeakLevel>(one));
  }
}

TEST(WeakLevels, of_registers_are_what_all_orders_of_commits_say) {
  weak_levels_against_all_orders({.registers = true, .nonsense = 0.1, .serial = 0.4}, 1,
                                 scaled(60'000));
}

TEST(WeakLevels, of_lists_are_what_all_orders_of_commits_say) {
  weak_levels_against_all_orders({.nonsense = 0, .serial = 0.4}, 2, scaled(60'000));
}

// Process 0 writes x and y; process 1 sees y, then not x.
TransactionHistory causal_violation() {
  TransactionHistory history;
  history.objects = {"x", "y"};
  history.add(0, 0, 1);
  history.write(0, 1);
  history.add(0, 2, 3);
  history.write(1, 1);
  history.add(1, 4, 5);
  history.read(1, 1);
  history.add(1, 6, 7);
  history.read(0, kInitialValue);
  return history;
}

TEST(WeakLevels, a_causal_violation_names_who_was_visible_to_whom) {
  const TransactionHistory history = causal_violation();
  const Versions versions(history);
  const WeakVerdict verdict = check_weak(history, versions, WeakLevel::kCausal);
  ASSERT_EQ(verdict.kind, Kind::kViolated);
  EXPECT_EQ(verdict.witness.transactions, std::vector<TransactionId>{0});
  EXPECT_EQ(verdict.witness.demands[0].reader, 3u);
  EXPECT_TRUE(verify_weak(history, WeakLevel::kCausal, verdict.witness).ok());
  EXPECT_EQ(check_weak(history, versions, WeakLevel::kReadAtomic).kind, Kind::kHolds);
  EXPECT_EQ(check_weak(history, versions, WeakLevel::kReadYourWrites).kind, Kind::kHolds);
  // Within one transaction it is the guarantee of monotonic writes that breaks.
  TransactionHistory one = history;
  one.transactions.pop_back();
  one.ops.pop_back();
  one.read(0, kInitialValue);
  const Versions of_one(one);
  EXPECT_EQ(check_weak(one, of_one, WeakLevel::kMonotonicWrites).kind, Kind::kViolated);
  EXPECT_EQ(check_weak(one, of_one, WeakLevel::kWritesFollowReads).kind, Kind::kHolds);
}

// Process 0 reads what it writes only afterwards, reads and replaces another version, and then
// reads one that is older than its own.
TEST(WeakLevels, what_a_session_saw_of_its_own_future_stays_seen) {
  TransactionHistory history;
  history.objects = {"x", "y"};
  history.add(0, 0, 1);
  history.read(0, 10);
  history.add(0, 2, 3);
  history.read(1, 5);
  history.read(0, 2);
  history.write(0, 10);
  history.add(1, 0, 9);
  history.write(0, 2);
  history.add(0, 4, 5);
  history.read(0, 4);
  history.add(2, 0, 9);
  history.write(0, 4);
  history.write(1, 5);
  const Versions versions(history);
  const WeakVerdict verdict = check_weak(history, versions, WeakLevel::kMonotonicReads);
  ASSERT_EQ(verdict.kind, Kind::kViolated);
  EXPECT_TRUE(verify_weak(history, WeakLevel::kMonotonicReads, verdict.witness).ok());
}

// What it saw before it saw its own future is not stood for by that future when that comes about.
TEST(WeakLevels, what_a_session_saw_before_its_own_future_stays_seen) {
  TransactionHistory history;
  history.objects = {"x"};
  history.add(0, 0, 1);
  history.write(0, 1);
  history.add(1, 2, 3);
  history.read(0, 1);
  history.add(1, 4, 5);
  history.read(0, 7);
  history.add(1, 6, 7);
  history.read(0, kInitialValue);
  history.write(0, 7);
  const Versions versions(history);
  const WeakVerdict verdict = check_weak(history, versions, WeakLevel::kMonotonicReads);
  ASSERT_EQ(verdict.kind, Kind::kViolated);
  EXPECT_TRUE(verify_weak(history, WeakLevel::kMonotonicReads, verdict.witness).ok());
}

TEST(WeakLevels, a_level_that_would_cost_too_much_is_not_judged) {
  const TransactionHistory history = causal_violation();
  const Versions versions(history);
  EXPECT_EQ(check_weak(history, versions, WeakLevel::kCausal, {.work_max = 3}).kind,
            Kind::kUnknown);
}

TEST(WeakLevels, a_witness_that_was_tampered_with_is_refused) {
  const TransactionHistory history = causal_violation();
  const Versions versions(history);
  const WeakWitness witness = check_weak(history, versions, WeakLevel::kCausal).witness;
  WeakWitness other = witness;
  other.demands[0].reader = 2;
  EXPECT_FALSE(verify_weak(history, WeakLevel::kCausal, other).ok());
  other = witness;
  other.transactions[0] = 1;
  EXPECT_FALSE(verify_weak(history, WeakLevel::kCausal, other).ok());
  EXPECT_FALSE(verify_weak(history, WeakLevel::kReadAtomic, witness).ok());
  EXPECT_FALSE(verify_weak(history, WeakLevel::kMonotonicReads, witness).ok());
}

}  // namespace
}  // namespace ringside::isolation
