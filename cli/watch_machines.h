// The machines of a watched run, zone by zone, each with its state: in words while there is room,
// else a glyph each, and words for those that stand out.
#pragma once

#include <vector>

#include "cli/cells.h"
#include "cli/watch_model.h"

namespace ringside::cli {

// A heading, then the zones; those in trouble come first when there are many.
std::vector<Cells> machine_lines(const WatchModel& model, std::size_t columns);

}  // namespace ringside::cli
