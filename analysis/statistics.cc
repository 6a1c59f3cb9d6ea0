#include "analysis/statistics.h"

#include <algorithm>
#include <cmath>

#include "runtime/check.h"

namespace ringside {

double normal_z(double confidence) {
  CHECK(confidence > 0 && confidence < 1);
  // P(|N| <= z) = erf(z / √2); bisection is exact enough and needs no constants.
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) > 1 - confidence ? low : high) = middle;
  }
  return high;
}

Interval wilson_interval(uint64_t successes, uint64_t trials, double confidence) {
  CHECK(successes <= trials);
  if (trials == 0) return {0, 1};
  const double z = normal_z(confidence), n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double scale = 1 + z * z / n;
  const double middle = (share + z * z / (2 * n)) / scale;
  const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale;
  return {successes == 0 ? 0 : std::max(0.0, middle - half),
          successes == trials ? 1 : std::min(1.0, middle + half)};
}

namespace {

// Binomial(n, q) by recurrence from an end where its mass is negligible.
double log_mass(uint64_t n, double q, uint64_t k) {
  const auto count = static_cast<double>(n), at = static_cast<double>(k);
  return std::lgamma(count + 1) - std::lgamma(at + 1) - std::lgamma(count - at + 1) +
         at * std::log(q) + (count - at) * std::log1p(-q);
}

// The largest k with P(Binomial(n, q) < k) <= tail.
uint64_t lower_rank(uint64_t n, double q, double tail) {
  const double mean = static_cast<double>(n) * q, deviation = std::sqrt(mean * (1 - q));
  const double reach = std::max(0.0, std::floor(mean - 12 * deviation - 30));
  double sum = 0;
  for (uint64_t k = static_cast<uint64_t>(reach);; ++k) {
    if (k >= n) return k;
    sum += std::exp(log_mass(n, q, k));
    if (sum > tail) return k;
  }
}

}  // namespace

RankInterval quantile_ranks(uint64_t n, double q, double confidence) {
  CHECK(q > 0 && q < 1 && confidence > 0 && confidence < 1);
  const double tail = (1 - confidence) / 2;
  // The quantile lies below the sample of rank k when fewer than k samples are below it, and so on
  // from above.
  const uint64_t low = lower_rank(n, q, tail);
  const uint64_t high = n + 1 - lower_rank(n, 1 - q, tail);
  return {low, high};
}

}  // namespace ringside
