// Workers: every world runs in a process of its own, forked from this one, with the trip-wire
// armed. The parent alone reads real clocks, shows progress and measures wall time. A worker that
// fails or crashes takes nothing down with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lab/experiment.h"

namespace ringside::lab {

struct WorkerResult {
  uint64_t seed = 0;
  enum class End : uint8_t {
    kFinished,  // `result` is there
    kRefused,   // `message` says why it did not run
    kCrashed,   // `message` says how it died
  } end = End::kCrashed;
  RunResult result;  // without the history
  std::string message;
  double wall_seconds = 0;
};

struct Progress {
  uint64_t finished = 0;
  uint64_t all = 0;
  double share = 0;  // of everything, 0..1
  double elapsed_seconds = 0;
};

// What runs in the worker. The history of what it returns stays there.
using WorkerBody =
    std::function<Result<RunResult>(uint64_t seed, const std::function<void(double)>& progress)>;

struct WorkerOptions {
  unsigned jobs = 1;
  bool trip_wire = true;
  std::function<void(const Progress&)> on_progress;  // a few times a second
  // As workers end, not in the order of seeds. False: start no more of them.
  std::function<bool(WorkerResult)> on_result;
};

void run_in_workers(const std::vector<uint64_t>& seeds, const WorkerBody& body,
                    const WorkerOptions& options);

}  // namespace ringside::lab
