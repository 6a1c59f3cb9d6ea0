// Moment: a place in a run, as people write it. "120000" or "120,000", an event's number: so many
// events have run. "900ms", a time as `ringside log` prints it: everything up to it has run.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/json.h"
#include "lab/walk.h"

namespace ringside::cli {

struct Moment {
  std::optional<uint64_t> event;
  Time at = 0;  // without an event
};

Result<Moment> parse_moment(std::string_view text);
Result<void> go_to(lab::Walk& walk, const Moment& moment);

// "event 12345  1199.998123 ms  fingerprint 0123456789abcdef"
std::string standing_line(const record::Standing& here);
// The last events, so many at most, and their lines of the log.
std::string events_text(const record::Standing& here, uint64_t most);
// Who runs, and what clients and frames have come to.
std::string state_text(const record::Standing& here);
void standing_as_json(const record::Standing& here, Json& json);

}  // namespace ringside::cli
