// The stages there are.
#pragma once

#include "posix/conformance.h"

namespace ringside::conformance {

std::unique_ptr<Stage> real_stage(bool thread_pool_files, const StageOptions& options);
std::unique_ptr<Stage> sim_stage(const StageOptions& options);

}  // namespace ringside::conformance
