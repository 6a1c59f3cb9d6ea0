// How stale are reads? A write is newer than a value when it began after the value was surely there
// (after its put, or a read that returned it, had finished). k: newer writes acknowledged before
// the read began. t: from the first of those acknowledgements to the read's beginning. The
// t-visibility curve (Bailis et al., VLDB 2012) is measured on keys that are written once: the
// share of reads, t after the write was acknowledged, that return it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/histogram.h"
#include "workloads/history.h"

namespace ringside {

struct StalenessReport {
  uint64_t reads = 0;
  uint64_t stale = 0;          // k >= 1
  std::vector<uint64_t> by_k;  // by_k[k] reads were k versions behind; the last entry is "or more"
  Histogram t;                 // of stale reads
  uint32_t stalest = kNoOperation;  // the read with the greatest k
  uint64_t k_max = 0;
  // Share of the reads within k versions of the newest (k = 1: fresh).
  double within(uint64_t k) const;
};
// Phase::kMain reads that were answered.
StalenessReport measure_staleness(const History& history, std::size_t k_buckets = 64);

struct VisibilityPoint {
  Duration t = 0;
  uint64_t reads = 0;
  uint64_t consistent = 0;
  double share() const {
    return reads == 0 ? 0 : static_cast<double>(consistent) / static_cast<double>(reads);
  }
};
// One point a rung of `ladder` (rising); a read belongs to the rung nearest to the time since its
// key's only acknowledged write. Reads of keys with several writes, and reads that began before the
// acknowledgement, are left out.
std::vector<VisibilityPoint> measure_visibility(const History& history,
                                                std::span<const Duration> ladder);

// Calls with (read, time since its key's only acknowledged write, whether it returned that write)
// for every read that measure_visibility counts.
using VisibilityRead = std::function<void(const Operation& read, Duration t, bool consistent)>;
void for_each_visibility_read(const History& history, const VisibilityRead& call);
// The rung nearest to t; the higher of two that are as near.
Duration nearest_rung(std::span<const Duration> ladder, Duration t);

// The least t from which on the share stays at or above `share`, linear between points; -1 when it
// is not reached.
double time_to_visibility(std::span<const VisibilityPoint> curve, double share);

}  // namespace ringside
