#include "sim/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "sim/draw.h"

namespace ringside::sim {
namespace {

uint64_t bits_of(double value) { return std::bit_cast<uint64_t>(value); }

double relative_error(double value, long double truth) {
  return static_cast<double>(std::abs((static_cast<long double>(value) - truth) / truth));
}

// The test alone may ask libm, in extended precision.
TEST(Math, log_agrees_with_extended_precision_to_1e_15) {
  Draw draw(1);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    const int64_t exponent = draw.between(-1021, 1023);
    const double x = std::ldexp(1 + draw.uniform(), i % 2 == 0 ? static_cast<int>(exponent)
                                                               : static_cast<int>(exponent % 3));
    if (x == 1) continue;
    worst = std::max(worst, relative_error(log(x), std::log(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 1e-15);
}

TEST(Math, exp_agrees_with_extended_precision_to_1e_15) {
  Draw draw(2);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    const double x = (draw.uniform() - 0.5) * (i % 2 == 0 ? 1400 : 4);
    worst = std::max(worst, relative_error(exp(x), std::exp(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 1e-15);
}

TEST(Math, pow_agrees_with_extended_precision_to_1e_14_where_latencies_live) {
  Draw draw(3);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    const double x = draw.open_uniform();
    const double y = -1 / (1 + 9 * draw.uniform());
    worst = std::max(worst, relative_error(pow(x, y), std::pow(static_cast<long double>(x),
                                                               static_cast<long double>(y))));
  }
  EXPECT_LT(worst, 1e-14);
}

TEST(Math, normal_quantile_inverts_the_normal_distribution_to_1e_14) {
  Draw draw(4);
  double worst = 0;
  for (int i = 0; i < 100'000; ++i) {
    // In the lower half, where the complementary error function keeps its relative precision.
    const double p = 0.5 * (i % 2 == 0 ? draw.open_uniform() : exp(-50 * draw.uniform()));
    const double z = normal_quantile(p);
    const long double back = 0.5L * std::erfc(-static_cast<long double>(z) / std::sqrt(2.0L));
    const long double density =
        std::exp(-static_cast<long double>(z) * z / 2) / std::sqrt(2 * 3.14159265358979323846L);
    const long double error_of_z = (back - p) / density;
    if (std::abs(z) > 1e-3) worst = std::max(worst, static_cast<double>(std::abs(error_of_z / z)));
    EXPECT_EQ(normal_quantile(p), z);
  }
  EXPECT_LT(worst, 1e-14);
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_EQ(normal_quantile(0.75), -normal_quantile(0.25));
}

TEST(Math, edges_are_where_they_belong) {
  EXPECT_EQ(log(1), 0);
  EXPECT_EQ(log(0), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(log(-1)));
  EXPECT_LT(relative_error(log(5e-324), std::log(static_cast<long double>(5e-324))), 1e-15);
  EXPECT_EQ(exp(0), 1);
  EXPECT_EQ(exp(710), std::numeric_limits<double>::infinity());
  EXPECT_LT(relative_error(exp(709.78), std::exp(static_cast<long double>(709.78))), 1e-15);
  EXPECT_EQ(exp(-746), 0);
  EXPECT_LT(relative_error(exp(-708.3), std::exp(static_cast<long double>(-708.3))), 1e-15);
  EXPECT_GT(exp(-744), 0);
  EXPECT_EQ(pow(2, 10), exp(10 * log(2)));
}

// Golden bit patterns: the same on every compiler, optimisation level and CPU, or recorded runs
// would not replay.
TEST(Math, gives_the_same_bits_on_every_compiler) {
  EXPECT_EQ(bits_of(log(0.3)), 0xbff34378fcbda721ULL);
  EXPECT_EQ(bits_of(log(12345.678)), 0x4022d79559791e31ULL);
  uint64_t logs = 0, exps = 0, pows = 0, quantiles = 0;
  Draw draw(5);
  for (int i = 0; i < 100'000; ++i) {
    const double u = draw.open_uniform();
    logs = mix(logs, bits_of(log(u)));
    exps = mix(exps, bits_of(exp(100 * u - 50)));
    pows = mix(pows, bits_of(pow(u, -0.1)));
    quantiles = mix(quantiles, bits_of(normal_quantile(u)));
  }
  EXPECT_EQ(logs, 16222343653001671887u);
  EXPECT_EQ(exps, 15167012996518910908u);
  EXPECT_EQ(pows, 3631368310297785010u);
  EXPECT_EQ(quantiles, 9876413818735856399u);
}

}  // namespace
}  // namespace ringside::sim
