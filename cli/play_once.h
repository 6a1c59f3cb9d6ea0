// Plays a scenario's file under the seed that it names, in a worker, and records the run.
#pragma once

#include <string>

#include "lab/worker.h"

namespace ringside::cli {

lab::WorkerResult play_once(const std::string& scenario_file, const std::string& recording_file);

}  // namespace ringside::cli
