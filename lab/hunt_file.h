// A hunt on disk (lab/hunt.proto). Its directory holds, each written whole or not at all,
//
//   hunt-1-of-1.state    what the hunt was after its last whole round, to go on from
//   hunt-1-of-1.result   what it found, to be read and merged
//   bundles/NAME/        a failure each (lab/bundle.h)
//
// and those of several shards side by side.
#pragma once

#include <string>
#include <vector>

#include "lab/hunt.h"
#include "lab/hunt_guide.h"

namespace ringside::lab {

struct HuntFile {
  HuntConfig config;  // of its scenarios the files, names and hashes alone
  uint64_t rounds = 0;
  HuntTotals totals;
  double wall_seconds = 0;  // all of its sittings together
  double cpu_seconds = 0;
  std::vector<HuntLane::Memory> lanes;  // of a state
};

// "DIR/hunt-2-of-8.state"
std::string hunt_path(const std::string& directory, const HuntConfig& config, const char* ending);

Result<void> write_hunt(const std::string& path, const HuntFile& hunt);
Result<HuntFile> read_hunt(const std::string& path);

// A shard that stopped at its bound together with all others of its hunt, added up. The error names
// the shard that is missing, or the one that is of another hunt.
Result<HuntFile> merge_hunts(const std::vector<std::pair<std::string, HuntFile>>& shards);

}  // namespace ringside::lab
