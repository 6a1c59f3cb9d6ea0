#include "analysis/visibility_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"

namespace ringside {
namespace {

constexpr Duration kMs = kMillisecond;
const std::vector<Duration> kRungs = {0, 40 * kMs, 43 * kMs, 46 * kMs, 49 * kMs, 52 * kMs};
// Writes that are everywhere after an exponential of 10 ms: 99 % of the reads see them after this.
const double kNinetyNine = 10e6 * std::log(100.0);

// Each key is read at every rung; its reads share the moment at which its write is everywhere.
History made(uint32_t keys, uint64_t seed) {
  History history;
  history.clients.push_back({kFirstClient});
  Random random(seed);
  uint64_t id = 0;
  for (KeyIndex key = 0; key < keys; ++key) {
    history.keys.push_back("k" + std::to_string(key));
    Operation put;
    put.id = put.value = ++id;
    put.kind = OperationKind::kPut;
    put.outcome = Outcome::kOk;
    put.key = key;
    put.finished = 1;
    history.operations.push_back(put);
    const double everywhere = -10e6 * std::log(1 - random.uniform());
    for (const Duration t : kRungs) {
      Operation get;
      get.id = ++id;
      get.outcome = Outcome::kOk;
      get.key = key;
      get.invoked = 1 + t;
      get.finished = get.invoked + 1;
      get.ids_begin = static_cast<uint32_t>(history.ids.size());
      if (static_cast<double>(t) >= everywhere) {
        history.ids.push_back(put.value);
        get.ids_count = 1;
        get.value = put.value;
      }
      history.operations.push_back(get);
    }
  }
  return history;
}

TEST(VisibilityFit, finds_the_time_after_which_a_share_sees_the_write) {
  const auto fit = fit_visibility(made(200'000, 1), kRungs, 45 * kMs, 0.99, 0.999);
  ASSERT_TRUE(fit.has_value());
  EXPECT_EQ(fit->reads, 1'000'000u);
  EXPECT_NEAR(fit->t / kNinetyNine, 1, 0.015);
  EXPECT_LT(fit->low, kNinetyNine);
  EXPECT_GT(fit->high, kNinetyNine);
}

TEST(VisibilityFit, its_interval_knows_that_the_reads_of_one_key_say_the_same) {
  int covered = 0, naively = 0;
  constexpr int kHistories = 100;
  for (int seed = 1; seed <= kHistories; ++seed) {
    const auto fit = fit_visibility(made(5'000, seed), kRungs, 46 * kMs, 0.99, 0.9);
    ASSERT_TRUE(fit.has_value());
    if (fit->low <= kNinetyNine && kNinetyNine <= fit->high) ++covered;
    // As wide as five independent reads a key would make it.
    const double narrow = (fit->high - fit->low) / std::sqrt(5.0) / 2;
    if (std::fabs(fit->t - kNinetyNine) <= narrow) ++naively;
  }
  EXPECT_GE(covered, 82);
  EXPECT_LE(naively, 70);
}

TEST(VisibilityFit, points_of_several_histories_are_one_estimate) {
  std::vector<VisibilityPoint> sum = measure_visibility(made(50'000, 1), kRungs);
  const std::vector<VisibilityPoint> more = measure_visibility(made(50'000, 2), kRungs);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i].reads += more[i].reads;
    sum[i].consistent += more[i].consistent;
  }
  const std::optional<double> t = fit_visibility(sum, 46 * kMs, 0.99);
  ASSERT_TRUE(t.has_value());
  EXPECT_NEAR(*t / kNinetyNine, 1, 0.02);
}

TEST(VisibilityFit, says_nothing_where_nothing_was_stale_or_one_rung_alone_is_near) {
  const History history = made(1'000, 1);
  EXPECT_FALSE(fit_visibility(history, kRungs, 4'000 * kMs, 0.99, 0.9).has_value());
  const std::vector<VisibilityPoint> one = {{0, 100, 50}, {40 * kMs, 1'000, 900}};
  EXPECT_FALSE(fit_visibility(one, 40 * kMs, 0.99).has_value());
  const std::vector<VisibilityPoint> all_fresh = {{40 * kMs, 1'000, 1'000}, {46 * kMs, 1'000, 999}};
  EXPECT_FALSE(fit_visibility(all_fresh, 40 * kMs, 0.99).has_value());
}

}  // namespace
}  // namespace ringside
