// What the administrators of a scenario may order: each order must make sense when the ones before
// it were carried out, and leave the cluster with N members.
#pragma once

#include "lab/cursor.h"
#include "lab/places.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// `root`: of the scenario.
void check_admin(const Cursor& root, const scenario::Scenario& scenario, const Places& places);

}  // namespace ringside::lab
