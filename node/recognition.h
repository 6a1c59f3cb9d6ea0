// Recognition: a node that starts with an empty engine asks a few others whether they knew it
// before. If one did, it lost what it held: its counters and its rows. It then must not pass for a
// replica that simply has nothing, and takes a later incarnation than any that was heard of. It
// asks with a round of gossip each, so that it learns the present ring on the way, and waits for
// all it asked, or for as long as it may; who is silent is asked again.
#pragma once

#include <cstdint>

#include "protocols/membership/gossip.h"
#include "runtime/time.h"

namespace ringside {

// Ends when all who were asked have answered, when one of them knew (`*heard` becomes more than 0),
// or after `within`.
Task<void> recognise(Host& host, Gossip& gossip, Duration within, const uint64_t* heard);

}  // namespace ringside
