// EngineSwarm: random lives of an engine on an EngineRig, for tests: random options, random
// operations, and a crash or power loss at a random moment, recovery included. One seed is one
// history, to the last byte.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/engine_rig.h"

namespace ringside {

class EngineSwarm {
 public:
  explicit EngineSwarm(uint64_t seed);

  // Empty, or what was violated, with the cycle. A cycle is a recovery, some work and a crash.
  std::string run(uint64_t cycles);

  EngineRig rig;

 private:
  EngineOptions draw_options();
  void work();
  void act();
  void write();
  void read();
  void change_tablets();
  void change_checkpoints();
  std::string any_key();
  KeyRange any_range();
  void let_run();

  Random random_;
  std::string key_;                         // of the encryption; empty: none
  uint64_t archive_bytes_max_;              // the same in all lives
  bool sync_;                               // false: the log is not synced, and the power stays on
  bool tablets_;                            // whether tablets come and go in this history
  std::optional<EngineRig::Admin> parcel_;  // exported, to be imported later
  uint64_t named_ = 0;                      // checkpoints
};

}  // namespace ringside
