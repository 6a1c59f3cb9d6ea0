// Published numbers: the rules by which a seed, and many seeds together, are held against them.
#pragma once

#include "analysis/histogram.h"
#include "analysis/staleness.h"
#include "lab/experiment.h"
#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "workloads/history.h"

namespace ringside::lab {

// A share must lie within published ± points.
Expectation judge_share(const scenario::Consistent& asked, const TVisibility& point);
// The seed's own 99.9 % interval of the quantile must meet published ± percent.
Expectation judge_quantile(const scenario::Latency& asked, const Histogram& histogram);

// The seed's own 99.9 % interval of the time must meet published ± percent_tolerance; `sum` gets
// what the pooled estimate needs.
Expectation judge_t_visibility(const scenario::TVisibility& asked, const scenario::Pbs& pbs,
                               const History& history, Pooled& sum);
// The share of reads within k versions of the newest must lie within published ± points.
Expectation judge_within_versions(const scenario::WithinVersions& asked,
                                  const StalenessReport& staleness);

// Adds what another seed contributes; both must be of the same expectation.
void add_pooled(Pooled& sum, const Pooled& part);
// Over several seeds: the estimate from all of them must lie within the tolerance.
Expectation judge_pooled(const Pooled& sum, uint64_t seeds);

// Latencies, counts by outcome, what the simulator did.
void measure(const History& history, std::vector<Metric>& metrics);
void measure_t_visibility(const scenario::Scenario& scenario, const History& history,
                          std::vector<TVisibility>& curve);

}  // namespace ringside::lab
