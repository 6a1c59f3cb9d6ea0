// Recording: a run on disk (lab/recording.proto says how). Written atomically: a file of that name
// is always whole, the old one or the new one. What is no recording, or was cut short or changed
// since, is refused in one line.
#pragma once

#include <cstdint>
#include <string>

#include "lab/experiment.h"
#include "runtime/result.h"

namespace ringside::lab {

struct Recording {
  std::string scenario_file;
  std::string scenario_text;
  uint64_t seed = 0;
  uint64_t build = 0;
  bool planted_build = false;
  bool gate = false;
  Branch branch;  // of a future that was recorded
  bool finished = false;
  RunResult result;  // with its history
};

Result<void> write_recording(const std::string& path, const Recording& recording);
Result<Recording> read_recording(const std::string& path);

// A hash of this very program: two builds with one hash must give one fingerprint.
uint64_t build_id();

}  // namespace ringside::lab
