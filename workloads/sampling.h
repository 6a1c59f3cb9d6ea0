// Sampling for workloads without libm, so that every machine and compiler draws the same: Zipf's
// law exactly, in constant time and for any number of items, and the exponential distribution by
// von Neumann's comparisons.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/random.h"

namespace ringside {

// Exponential with mean 1.
double sample_exponential(Random& random);

// x^y for x > 0 and y >= 0, by square roots; good to about 1e-13.
double power(double x, double y);

// P(rank = i) is proportional to (i + 1)^-theta for i in [0, n).
class Zipfian {
 public:
  explicit Zipfian(double theta);  // 0 <= theta < 4
  uint64_t sample(uint64_t n, Random& random) const;

 private:
  double theta_;
  double slack_;                 // how much x^theta may differ from x for x in (1/2, 1]
  std::vector<double> octaves_;  // cumulative bound of the weights of [2^k, 2^(k+1))
};

}  // namespace ringside
