#include "analysis/wars.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ringside {
namespace {

constexpr double kMs = 1e6;
constexpr uint64_t kTrials = 200'000;

double open_unit(Random& random) {
  return (static_cast<double>(random.next() >> 12) + 0.5) * 0x1.0p-52;
}
WarsLeg constant(double ms) {
  return [ms](Random&) { return ms * kMs; };
}
WarsLeg exponential(double mean_ms) {
  return [mean_ms](Random& random) { return -mean_ms * kMs * std::log(open_unit(random)); };
}
// A share of Pareto(minimum, shape), the rest exponential by rate: the fits of PBS.
WarsLeg fit(double share, double minimum_ms, double shape, double rate_per_ms) {
  return [=](Random& random) {
    if (random.chance(share)) return minimum_ms * kMs * std::pow(open_unit(random), -1 / shape);
    return -kMs * std::log(open_unit(random)) / rate_per_ms;
  };
}

WarsModel model_of(uint32_t n, uint32_t r, uint32_t w, const WarsLeg& write,
                   const WarsLeg& others) {
  WarsModel model;
  model.n = n;
  model.r = r;
  model.w = w;
  model.write = write;
  model.ack = model.request = model.response = others;
  return model;
}

TEST(Wars, one_replica_is_as_slow_as_its_two_legs) {
  const WarsPrediction one = predict(model_of(1, 1, 1, exponential(1), constant(2)), kTrials, 1);
  EXPECT_NEAR(one.writes.quantile(0.99) / kMs, 2 + std::log(100.0), 0.1);
  EXPECT_NEAR(one.reads.quantile(0.99) / kMs, 4, 0.01);
  EXPECT_EQ(one.consistent_at(0), 1);  // who acknowledged answers
}

// P(the second of three exponentials <= x) = 3 F^2 - 2 F^3; F = 0.5 gives 0.5.
TEST(Wars, a_quorum_waits_for_the_w_th_of_n) {
  const WarsModel model = model_of(3, 1, 2, exponential(1), constant(0));
  const WarsPrediction two = predict(model, kTrials, 1);
  EXPECT_NEAR(two.writes.quantile(0.5) / kMs, std::log(2.0), 0.01);
  WarsModel all = model;
  all.w = 3;  // (1 - e^-x)^3
  EXPECT_NEAR(predict(all, kTrials, 1).writes.quantile(0.5) / kMs, -std::log(1 - std::cbrt(0.5)),
              0.02);
}

// Two replicas, write requests exponential and acknowledged at once, reads from a random one: half
// of the reads ask the later one, which is behind for another exponential.
TEST(Wars, t_visibility_of_two_replicas_is_half_an_exponential) {
  WarsModel model = model_of(2, 1, 1, exponential(1), constant(0));
  model.response = exponential(1e-6);  // decides who answers first, and nothing else
  const WarsPrediction two = predict(model, kTrials, 1);
  for (const double t : {0.0, 0.5, 1.0, 2.0, 4.0}) {
    EXPECT_NEAR(two.consistent_at(static_cast<Duration>(t * kMs)), 1 - std::exp(-t) / 2, 0.004)
        << t;
  }
  EXPECT_NEAR(two.visible.quantile(0.99) / kMs, std::log(50.0), 0.1);
}

TEST(Wars, quorums_that_overlap_are_always_consistent) {
  const WarsLeg slow = fit(0.38, 1.05, 1.51, 0.183);
  for (const auto& [r, w] : {std::pair{2u, 2u}, {1u, 3u}, {3u, 1u}})
    EXPECT_EQ(predict(model_of(3, r, w, slow, slow), 20'000, 1).consistent_at(0), 1);
}

TEST(Wars, with_sites_both_ends_are_local_and_a_third_of_the_reads_share_the_writers_site) {
  WarsModel model = model_of(3, 1, 1, constant(1), constant(0.5));
  model.sites = true;
  model.between_sites = 75 * kMs;
  const WarsPrediction wan = predict(model, kTrials, 1);
  EXPECT_EQ(wan.writes.max(), 1'500'000);
  EXPECT_EQ(wan.reads.max(), 1'000'000);
  EXPECT_NEAR(wan.consistent_at(0), 1.0 / 3, 0.004);
  // It comes to the other sites at 76 ms; commit and request take 2 ms of them.
  EXPECT_NEAR(wan.consistent_at(static_cast<Duration>(73.9 * kMs)), 1.0 / 3, 0.004);
  EXPECT_EQ(wan.consistent_at(static_cast<Duration>(74.1 * kMs)), 1);
  model.w = 2;
  EXPECT_EQ(predict(model, 1'000, 1).writes.max(), 151'500'000);
}

// Bailis et al., VLDB 2012, tables 3 and 4; the disks' true value is 43.7 %.
TEST(Wars, the_published_fits_give_the_published_numbers) {
  const WarsLeg ssd = fit(0.9122, 0.235, 10, 1.66);
  const WarsLeg disk = fit(0.38, 1.05, 1.51, 0.183);
  const WarsPrediction on_ssd = predict(model_of(3, 1, 1, ssd, ssd), kTrials, 1);
  EXPECT_NEAR(on_ssd.consistent_at(0), 0.974, 0.005);
  EXPECT_NEAR(on_ssd.reads.quantile(0.999) / kMs, 0.66, 0.02);
  const WarsPrediction on_disk = predict(model_of(3, 1, 1, disk, ssd), kTrials, 1);
  EXPECT_NEAR(on_disk.consistent_at(0), 0.437, 0.005);
  EXPECT_NEAR(on_disk.consistent_at(static_cast<Duration>(10 * kMs)), 0.925, 0.005);
  const WarsLeg yammer = fit(0.982, 1.5, 3.8, 0.0217);
  const WarsPrediction on_yammer =
      predict(model_of(3, 1, 1, fit(0.939, 3, 3.5, 0.0028), yammer), kTrials, 1);
  EXPECT_NEAR(on_yammer.consistent_at(0), 0.893, 0.005);
}

TEST(Wars, one_seed_gives_one_prediction_and_another_seed_another) {
  const WarsModel model = model_of(3, 1, 2, exponential(1), exponential(0.1));
  const WarsPrediction first = predict(model, 1'000, 1);
  EXPECT_EQ(first.visible.serialize(), predict(model, 1'000, 1).visible.serialize());
  EXPECT_NE(first.writes.serialize(), predict(model, 1'000, 2).writes.serialize());
}

TEST(Wars, k_staleness_of_partial_quorums_is_exact) {
  EXPECT_DOUBLE_EQ(within_k_versions(3, 1, 1, 1), 1.0 / 3);
  EXPECT_NEAR(within_k_versions(3, 1, 1, 2), 0.556, 0.0005);
  EXPECT_NEAR(within_k_versions(3, 1, 1, 3), 0.704, 0.0005);
  EXPECT_GT(within_k_versions(3, 1, 1, 10), 0.98);
  EXPECT_EQ(within_k_versions(3, 2, 2, 1), 1);
}

}  // namespace
}  // namespace ringside
