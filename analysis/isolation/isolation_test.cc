#include "analysis/isolation/isolation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/isolation/test_histories.h"
#include "analysis/isolation/verify.h"

namespace ringside::isolation {
namespace {

// `count` transactions one after another, each of which reads x and appends to it.
TransactionHistory chain_of_appends(uint32_t count) {
  TransactionHistory history;
  history.objects = {"x"};
  std::vector<Value> list;
  for (uint32_t i = 0; i < count; ++i) {
    history.add(i % 5, 10 * i, 10 * i + 5);
    history.read_list(0, list);
    history.append(0, i);
    list.push_back(i);
  }
  return history;
}

TEST(Verifier, refuses_orders_that_are_no_serial_orders) {
  const TransactionHistory history = chain_of_appends(4);
  const TransactionId good[] = {0, 1, 2, 3}, swapped[] = {0, 2, 1, 3}, missing[] = {0, 1, 2},
                      twice[] = {0, 1, 1, 2, 3};
  EXPECT_TRUE(verify_order(history, good, {.processes = true, .real_time = true}).ok());
  EXPECT_FALSE(verify_order(history, swapped).ok());
  EXPECT_FALSE(verify_order(history, missing).ok());
  EXPECT_FALSE(verify_order(history, twice).ok());
  // Two that have nothing to do with each other, in the order of neither process nor time.
  TransactionHistory apart;
  apart.objects = {"x", "y"};
  apart.add(1, 0, 1);
  apart.append(0, 1);
  apart.add(1, 2, 3);
  apart.append(1, 1);
  const TransactionId backwards[] = {1, 0};
  EXPECT_TRUE(verify_order(apart, backwards).ok());
  EXPECT_FALSE(verify_order(apart, backwards, {.processes = true}).ok());
  EXPECT_FALSE(verify_order(apart, backwards, {.real_time = true}).ok());
}

// Every witness of many histories, with one thing changed.
TEST(Verifier, refuses_witnesses_that_were_tampered_with) {
  Random random(1);
  int tampered = 0;
  for (int i = 0; i < 4'000; ++i) {
    const TransactionHistory history = random_transactions(random, {.nonsense = 0});
    const IsolationReport report = judge(history);
    for (const Anomaly& anomaly : report.anomalies) {
      if (!is_cycle(anomaly.kind)) continue;
      Anomaly other = anomaly;
      other.kind = static_cast<AnomalyKind>(
          static_cast<int>(AnomalyKind::kG0) +
          (static_cast<int>(anomaly.kind) + 1 - static_cast<int>(AnomalyKind::kG0)) % 15);
      EXPECT_FALSE(verify_anomaly(history, other).ok());
      other = anomaly;
      other.transactions.pop_back();
      EXPECT_FALSE(verify_anomaly(history, other).ok());
      other = anomaly;
      other.transactions.back() = other.transactions.front();
      EXPECT_FALSE(verify_anomaly(history, other).ok());
      // Time does not run backwards.
      const auto ordered = std::ranges::find(anomaly.edges, EdgeKind::kRealTime);
      if (anomaly.transactions.size() == 2 && ordered != anomaly.edges.end()) {
        other = anomaly;
        std::ranges::reverse(other.transactions);
        EXPECT_FALSE(verify_anomaly(history, other).ok());
      }
      ++tampered;
    }
  }
  EXPECT_GT(tampered, 1'000);
}

TEST(Dependencies, real_time_costs_a_few_edges_a_transaction) {
  const TransactionHistory history = chain_of_appends(1'000);
  const Versions versions(history);
  const Dependencies dependencies(history, versions);
  EXPECT_LE(dependencies.edges(EdgeKind::kRealTime).size(), 1'000u);
  EXPECT_LE(dependencies.edges(EdgeKind::kPass).size(), 2'000u);
  EXPECT_EQ(dependencies.edges(EdgeKind::kWriteWrite).size(), 999u);
}

// A hundred readers of everything, a hundred appends that nobody read.
TEST(Dependencies, readers_and_unread_appends_cost_their_sum_and_not_their_product) {
  TransactionHistory history;
  history.objects = {"x"};
  for (uint32_t i = 0; i < 200; ++i) {
    history.add(i, 0, 1'000);
    history.read_list(0, {});
    if (i < 100) history.append(0, i);
  }
  const Versions versions(history);
  const Dependencies dependencies(history, versions);
  EXPECT_LE(dependencies.edges(EdgeKind::kReadWrite).size(), 400u);
  EXPECT_LE(dependencies.edges(EdgeKind::kPass).size(), 800u);
  // Each of the hundred anti-depends on each other one, and none on itself.
  const CycleReport report = find_cycles(dependencies);
  ASSERT_EQ(report.anomalies.size(), 1u);
  EXPECT_EQ(report.anomalies[0].kind, AnomalyKind::kG2Item);
  EXPECT_EQ(report.anomalies[0].transactions.size(), 2u);
}

// A single long cycle among many transactions in order.
TEST(Cycles, a_long_cycle_is_found_whole) {
  TransactionHistory with;
  with.objects = {"x", "y"};
  with.add(1'000, 0, 100'000);
  with.append(0, 5'000);
  with.read_list(1, std::vector<Value>{7});
  std::vector<Value> list = {5'000};
  for (uint32_t i = 0; i < 300; ++i) {
    with.add(i, 0, 100'000);
    with.read_list(0, list);
    with.append(0, i);
    if (i == 299) with.append(1, 7);
    list.push_back(i);
  }
  const IsolationReport report = judge(with);
  ASSERT_EQ(report.anomalies.size(), 1u);
  EXPECT_EQ(report.anomalies[0].kind, AnomalyKind::kG1c);
  EXPECT_EQ(report.anomalies[0].transactions.size(), 301u);
  EXPECT_TRUE(verify_anomaly(with, report.anomalies[0]).ok());
}

TEST(Cycles, a_search_without_budget_still_shows_one_and_says_so) {
  Random random(3);
  TransactionHistory history;
  do {
    history = random_transactions(random, {.transactions_max = 6, .nonsense = 0, .serial = 0});
  } while (check_isolation(history)->level(Level::kSerializable) != LevelVerdict::kRuledOut);
  const Versions versions(history);
  const Dependencies dependencies(history, versions);
  const CycleReport report = find_cycles(dependencies, {.visits_max = 0});
  ASSERT_FALSE(report.anomalies.empty());
  EXPECT_TRUE(std::ranges::count(report.stopped, true) > 0);
  EXPECT_TRUE(verify_anomaly(history, report.anomalies.front()).ok());
}

TEST(Histories, that_cannot_be_judged_are_refused_by_name) {
  TransactionHistory twice = chain_of_appends(2);
  twice.append(0, 0);
  Result<IsolationReport> report = check_isolation(twice);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().text(),
            "invalid: x = 0 is written twice, by T0 and by T1: values must be unique");
  TransactionHistory both = chain_of_appends(1);
  both.add(1, 50, 60);
  both.write(0, 9);
  report = check_isolation(both);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().text(), "invalid: x is a list in T0 and a register in T1");
  TransactionHistory backwards = chain_of_appends(1);
  backwards.transactions[0].end = -1;
  EXPECT_FALSE(check_isolation(backwards).ok());
}

TEST(Levels, a_level_breaks_with_every_weaker_one) {
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    const LevelSet out = ruled_out_by(static_cast<AnomalyKind>(i));
    EXPECT_NE(out & set_of(Level::kStrictSerializable), 0u);
    for (std::size_t level = 0; level < kLevels; ++level) {
      const LevelSet below = implied_by(static_cast<Level>(level));
      if ((out & below) != 0) {
        EXPECT_NE(out & set_of(static_cast<Level>(level)), 0u);
      }
    }
  }
  EXPECT_EQ(implied_by(Level::kStrictSerializable), (1u << kLevels) - 1);
}

TEST(Report, names_levels_and_witnesses) {
  TransactionHistory history;
  history.objects = {"x", "y"};
  history.add(0, 0, 10);
  history.read_list(0, {});
  history.append(1, 1);
  history.add(1, 0, 10);
  history.read_list(1, {});
  history.append(0, 1);
  const IsolationReport report = judge(history);
  const std::string text = describe(history, report);
  EXPECT_NE(text.find("snapshot-isolation: not ruled out\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nserializable: ruled out\n"), std::string::npos) << text;
  EXPECT_NE(text.find("G2-item\n  T0 (process 0): read x [], append y 1\n    —rw→ T1\n"
                      "  T1 (process 1): read y [], append x 1\n    —rw→ T0"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace ringside::isolation
