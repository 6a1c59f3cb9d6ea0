// Wars: what the WARS model of PBS (Bailis et al., VLDB 2012) predicts for a quorum, by Monte
// Carlo. Every leg of every message draws independently: W the write request, A its
// acknowledgement, R the read request, S the response; nothing else takes time. A write commits at
// the w-th smallest W + A; a read that starts t later takes the first r replicas by R + S, and
// misses the write when each of them was asked before the write came: w_i > commit + t + r_i. So a
// trial has one moment from which on its read sees the write, and those moments are the whole
// t-visibility curve at once. The same seed gives the same prediction.
#pragma once

#include <cstdint>
#include <functional>

#include "analysis/histogram.h"
#include "runtime/random.h"
#include "runtime/time.h"

namespace ringside {

// One draw of a leg's latency, in nanoseconds.
using WarsLeg = std::function<double(Random&)>;

struct WarsModel {
  uint32_t n = 3, r = 1, w = 1;
  WarsLeg write, ack, request, response;
  // With sites, each replica stands in one of its own, the coordinators of the write and of the
  // read each in a random one, and a leg from one site to another takes this much longer.
  bool sites = false;
  double between_sites = 0;
};

struct WarsPrediction {
  uint64_t trials = 0;
  Histogram reads;  // latencies
  Histogram writes;
  Histogram visible;  // the least t at which a trial's read sees the write
  double consistent_at(Duration t) const {
    return trials == 0
               ? 0
               : static_cast<double>(visible.count_at_most(t)) / static_cast<double>(trials);
  }
};

WarsPrediction predict(const WarsModel& model, uint64_t trials, uint64_t seed);

// P(a read returns one of the k newest versions) when every write reaches one random set of w of n
// replicas and nobody else, and every read asks one random set of r: 1 - (C(n-w, r) / C(n, r))^k.
double within_k_versions(uint32_t n, uint32_t r, uint32_t w, uint32_t k);

}  // namespace ringside
