#include "sim/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace ringside::sim {
namespace {

constexpr int kSamples = 1'000'000;

std::vector<double> samples(const Distribution& law, uint64_t seed) {
  std::vector<double> drawn(kSamples);
  for (int i = 0; i < kSamples; ++i) {
    Draw draw = Draw::of(seed, i);
    drawn[i] = static_cast<double>(law.sample(draw));
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

// Kolmogorov–Smirnov: the largest distance between the drawn and the closed-form distribution,
// times sqrt(n), the largest of three seeds. Beyond kAlpha lies one run of one seed in ten
// thousand; the seeds are fixed, so this cannot flicker.
constexpr double kAlpha = 2.2253;
double kolmogorov_smirnov(const Distribution& law, uint64_t seed,
                          const std::function<double(double)>& cdf) {
  double largest = 0;
  for (const uint64_t each : {seed, seed + 100, seed + 200}) {
    const std::vector<double> drawn = samples(law, each);
    for (int i = 0; i < kSamples; ++i) {
      const double expected = cdf(drawn[i]);
      largest = std::max(largest, std::abs(expected - static_cast<double>(i) / kSamples));
      largest = std::max(largest, std::abs(expected - static_cast<double>(i + 1) / kSamples));
    }
  }
  return largest * std::sqrt(static_cast<double>(kSamples));
}

double pareto_cdf(double x, double minimum, double alpha) {
  return x <= minimum ? 0 : 1 - std::pow(minimum / x, alpha);
}
double exponential_cdf(double x, double mean) { return x <= 0 ? 0 : 1 - std::exp(-x / mean); }

TEST(Distribution, a_constant_is_always_itself_and_the_default_is_0) {
  Draw draw(1);
  EXPECT_EQ(Distribution::constant(250 * kMicrosecond).sample(draw), 250'000);
  EXPECT_EQ(Distribution().sample(draw), 0);
  EXPECT_EQ(Distribution::constant(10).shifted(5).sample(draw), 15);
}

TEST(Distribution, uniform_fits_its_closed_form) {
  const Distribution law = *Distribution::uniform(2 * kMillisecond, 12 * kMillisecond);
  EXPECT_LT(
      kolmogorov_smirnov(law, 11, [](double x) { return std::clamp((x - 2e6) / 1e7, 0.0, 1.0); }),
      kAlpha);
}

TEST(Distribution, exponential_fits_its_closed_form) {
  const Distribution law = *Distribution::exponential(3 * kMillisecond);
  EXPECT_LT(kolmogorov_smirnov(law, 12, [](double x) { return exponential_cdf(x, 3e6); }), kAlpha);
}

TEST(Distribution, pareto_fits_its_closed_form) {
  const Distribution law = *Distribution::pareto(1.05 * kMillisecond, 1.51);
  EXPECT_LT(kolmogorov_smirnov(law, 13, [](double x) { return pareto_cdf(x, 1.05e6, 1.51); }),
            kAlpha);
}

TEST(Distribution, log_normal_fits_its_closed_form) {
  const Distribution law = *Distribution::log_normal(500 * kMicrosecond, 0.8);
  const auto cdf = [](double x) {
    return 0.5 * std::erfc(-std::log(x / 5e5) / 0.8 / std::sqrt(2.0));
  };
  EXPECT_LT(kolmogorov_smirnov(law, 14, cdf), kAlpha);
}

TEST(Distribution, an_empirical_table_is_linear_between_its_points) {
  const Distribution law = *Distribution::table({{0, 1e6}, {0.5, 2e6}, {0.9, 6e6}, {1, 100e6}});
  const auto cdf = [](double x) {
    if (x <= 2e6) return 0.5 * (x - 1e6) / 1e6;
    if (x <= 6e6) return 0.5 + 0.4 * (x - 2e6) / 4e6;
    return 0.9 + 0.1 * (x - 6e6) / 94e6;
  };
  EXPECT_LT(kolmogorov_smirnov(law, 15, cdf), kAlpha);
}

TEST(Distribution, a_shift_moves_every_sample_by_a_constant) {
  const Distribution law = Distribution::exponential(3 * kMillisecond)->shifted(75 * kMillisecond);
  EXPECT_EQ(law.minimum(), 75 * kMillisecond);
  EXPECT_LT(kolmogorov_smirnov(law, 16, [](double x) { return exponential_cdf(x - 75e6, 3e6); }),
            kAlpha);
}

// The fits of Bailis et al., "Probabilistically bounded staleness" (2012), table 3: milliseconds.
struct Fit {
  const char* name;
  double pareto_weight, minimum, alpha, rate;
};
constexpr Fit kFits[] = {
    {"LNKD-SSD", 0.9122, 0.235, 10, 1.66},
    {"LNKD-DISK W", 0.38, 1.05, 1.51, 0.183},
    {"YMMR W", 0.939, 3, 3.5, 0.0028},
    {"YMMR ARS", 0.982, 1.5, 3.8, 0.0217},
};

TEST(Distribution, the_published_latency_mixtures_fit_their_closed_forms) {
  uint64_t seed = 17;
  for (const Fit& fit : kFits) {
    const Distribution law = *Distribution::mixture(
        {{fit.pareto_weight, *Distribution::pareto(fit.minimum * kMillisecond, fit.alpha)},
         {1 - fit.pareto_weight, *Distribution::exponential_rate(fit.rate * 1000)}});
    const auto cdf = [&fit](double x) {
      return fit.pareto_weight * pareto_cdf(x, fit.minimum * 1e6, fit.alpha) +
             (1 - fit.pareto_weight) * exponential_cdf(x, 1e6 / fit.rate);
    };
    EXPECT_LT(kolmogorov_smirnov(law, ++seed, cdf), kAlpha) << fit.name << ": " << law.describe();
  }
}

// Chi-square of what was drawn by class against the shares that were to be expected, the largest of
// three seeds.
double chi_square(const Distribution& law, uint64_t seed,
                  const std::function<std::size_t(double)>& class_of,
                  const std::vector<double>& shares) {
  double largest = 0;
  for (const uint64_t each : {seed, seed + 100, seed + 200}) {
    std::vector<double> counts(shares.size(), 0.0);
    for (const double drawn : samples(law, each)) ++counts[class_of(drawn)];
    double sum = 0;
    for (std::size_t i = 0; i < shares.size(); ++i)
      sum += std::pow(counts[i] - shares[i] * kSamples, 2) / (shares[i] * kSamples);
    largest = std::max(largest, sum);
  }
  return largest;
}

TEST(Distribution, a_mixture_of_constants_draws_each_at_its_weight) {
  const Distribution law = *Distribution::mixture({{1, Distribution::constant(0)},
                                                   {2, Distribution::constant(1)},
                                                   {3.5, Distribution::constant(2)},
                                                   {0.001, Distribution::constant(3)},
                                                   {3.499, Distribution::constant(4)}});
  const auto value = [](double drawn) { return static_cast<std::size_t>(drawn); };
  EXPECT_LT(chi_square(law, 40, value, {0.1, 0.2, 0.35, 0.0001, 0.3499}), 23.513);
  EXPECT_GT(chi_square(law, 40, value, {0.1, 0.2, 0.353, 0.0001, 0.3469}), 23.513);
}

// Far out, where Kolmogorov–Smirnov hardly looks: the share of each factor of ten of the tail.
TEST(Distribution, tails_fit_decade_by_decade) {
  const std::vector<double> shares = {0.9, 0.09, 0.009, 0.0009, 0.00009, 0.00001};
  const auto decade = [](const std::function<double(double)>& beyond) {
    return [beyond](double drawn) {
      const double tail = std::max(beyond(drawn), 1e-300);
      return static_cast<std::size_t>(std::min(5.0, std::max(0.0, -std::log10(tail))));
    };
  };
  constexpr double kChiSquareOf5 = 25.745;
  EXPECT_LT(chi_square(*Distribution::exponential(3e9), 50,
                       decade([](double x) { return std::exp(-x / 3e9); }), shares),
            kChiSquareOf5);
  EXPECT_LT(chi_square(*Distribution::pareto(1e9, 1.51), 51,
                       decade([](double x) { return std::pow(1e9 / x, 1.51); }), shares),
            kChiSquareOf5);
  const auto normal_tail = [](double x) {
    return 0.5 * std::erfc(std::log(x / 1e9) / 0.8 / std::sqrt(2.0));
  };
  EXPECT_LT(chi_square(*Distribution::log_normal(1e9, 0.8), 52, decade(normal_tail), shares),
            kChiSquareOf5);
}

TEST(Distribution, a_mixture_of_a_table_and_shifted_laws_fits_its_closed_form) {
  const Distribution law =
      *Distribution::mixture({{0.5, *Distribution::table({{0, 1e6}, {0.25, 2e6}, {1, 10e6}})},
                              {0.3, Distribution::uniform(0, 4e6)->shifted(3 * kMillisecond)},
                              {0.2, *Distribution::log_normal(5e6, 0.4)}});
  const auto cdf = [](double x) {
    const double table = x <= 1e6   ? 0
                         : x <= 2e6 ? 0.25 * (x - 1e6) / 1e6
                                    : std::min(1.0, 0.25 + 0.75 * (x - 2e6) / 8e6);
    const double uniform = std::clamp((x - 3e6) / 4e6, 0.0, 1.0);
    const double log_normal = 0.5 * std::erfc(-std::log(x / 5e6) / 0.4 / std::sqrt(2.0));
    return 0.5 * table + 0.3 * uniform + 0.2 * log_normal;
  };
  EXPECT_LT(kolmogorov_smirnov(law, 31, cdf), kAlpha);
}

// A wrong law must not pass: the printed alpha of YMMR against the one that was drawn.
TEST(Distribution, the_fit_test_tells_a_slightly_wrong_law) {
  const Distribution law = *Distribution::pareto(3 * kMillisecond, 3.5);
  EXPECT_GT(kolmogorov_smirnov(law, 30, [](double x) { return pareto_cdf(x, 3e6, 3.48); }), kAlpha);
}

TEST(Distribution, gives_the_same_samples_on_every_compiler) {
  const Distribution laws[] = {
      *Distribution::uniform(0, 1e9), *Distribution::exponential(1e6),
      *Distribution::pareto(1e6, 1.51), *Distribution::log_normal(1e6, 1.3),
      *Distribution::mixture({{0.38, *Distribution::pareto(1.05e6, 1.51)},
                              {0.62, *Distribution::exponential_rate(183)}})};
  uint64_t hash = 0;
  for (const Distribution& law : laws) {
    for (int i = 0; i < 10'000; ++i) {
      Draw draw = Draw::of(9, i);
      hash = mix(hash, static_cast<uint64_t>(law.sample(draw)));
    }
  }
  EXPECT_EQ(hash, 16098653711545958577u);
}

TEST(Distribution, a_copy_draws_what_its_original_draws) {
  const Distribution law = *Distribution::mixture(
      {{1, *Distribution::exponential(1e6)}, {3, Distribution::constant(7)}});
  const Distribution copy = law;
  for (int i = 0; i < 1000; ++i) {
    Draw a(i), b(i);
    EXPECT_EQ(law.sample(a), copy.sample(b));
  }
}

TEST(Distribution, a_part_without_weight_is_never_drawn) {
  const Distribution law = *Distribution::mixture({{0, Distribution::constant(1)},
                                                   {0.1, Distribution::constant(2)},
                                                   {0, Distribution::constant(3)}});
  for (int i = 0; i < 10'000; ++i) {
    Draw draw(i);
    EXPECT_EQ(law.sample(draw), 2);
  }
}

TEST(Distribution, heavy_tails_are_cut_and_never_overflow) {
  const Distribution law = *Distribution::pareto(kSecond, 0.01);
  for (int i = 0; i < 10'000; ++i) {
    Draw draw(i);
    const Duration sample = law.sample(draw);
    EXPECT_GE(sample, kSecond);
    EXPECT_LE(sample, 1'000'000'000'000'000'000);
  }
}

TEST(Distribution, wrong_parameters_are_refused_in_words) {
  EXPECT_EQ(Distribution::uniform(5, 4).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::uniform(-1, 4).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::exponential(0).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::exponential_rate(0).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::exponential(std::nan("")).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::pareto(1, 0).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::pareto(0, 1).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::log_normal(1, -1).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::mixture({}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::mixture({{0, {}}}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::mixture({{-1, {}}, {2, {}}}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::table({{0, 1}}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::table({{0.1, 1}, {1, 2}}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::table({{0, 1}, {0.5, 2}, {0.5, 3}, {1, 4}}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::table({{0, 5}, {1, 4}}).code(), Code::kInvalid);
  EXPECT_EQ(Distribution::pareto(1, -2).error().text(), "invalid: Pareto needs an alpha above 0");
}

TEST(Distribution, describes_itself_for_people) {
  EXPECT_EQ(Distribution::constant(250 * kMicrosecond).describe(), "250us");
  EXPECT_EQ(Distribution::mixture({{0.9122, *Distribution::pareto(235e3, 10)},
                                   {0.0878, *Distribution::exponential_rate(1660)}})
                ->describe(),
            "91.22 % Pareto(xm 235us, alpha 10) + 8.78 % Exponential(mean 602.41us)");
  EXPECT_EQ(Distribution::uniform(1e6, 2e9)->shifted(kMillisecond).describe(),
            "Uniform(1ms to 2s) + 1ms");
}

}  // namespace
}  // namespace ringside::sim
