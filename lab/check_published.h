// Mistakes in expectations of published numbers: what the workload must be for them.
#pragma once

#include "lab/cursor.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// `at` is the scenario's expect.
void check_published(const Cursor& at, const scenario::Scenario& scenario);

}  // namespace ringside::lab
