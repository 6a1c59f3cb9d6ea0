// What the WARS model predicts for a scenario that plays it, to stand beside what full nodes did.
// Nothing is judged by it.
#pragma once

#include <optional>

#include "analysis/wars.h"
#include "lab/experiment.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// None unless the scenario is the model: pbs on keys that are written once, every leg by a law of
// its own, coordinators that hold no replica, no read repair.
std::optional<WarsModel> wars_model(const scenario::Scenario& scenario);

// Into the curve and the metrics ("predicted_get_p999_ms"), when there is a model. The same for
// every seed.
void add_prediction(const scenario::Scenario& scenario, RunResult& result);

}  // namespace ringside::lab
