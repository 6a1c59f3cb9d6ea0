#include "workloads/sampling.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "runtime/check.h"

namespace ringside {

double sample_exponential(Random& random) {
  // A run u1 >= u2 >= … >= u(n-1) < un with n even has probability e^-u1, given u1 (von Neumann
  // 1951).
  for (double whole = 0;; whole += 1) {
    const double first = random.uniform();
    double last = first;
    uint32_t n = 2;
    for (;; ++n) {
      const double next = random.uniform();
      if (next > last) break;
      last = next;
    }
    if (n % 2 == 0) return whole + first;
  }
}

double power(double x, double y) {
  double whole = 1;
  for (; y >= 1; y -= 1) whole *= x;
  double root = x, fraction = 1;
  for (int bit = 0; bit < 52 && y > 0; ++bit) {
    root = std::sqrt(root);
    y *= 2;
    if (y >= 1) {
      fraction *= root;
      y -= 1;
    }
  }
  return whole * fraction;
}

// Rejection by octaves. Every rank of [2^k, 2^(k+1)) weighs at most 2^-k·theta; so choose the
// octave by 2^k·(1 - theta), a rank in it evenly, and keep it with probability (2^k / rank)^theta.
// Seven of ten are kept.
Zipfian::Zipfian(double theta) : theta_(theta) {
  CHECK(theta >= 0 && theta < 4);
  const double ratio = 2 / power(2, theta);
  slack_ = theta <= 1 ? power(2, 1 - theta) : 1;
  double weight = 1, sum = 0;
  for (int k = 0; k < 63; ++k) {
    sum += weight;
    octaves_.push_back(sum);
    weight *= ratio;
  }
}

uint64_t Zipfian::sample(uint64_t n, Random& random) const {
  CHECK(n > 0 && n < uint64_t{1} << 62);
  const auto octaves = static_cast<std::ptrdiff_t>(std::bit_width(n));
  const double total = octaves_[static_cast<std::size_t>(octaves - 1)];
  for (;;) {
    const double at = random.uniform() * total;
    const auto chosen = std::upper_bound(octaves_.begin(), octaves_.begin() + octaves, at);
    const auto octave = static_cast<uint64_t>(std::min(chosen - octaves_.begin(), octaves - 1));
    const uint64_t low = uint64_t{1} << octave;
    const uint64_t rank = low + random.below(low);
    const double keep = random.uniform();
    if (rank > n) continue;
    // x <= x^theta <= slack · x when theta <= 1: the roots are rarely needed.
    const double x = static_cast<double>(low) / static_cast<double>(rank);
    if (theta_ <= 1) {
      if (keep < x) return rank - 1;
      if (keep >= slack_ * x) continue;
    }
    if (keep < power(x, theta_)) return rank - 1;
  }
}

}  // namespace ringside
