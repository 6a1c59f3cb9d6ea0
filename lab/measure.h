// Published numbers: the rules by which a seed, and many seeds together, are held against them.
#pragma once

#include "analysis/histogram.h"
#include "lab/experiment.h"
#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "workloads/history.h"

namespace ringside::lab {

// A share must lie within published ± points.
Expectation judge_share(const scenario::Consistent& asked, const TVisibility& point);
// The seed's own 99.9 % interval of the quantile must meet published ± percent.
Expectation judge_quantile(const scenario::Latency& asked, const Histogram& histogram);

// Adds what another seed contributes; both must be of the same expectation.
void add_pooled(Pooled& sum, const Pooled& part);
// Over several seeds: the estimate from all of them must lie within the tolerance.
Expectation judge_pooled(const Pooled& sum, uint64_t seeds);

// Latencies, counts by outcome, what the simulator did.
void measure(const History& history, std::vector<Metric>& metrics);
void measure_t_visibility(const scenario::Scenario& scenario, const History& history,
                          std::vector<TVisibility>& curve);

}  // namespace ringside::lab
