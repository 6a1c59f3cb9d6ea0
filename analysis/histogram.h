// Histogram: counts of non-negative durations in buckets 1/1024 of their value wide, so a quantile
// is off by at most 0.05 %, from 1 ns to centuries. Merging adds counts. A quantile comes with an
// interval from order statistics: exact binomial ranks, no assumption about the distribution.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"
#include "runtime/time.h"
#include "workloads/history.h"

namespace ringside {

struct QuantileInterval {
  double estimate = 0;
  double low = 0;
  double high = 0;
  bool open_low = false;  // too few samples to bound it from this side
  bool open_high = false;
};

class Histogram {
 public:
  void add(Duration value, uint64_t times = 1);
  void merge(const Histogram& other);

  uint64_t count() const { return count_; }
  Duration min() const { return count_ == 0 ? 0 : min_; }
  Duration max() const { return max_; }
  double mean() const;
  // The value below or at which a share `q` of the samples lies.
  double quantile(double q) const;
  // `confidence` such as 0.999.
  QuantileInterval interval(double q, double confidence) const;
  // How many samples are at most `value` (to the width of a bucket).
  uint64_t count_at_most(Duration value) const;

  std::string serialize() const;
  static Result<Histogram> parse(std::string_view bytes);

 private:
  double at_rank(uint64_t rank) const;  // 1-based

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  Duration min_ = kNever;
  Duration max_ = 0;
  double sum_ = 0;
};

// Latencies of answered operations of a phase, from the intended start (free of coordinated
// omission) to the finish.
Histogram latencies(const History& history, OperationKind kind, Phase phase = Phase::kMain);

}  // namespace ringside
