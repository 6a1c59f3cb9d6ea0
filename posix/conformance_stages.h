// The stages there are.
#pragma once

#include "posix/conformance.h"
#include "posix/loop.h"

namespace ringside::conformance {

std::unique_ptr<Stage> real_stage(const posix::LoopOptions& loop, const StageOptions& options);
std::unique_ptr<Stage> sim_stage(const StageOptions& options);

}  // namespace ringside::conformance
