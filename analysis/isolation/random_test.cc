#include <gtest/gtest.h>

#include "analysis/isolation/test_histories.h"
#include "analysis/isolation/verify.h"
#include "runtime/test_scale.h"

namespace ringside::isolation {
namespace {

constexpr Level kSerialLevels[] = {Level::kSerializable, Level::kStrongSessionSerializable,
                                   Level::kStrictSerializable};

struct Tally {
  int held[3] = {}, ruled_out[3] = {}, open[3] = {};
};

// Each of the three serial levels against all orders; `exact`: nothing may stay open.
void judge_all_orders(const RandomShape& shape, uint64_t seed, int rounds, bool exact,
                      Tally& tally) {
  Random random(seed);
  IsolationOptions options;
  options.judge_weak = false;
  for (int i = 0; i < rounds; ++i) {
    const TransactionHistory history = random_transactions(random, shape);
    const IsolationReport report = judge(history, options);
    for (int level = 0; level < 3; ++level) {
      const bool truth = some_serial_order(history, level > 0, level > 1);
      const LevelVerdict verdict = report.level(kSerialLevels[level]);
      if (verdict == LevelVerdict::kHolds) {
        ++tally.held[level];
        ASSERT_TRUE(truth) << i << "\n" << all_of(history) << describe(history, report);
      } else if (verdict == LevelVerdict::kRuledOut) {
        ++tally.ruled_out[level];
        ASSERT_FALSE(truth) << i << "\n" << all_of(history) << describe(history, report);
      } else {
        ++tally.open[level];
        ASSERT_FALSE(exact) << i << "\n" << all_of(history) << describe(history, report);
      }
    }
    for (const Anomaly& anomaly : report.anomalies) {
      const Result<void> verified = verify_anomaly(history, anomaly);
      ASSERT_TRUE(verified.ok()) << i << ": " << verified.error().text() << "\n"
                                 << all_of(history) << describe(history, anomaly);
    }
  }
}

void expect_both_answers(const Tally& tally, int least) {
  for (int level = 0; level < 3; ++level) {
    EXPECT_GT(tally.held[level], least);
    EXPECT_GT(tally.ruled_out[level], least);
  }
}

TEST(Isolation, lists_are_judged_as_all_serial_orders_judge_them) {
  Tally tally;
  judge_all_orders({}, 1, scaled(100'000), true, tally);
  expect_both_answers(tally, scaled(5'000));
}

TEST(Isolation, lists_without_nonsense_are_judged_as_all_serial_orders_judge_them) {
  Tally tally;
  judge_all_orders({.all_ok = true, .ops_max = 3, .nonsense = 0, .serial = 0.5}, 2, scaled(80'000),
                   true, tally);
  expect_both_answers(tally, scaled(5'000));
}

TEST(Isolation, longer_histories_of_lists_are_judged_as_all_serial_orders_judge_them) {
  Tally tally;
  judge_all_orders({.transactions_max = 8, .ops_max = 4, .nonsense = 0.002, .serial = 0.95}, 3,
                   scaled(20'000), true, tally);
  expect_both_answers(tally, scaled(500));
}

TEST(Isolation, registers_that_record_what_they_replace_are_judged_as_all_serial_orders_do) {
  Tally tally;
  judge_all_orders({.registers = true, .recorded = true, .all_ok = true}, 4, scaled(100'000), true,
                   tally);
  expect_both_answers(tally, scaled(5'000));
}

TEST(Isolation, registers_that_record_nothing_are_never_judged_wrongly) {
  Tally tally;
  judge_all_orders({.registers = true}, 5, scaled(100'000), false, tally);
  expect_both_answers(tally, scaled(5'000));
  EXPECT_LT(tally.open[0], scaled(30'000));
}

TEST(Isolation, registers_of_unknown_outcome_are_never_judged_wrongly) {
  Tally tally;
  judge_all_orders({.registers = true, .recorded = true}, 6, scaled(60'000), false, tally);
  expect_both_answers(tally, scaled(2'000));
}

// Where versions are known to follow real time, what that proves is a violation of the strict
// level.
TEST(Isolation, registers_in_real_time_are_never_judged_wrongly) {
  Random random(7);
  IsolationOptions options;
  options.judge_weak = false;
  options.dependencies.linearizable_registers = options.dependencies.sequential_registers = true;
  int ruled_out = 0, held = 0;
  for (int i = 0; i < scaled(60'000); ++i) {
    const TransactionHistory history = random_transactions(random, {.registers = true});
    const IsolationReport report = judge(history, options);
    const LevelVerdict verdict = report.level(Level::kStrictSerializable);
    const bool truth = some_serial_order(history, true, true);
    ruled_out += verdict == LevelVerdict::kRuledOut;
    held += verdict == LevelVerdict::kHolds;
    ASSERT_TRUE(verdict != LevelVerdict::kHolds || truth) << all_of(history);
    ASSERT_TRUE(verdict != LevelVerdict::kRuledOut || !truth)
        << i << "\n"
        << all_of(history) << describe(history, report);
    for (const Anomaly& anomaly : report.anomalies) {
      const Result<void> verified = verify_anomaly(history, anomaly, options.dependencies);
      ASSERT_TRUE(verified.ok()) << i << ": " << verified.error().text() << "\n"
                                 << all_of(history) << describe(history, anomaly);
    }
  }
  EXPECT_GT(ruled_out, scaled(5'000));
  EXPECT_GT(held, scaled(5'000));
}

TEST(Isolation,
     snapshot_isolation_of_lists_read_whole_is_ruled_out_iff_no_order_of_snapshots_explains_it) {
  Random random(8);
  IsolationOptions options;
  options.judge_weak = false;
  int ruled_out = 0, explained = 0, not_serializable = 0;
  for (int i = 0; i < scaled(60'000); ++i) {
    const TransactionHistory history = random_transactions(random, {.all_ok = true,
                                                                    .read_at_end = true,
                                                                    .transactions_max = 4,
                                                                    .nonsense = 0.01,
                                                                    .serial = 0.6});
    const IsolationReport report = judge(history, options);
    const bool truth = some_snapshot_order(history);
    ASSERT_EQ(report.level(Level::kSnapshotIsolation) != LevelVerdict::kRuledOut, truth)
        << i << "\n"
        << all_of(history) << describe(history, report);
    ++(truth ? explained : ruled_out);
    not_serializable += truth && report.level(Level::kSerializable) == LevelVerdict::kRuledOut;
  }
  EXPECT_GT(ruled_out, scaled(5'000));
  EXPECT_GT(explained, scaled(5'000));
  EXPECT_GT(not_serializable, scaled(200));  // write skews
}

// Every class that walking all cycles finds is found, with the same length.
TEST(Isolation, witnesses_are_as_short_as_those_of_all_cycles) {
  Random random(9);
  IsolationOptions options;
  options.judge_weak = false;
  int found[kAnomalyKinds] = {}, histories = 0;
  for (int i = 0; i < scaled(100'000); ++i) {
    const TransactionHistory history = random_transactions(
        random, {.transactions_max = 6, .ops_max = 3, .nonsense = 0, .serial = 0.6});
    const IsolationReport report = judge(history, options);
    if (report.shows(AnomalyKind::kDuplicateElements) ||
        report.shows(AnomalyKind::kIncompatibleOrder) || report.shows(AnomalyKind::kGarbageRead) ||
        report.shows(AnomalyKind::kG1a) || report.shows(AnomalyKind::kDirtyUpdate))
      continue;
    ++histories;
    std::vector<std::size_t> lengths(kAnomalyKinds, 0);
    for (const Anomaly& anomaly : report.anomalies) {
      if (!is_cycle(anomaly.kind)) continue;
      ASSERT_TRUE(anomaly.shortest);
      lengths[static_cast<std::size_t>(anomaly.kind)] = anomaly.transactions.size();
    }
    const std::vector<std::size_t> truth = all_cycle_lengths(history);
    for (std::size_t kind = 0; kind < kAnomalyKinds; ++kind) {
      ASSERT_EQ(lengths[kind], truth[kind]) << anomaly_name(static_cast<AnomalyKind>(kind)) << "\n"
                                            << all_of(history) << describe(history, report);
      found[kind] += lengths[kind] > 0;
    }
  }
  EXPECT_GT(histories, scaled(20'000));
  for (std::size_t kind = 0; kind < kAnomalyKinds; ++kind) {
    if (!is_cycle(static_cast<AnomalyKind>(kind))) continue;
    EXPECT_GT(found[kind], kSanitized ? -1 : 0) << anomaly_name(static_cast<AnomalyKind>(kind));
  }
}

}  // namespace
}  // namespace ringside::isolation
