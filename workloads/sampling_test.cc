#include "workloads/sampling.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ringside {
namespace {

TEST(Sampling, power_by_square_roots_agrees_with_the_library) {
  for (const double x : {0.5, 0.7, 1.0, 1.5, 2.0, 123.0}) {
    for (const double y : {0.0, 0.01, 0.3, 0.99, 1.0, 1.7, 3.5}) {
      EXPECT_NEAR(power(x, y) / std::pow(x, y), 1, 1e-12) << x << "^" << y;
    }
  }
}

TEST(Sampling, exponential_has_its_distribution) {
  Random random(3);
  constexpr int kCount = 1'000'000;
  double sum = 0;
  std::vector<int> below(5);
  for (int i = 0; i < kCount; ++i) {
    const double x = sample_exponential(random);
    sum += x;
    for (std::size_t k = 0; k < below.size(); ++k) below[k] += x < static_cast<double>(k) + 0.5;
  }
  EXPECT_NEAR(sum / kCount, 1, 0.005);
  for (std::size_t k = 0; k < below.size(); ++k) {
    EXPECT_NEAR(static_cast<double>(below[k]) / kCount, 1 - std::exp(-0.5 - static_cast<double>(k)),
                0.002);
  }
}

TEST(Sampling, zipf_gives_each_rank_its_share) {
  Random random(5);
  constexpr int kCount = 1'000'000;
  for (const double theta : {0.0, 0.5, 0.99, 1.0, 1.5}) {
    for (const uint64_t n : {1ull, 2ull, 7ull, 64ull, 100ull}) {
      const Zipfian zipfian(theta);
      std::vector<double> seen(n);
      for (int i = 0; i < kCount / 10; ++i) ++seen.at(zipfian.sample(n, random));
      double total = 0, chi = 0;
      for (uint64_t i = 1; i <= n; ++i) total += std::pow(static_cast<double>(i), -theta);
      for (uint64_t i = 1; i <= n; ++i) {
        const double expected = kCount / 10 * std::pow(static_cast<double>(i), -theta) / total;
        chi += (seen[i - 1] - expected) * (seen[i - 1] - expected) / expected;
      }
      const auto freedom = static_cast<double>(n - 1);
      EXPECT_LT(chi, freedom + 4 * std::sqrt(2 * freedom) + 6) << theta << " of " << n;
    }
  }
}

TEST(Sampling, zipf_over_a_thousand_million_items_needs_no_table) {
  Random random(7);
  const Zipfian zipfian(0.99);
  uint64_t first = 0, beyond = 0;
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t rank = zipfian.sample(1'000'000'000, random);
    ASSERT_LT(rank, 1'000'000'000u);
    first += rank == 0;
    beyond += rank >= 1'000'000;
  }
  // zeta(1e9, 0.99) = 23.60, zeta(1e6, 0.99) = 15.39.
  EXPECT_NEAR(static_cast<double>(first) / 200'000, 1 / 23.60, 0.002);
  EXPECT_NEAR(static_cast<double>(beyond) / 200'000, 1 - 15.39 / 23.60, 0.005);
}

}  // namespace
}  // namespace ringside
