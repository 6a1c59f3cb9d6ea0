// What a fault must say beyond its fields' types: one kind, a time or a probe, how long it lasts
// where it lasts, whom it strikes.
#pragma once

#include "lab/cursor.h"

namespace ringside::lab {

// `at` is a scenario::Fault.
void check_fault(const Cursor& at, const scenario::Workload& workload);

}  // namespace ringside::lab
