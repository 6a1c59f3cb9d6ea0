// EngineHistory: one short, fixed history of an engine on an EngineRig, for crashing at every disk
// call of it: tablets made and dropped, batches of several operations, removes, a remove of a
// range, flushes, a merge, a checkpoint made and dropped, an import.
#pragma once

#include "storage/engine_rig.h"

namespace ringside {

EngineOptions history_options();
// Runs until the end of the history or until the rig's process came to its end. True: it is whole.
bool play_history(EngineRig& rig);
// The life after it: recovers, writes on, and leaves.
bool play_afterlife(EngineRig& rig);

// One crash in it, or two.
struct HistoryCrash {
  uint64_t at = 0;  // in disk calls
  bool power_loss = false;
  uint64_t outcome = 0;   // seeds what becomes of what was in flight or not synced
  uint64_t again_at = 0;  // a second crash, in recovery; 0: none
  uint64_t recovery = 0;  // out: disk calls of the opening
};
// Plays the history, crashes, recovers, lives on, crashes and recovers again. Empty, or what was
// violated.
std::string crash_history(HistoryCrash& crash, RigCounts& counts);
// Disk calls of the whole history, which merges; 0 when it goes wrong.
uint64_t history_calls();

}  // namespace ringside
