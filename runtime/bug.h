// RINGSIDE_BUG(name): a planted bug. Constant false in the product; in the planted build a run-time
// lookup, so that one build holds every bug and each can be switched on by a scenario. With none
// on, both builds run alike.
//
//   if (!RINGSIDE_BUG(wal_acknowledges_before_sync)) done = co_await disk.sync(file);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/planted.h"  // of the build directory: defines RINGSIDE_PLANTED in the planted build

#ifdef RINGSIDE_PLANTED
#define RINGSIDE_BUG(name) (::ringside::planted_bug_on(#name))
#else
#define RINGSIDE_BUG(name) (false)
#endif

namespace ringside {

// True in the planted build.
bool planted_build();
bool planted_bug_on(std::string_view name);
// Switches exactly these on; for the lab, before a world starts.
void set_planted_bugs(std::vector<std::string> names);

}  // namespace ringside
