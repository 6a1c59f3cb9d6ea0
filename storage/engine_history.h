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

}  // namespace ringside
