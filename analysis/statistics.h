// The few distributions that verdicts need.
#pragma once

#include <cstdint>

namespace ringside {

struct Interval {
  double low = 0;
  double high = 0;
  bool contains(double x) const { return low <= x && x <= high; }
  bool meets(const Interval& other) const { return low <= other.high && other.low <= high; }
};

// z with P(|N(0,1)| <= z) = confidence.
double normal_z(double confidence);

// Wilson's score interval of a proportion.
Interval wilson_interval(uint64_t successes, uint64_t trials, double confidence);

// 1-based ranks whose order statistics enclose the q-quantile of n samples with at least
// `confidence`; low = 0 or high = n + 1 when that side has no bound.
struct RankInterval {
  uint64_t low = 0;
  uint64_t high = 0;
};
RankInterval quantile_ranks(uint64_t n, double q, double confidence);

}  // namespace ringside
