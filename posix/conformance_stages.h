// The stages there are.
#pragma once

#include "posix/conformance.h"

namespace ringside::conformance {

std::unique_ptr<Stage> real_stage(bool thread_pool_files);
bool io_uring_works();
std::unique_ptr<Stage> sim_stage();

}  // namespace ringside::conformance
