#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/availability.h"
#include "analysis/histogram.h"
#include "analysis/made_history.h"
#include "analysis/plot.h"
#include "analysis/sessions.h"
#include "analysis/staleness.h"
#include "analysis/statistics.h"
#include "runtime/random.h"

namespace ringside {
namespace {

TEST(Histogram, quantiles_are_within_a_twentieth_of_a_percent) {
  Random random(1);
  Histogram histogram;
  std::vector<Duration> values;
  for (int i = 0; i < 100'000; ++i) {
    // Ten decades.
    const auto value = static_cast<Duration>(std::pow(10.0, random.uniform() * 10));
    values.push_back(value);
    histogram.add(value);
  }
  std::ranges::sort(values);
  for (const double q : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * 100'000)));
    const auto exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(histogram.quantile(q) / exact, 1, 0.0005) << q;
  }
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, merging_is_adding_and_the_bytes_come_back) {
  Random random(2);
  Histogram all, parts[3];
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<Duration>(random.below(1 << 30));
    all.add(value);
    parts[i % 3].add(value);
  }
  Histogram merged;
  for (const Histogram& part : parts) {
    Result<Histogram> back = Histogram::parse(part.serialize());
    ASSERT_TRUE(back.ok());
    merged.merge(*back);
  }
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_EQ(merged.serialize(), all.serialize());
  EXPECT_NEAR(merged.mean() / all.mean(), 1, 1e-6);
  EXPECT_TRUE(Histogram::parse(Histogram().serialize()).ok());
  EXPECT_FALSE(Histogram::parse("").ok());
  EXPECT_FALSE(Histogram::parse("nonsense").ok());
  const std::string bytes = all.serialize();
  EXPECT_FALSE(Histogram::parse(bytes.substr(0, bytes.size() - 1)).ok());
}

TEST(Histogram, the_interval_of_a_quantile_covers_it_as_often_as_promised) {
  // Exponential samples: the true median and p99 are known.
  Random random(3);
  for (const double q : {0.5, 0.99}) {
    const double truth = -std::log(1 - q) * 1e6;
    int covered = 0;
    double width = 0;
    for (int round = 0; round < 2'000; ++round) {
      Histogram histogram;
      for (int i = 0; i < 1'000; ++i)
        histogram.add(static_cast<Duration>(-std::log(1 - random.uniform()) * 1e6));
      const QuantileInterval interval = histogram.interval(q, 0.9);
      covered += interval.low <= truth * 1.0005 && truth * 0.9995 <= interval.high;
      width += (interval.high - interval.low) / truth;
    }
    EXPECT_GT(covered, 1'780) << q;  // 0.9, less three deviations
    EXPECT_LT(covered, 1'940) << q << ": the interval is wider than it need be";
    EXPECT_LT(width / 2'000, q == 0.5 ? 0.2 : 0.35);
  }
  Histogram few;
  few.add(5);
  const QuantileInterval open = few.interval(0.999, 0.999);
  EXPECT_TRUE(open.open_high);
  EXPECT_TRUE(open.open_low);
}

TEST(Statistics, agree_with_published_values) {
  EXPECT_NEAR(normal_z(0.95), 1.959964, 1e-5);
  EXPECT_NEAR(normal_z(0.999), 3.290527, 1e-5);
  // Newcombe 1998, table I: 81 of 263.
  const Interval wilson = wilson_interval(81, 263, 0.95);
  EXPECT_NEAR(wilson.low, 0.2553, 5e-5);
  EXPECT_NEAR(wilson.high, 0.3662, 5e-5);
  EXPECT_EQ(wilson_interval(0, 20, 0.95).low, 0);
  EXPECT_EQ(wilson_interval(20, 20, 0.95).high, 1);
  // Conover: the 95 % interval of a median of 10 is from the 2nd to the 9th, of 5 there is none.
  const RankInterval ten = quantile_ranks(10, 0.5, 0.95);
  EXPECT_EQ(ten.low, 2u);
  EXPECT_EQ(ten.high, 9u);
  const RankInterval five = quantile_ranks(5, 0.5, 0.95);
  EXPECT_EQ(five.low, 0u);
  EXPECT_EQ(five.high, 6u);
  const RankInterval many = quantile_ranks(1'000'000, 0.999, 0.999);
  EXPECT_NEAR(static_cast<double>(many.low), 999'000 - 3.29 * 31.6, 3);
  EXPECT_NEAR(static_cast<double>(many.high), 999'000 + 3.29 * 31.6, 4);
}

TEST(Staleness, counts_newer_acknowledged_writes_and_the_time_since_the_first) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30);
  made.put(3, 40, 50);
  made.put(4, 60, 90);  // not acknowledged when the reads begin
  made.get(3, 70, 80);
  const uint32_t stale = made.get(1, 70, 80);
  made.get(2, 70, 80, {.ids = {2, 3}});  // siblings: the newest counts
  made.get(kAbsent, 5, 8);
  const StalenessReport report = measure_staleness(made.history);
  EXPECT_EQ(report.reads, 4u);
  EXPECT_EQ(report.stale, 1u);
  EXPECT_EQ(report.k_max, 2u);
  EXPECT_EQ(report.stalest, stale);
  EXPECT_EQ(report.t.max(), 40) << "2 was acknowledged at 30, the read began at 70";
  EXPECT_EQ(report.by_k[0], 3u);
  EXPECT_EQ(report.by_k[2], 1u);
  EXPECT_DOUBLE_EQ(report.within(1), 0.75);
  EXPECT_DOUBLE_EQ(report.within(3), 1);
}

TEST(Staleness, agrees_with_counting_by_hand_on_random_histories) {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    MadeHistory made;
    std::vector<ValueId> values = {kAbsent};
    for (int i = 0; i < 60; ++i) {
      const Time begin = i * 3;
      const Time end = begin + static_cast<Time>(random.below(40));
      if (random.chance(0.5)) {
        values.push_back(static_cast<ValueId>(i) + 1);
        made.put(values.back(), begin, end,
                 {.outcome = random.chance(0.9) ? Outcome::kOk : Outcome::kUnknown});
      } else {
        made.get(values[values.size() - 1 - random.below(std::min<std::size_t>(values.size(), 5))],
                 begin, end);
      }
    }
    const auto& ops = made.history.operations;
    uint64_t stale = 0, k_max = 0, sum_k = 0;
    Duration t_max = 0;
    for (const Operation& read : ops) {
      if (!read.is_get()) continue;
      Time surely = read.value == kAbsent ? -1 : kNever;
      for (const Operation& op : ops) {
        if (read.value != kAbsent && op.ok() && op.value == read.value)
          surely = std::min(surely, op.finished);
      }
      uint64_t k = 0;
      Time first = kNever;
      for (const Operation& write : ops) {
        if (!write.is_put() || !write.ok() || write.invoked <= surely) continue;
        if (write.finished < read.invoked) ++k;
        first = std::min(first, write.finished);
      }
      stale += k > 0;
      sum_k += k;
      k_max = std::max(k_max, k);
      if (k > 0) t_max = std::max(t_max, read.invoked - first);
    }
    const StalenessReport report = measure_staleness(made.history);
    uint64_t reported_sum = 0;
    for (std::size_t k = 0; k < report.by_k.size(); ++k) reported_sum += k * report.by_k[k];
    ASSERT_EQ(report.stale, stale);
    ASSERT_EQ(report.k_max, k_max);
    ASSERT_EQ(reported_sum, sum_k);
    ASSERT_EQ(report.t.max(), t_max);
  }
}

TEST(Visibility, bins_reads_by_the_time_since_the_commit_of_their_key) {
  MadeHistory made;
  made.put(1, 0, 100, {.key = "a"});
  made.get(kAbsent, 100, 110, {.key = "a"});
  made.get(1, 1'099, 1'110, {.key = "a"});
  made.get(1, 90, 95, {.key = "a"});  // before the commit
  made.put(2, 0, 100, {.key = "b"});
  made.get(2, 100, 110, {.key = "b"});
  made.put(3, 0, 100, {.outcome = Outcome::kUnknown, .key = "c"});
  made.get(kAbsent, 100, 110, {.key = "c"});  // no commit
  const std::vector<Duration> ladder = {0, 1'000, 2'000};
  const std::vector<VisibilityPoint> curve = measure_visibility(made.history, ladder);
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_EQ(curve[0].reads, 2u);
  EXPECT_EQ(curve[0].consistent, 1u);
  EXPECT_EQ(curve[1].reads, 1u);
  EXPECT_EQ(curve[1].consistent, 1u);
  EXPECT_EQ(curve[2].reads, 0u);
}

TEST(Visibility, the_time_to_a_share_lies_between_the_points_around_it) {
  const std::vector<VisibilityPoint> curve = {{0, 100, 50}, {10, 100, 90}, {20, 100, 100}};
  EXPECT_DOUBLE_EQ(time_to_visibility(curve, 0.7), 5);
  EXPECT_DOUBLE_EQ(time_to_visibility(curve, 0.4), 0);
  EXPECT_DOUBLE_EQ(time_to_visibility(curve, 0.95), 15);
  const std::vector<VisibilityPoint> never = {{0, 100, 50}};
  EXPECT_DOUBLE_EQ(time_to_visibility(never, 0.9), -1);
}

TEST(Sessions, a_client_that_does_not_read_its_own_write_is_found) {
  for (const SessionRule rule : {SessionRule::kCausal, SessionRule::kRealTime}) {
    MadeHistory made;
    made.put(1, 0, 5, {.client = 2});
    const uint32_t own = made.put(2, 10, 20, {.client = 1});
    made.get(2, 30, 40, {.client = 1});
    made.put(3, 41, 42, {.ids = {2}, .client = 2});
    made.get(3, 50, 60, {.client = 1});  // superseded: fine
    const uint32_t behind = made.get(1, 70, 80, {.client = 1});
    made.get(1, 70, 80, {.client = 3});  // another session owes nothing
    const SessionReport report = check_read_your_writes(made.history, rule);
    EXPECT_EQ(report.checked, 3u);
    ASSERT_EQ(report.violated, 1u);
    EXPECT_EQ(report.examples[0].read, behind);
    EXPECT_EQ(report.examples[0].earlier, own);
    EXPECT_NE(describe(made.history, report.examples[0])
                  .find("missed value #0:2, which the client had written itself"),
              std::string::npos);
  }
}

TEST(Sessions, a_concurrent_winner_is_a_violation_only_where_siblings_are_kept) {
  MadeHistory made;
  made.put(1, 0, 30, {.client = 2});
  made.put(2, 10, 20, {.client = 1});
  made.get(1, 40, 50, {.client = 1});
  EXPECT_EQ(check_read_your_writes(made.history, SessionRule::kCausal).violated, 1u);
  EXPECT_EQ(check_read_your_writes(made.history, SessionRule::kRealTime).violated, 0u);
}

TEST(Sessions, reads_that_go_back_are_found) {
  for (const SessionRule rule : {SessionRule::kCausal, SessionRule::kRealTime}) {
    MadeHistory made;
    made.put(1, 0, 5);
    made.put(2, 10, 20, {.ids = {1}});
    const uint32_t newer = made.get(2, 30, 40, {.client = 1});
    const uint32_t back = made.get(1, 50, 60, {.client = 1});
    made.get(1, 70, 80, {.client = 1});  // behind no longer: it saw 1 last
    made.get(kAbsent, 90, 95, {.client = 1});
    const SessionReport report = check_monotonic_reads(made.history, rule);
    EXPECT_EQ(report.checked, 3u);
    ASSERT_EQ(report.violated, 2u);
    EXPECT_EQ(report.examples[0].read, back);
    EXPECT_EQ(report.examples[0].earlier, newer);
  }
}

TEST(Availability, counts_by_the_second_in_which_an_operation_was_due) {
  MadeHistory made;
  made.put(1, kSecond / 2, kSecond / 2 + 10);
  made.get(1, kSecond + 5, 3 * kSecond);
  made.get(1, kSecond + 6, 3 * kSecond, {.outcome = Outcome::kFailed});
  made.put(2, 3 * kSecond, kNever, {.outcome = Outcome::kUnknown});
  made.get(1, 9 * kSecond, 9 * kSecond, {.phase = Phase::kFinal});
  const auto seconds = availability_per_second(made.history);
  ASSERT_EQ(seconds.size(), 4u);
  EXPECT_EQ(seconds[0].puts.ok, 1u);
  EXPECT_EQ(seconds[1].gets.ok, 1u);
  EXPECT_EQ(seconds[1].gets.failed, 1u);
  EXPECT_EQ(seconds[2].gets.all() + seconds[2].puts.all(), 0u);
  EXPECT_EQ(seconds[3].puts.unknown, 1u);
  EXPECT_DOUBLE_EQ(availability(made.history, 0, 2 * kSecond).share(), 2.0 / 3);
  EXPECT_EQ(availability(made.history, 0, 2 * kSecond, kMillisecond).ok, 1u)
      << "the slow get was too late";
  EXPECT_EQ(longest_gap(made.history, 0, 4 * kSecond), 3 * kSecond - kSecond / 2 - 10);
}

TEST(Latencies, count_from_the_intended_start) {
  MadeHistory made;
  made.get(kAbsent, 100, 200);
  made.history.operations[0].intended = 40;
  EXPECT_EQ(latencies(made.history, OperationKind::kGet).max(), 160);
  EXPECT_EQ(latencies(made.history, OperationKind::kPut).count(), 0u);
}

TEST(Plot, draws_a_curve_with_its_axes) {
  const std::string picture = draw_curve(
      {{0, 0}, {5, 50}, {10, 100}}, {.title = "rising", .x_label = "t", .width = 22, .height = 3});
  EXPECT_EQ(picture,
            "rising\n"
            "     100 ┤        ⣀⠤⠒⠉\n"
            "      50 ┤    ⣀⠤⠖⠉\n"
            "       0 ┤⣀⠤⠒⠉\n"
            "         └────────────\n"
            "          0     t   10\n");
  EXPECT_EQ(draw_curve({}, {}), "(no points)\n");
}

TEST(Plot, sets_numbers_flush_right_in_tables) {
  EXPECT_EQ(draw_table({{"t", "consistent"}, {"0 ms", "97.4 %"}, {"10 ms", "100 %"}, {"late", ""}}),
            "t      consistent\n"
            "0 ms       97.4 %\n"
            "10 ms       100 %\n"
            "late\n");
}

TEST(Plot, formats_for_people) {
  EXPECT_EQ(format_duration(812), "812 ns");
  EXPECT_EQ(format_duration(1'250'000), "1.25 ms");
  EXPECT_EQ(format_duration(3.4e9), "3.4 s");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_percent(0.97412), "97.41 %");
}

}  // namespace
}  // namespace ringside
