// What a cluster must be: a strategy that its machines can carry, options that fit each other, an
// engine that knows what is asked of it.
#pragma once

#include "lab/cursor.h"
#include "lab/places.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// `root`: of the scenario, which has a cluster.
void check_cluster(const Cursor& root, const scenario::Scenario& scenario, const Places& places);

}  // namespace ringside::lab
