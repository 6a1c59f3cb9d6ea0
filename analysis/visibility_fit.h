// The time after which a share of the reads sees the write ("t for 99.9 % consistency"), estimated
// from reads at times near it. The share of stale reads is taken as a power of t there:
// ln p = a + b ln t, fitted by maximum likelihood (a Poisson regression), so that every read near
// the answer counts and not the two rungs beside it alone. Reads of one key share its write, so the
// interval adds what reads say key by key (Liang & Zeger, Biometrika 1986) instead of taking them
// for independent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "analysis/staleness.h"
#include "workloads/history.h"

namespace ringside {

// Rungs from near / kVisibilityWindow to near × kVisibilityWindow are used.
inline constexpr double kVisibilityWindow = 1.25;

struct VisibilityQuantile {
  double t = 0;  // nanoseconds, as the interval
  double low = 0, high = 0;
  uint64_t reads = 0, stale = 0;  // in the window
};

// `share` such as 0.999; `near` is where the answer is looked for. None when fewer than ten stale
// reads at two rungs leave nothing to fit, or the share does not grow with t.
std::optional<double> fit_visibility(std::span<const VisibilityPoint> points, Duration near,
                                     double share);
// With the interval that holds the true time at this confidence. Reads as in measure_visibility.
std::optional<VisibilityQuantile> fit_visibility(const History& history,
                                                 std::span<const Duration> ladder, Duration near,
                                                 double share, double confidence);

}  // namespace ringside
