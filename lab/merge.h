// What `run --seeds … --shard i/n` leaves for `ringside merge`: every run of the shard without its
// history, in one sealed file (lab/hunt.proto says how). Merged, the runs of all shards are those
// of one process over the same seeds, to the last byte of what is printed of them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lab/shard.h"
#include "lab/worker.h"

namespace ringside::lab {

struct RunShard {
  std::string scenario;  // its name
  std::string about;
  uint64_t text_hash = 0;
  uint64_t build = 0;
  std::string seeds;  // all shards', as they were written
  Shard shard;
  double wall_seconds = 0;
  std::vector<WorkerResult> runs;  // by seed; wall times are left out
};

// "DIR/NAME-2-of-8.runs"
std::string run_shard_path(const std::string& directory, const RunShard& shard);

Result<void> write_run_shard(const std::string& path, const RunShard& shard);
Result<RunShard> read_run_shard(const std::string& path);

// The error names the shard that is missing, or the file that is of another run.
Result<RunShard> merge_run_shards(std::vector<std::pair<std::string, RunShard>> shards);

}  // namespace ringside::lab
