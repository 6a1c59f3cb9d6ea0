// Workers: every world runs in a process of its own, forked from this one, with the trip-wire
// armed. The parent alone reads real clocks, shows progress and measures wall time. A worker that
// fails or crashes takes nothing down with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
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

// How a fresh process, with freed memory overwritten, played a run again.
enum class Again : uint8_t { kNotAsked, kSame, kDifferent, kCrashed };
// Of recordings, in their order, so many at a time. Who lives in a program says how to start it.
using PlayAgain =
    std::function<std::vector<Again>(const std::vector<std::string>& recordings, unsigned jobs)>;

struct Progress {
  uint64_t finished = 0;
  uint64_t all = 0;
  double share = 0;  // of everything, 0..1
  double elapsed_seconds = 0;
};

// How a worker speaks to its parent: it calls this with its share, and tells snapshots in full. A
// worker waits while its parent does not listen.
struct Teller {
  int line = -1;  // the socket that it speaks over; orders may come by it (lab/held_world.h)
  std::function<void(double share)> progress;
  std::function<void(std::string_view bytes)> snapshot;

  void operator()(double share) const { progress(share); }
};

// What runs in the worker. The history of what it returns stays there.
using WorkerBody = std::function<Result<RunResult>(uint64_t seed, const Teller& teller)>;

struct WorkerOptions {
  unsigned jobs = 1;
  bool trip_wire = true;
  std::function<void(const Progress&)> on_progress;  // a few times a second
  // Every snapshot that a worker told, in order; of one worker at a time, so with jobs 1.
  std::function<void(std::string_view bytes)> on_snapshot;
  // Asked before each look at the workers; true leaves them alone this time, so that they wait.
  std::function<bool()> hold;
  int look_every_ms = 200;  // at least so often `on_progress` and `hold` are called
  // As workers end, not in the order of seeds. False: start no more of them.
  std::function<bool(WorkerResult)> on_result;
};

void run_in_workers(const std::vector<uint64_t>& seeds, const WorkerBody& body,
                    const WorkerOptions& options);

// The same, with processes that are started in another way, which arms them or not.
struct Started;  // lab/worker_process.h
using Launch = std::function<Result<Started>(uint64_t seed)>;
void run_launched(const std::vector<uint64_t>& seeds, const Launch& launch,
                  const WorkerOptions& options);

}  // namespace ringside::lab
