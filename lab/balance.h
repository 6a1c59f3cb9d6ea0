// How evenly a ring spreads requests over its nodes when every position is asked for alike: the
// load balancing efficiency of the paper (SOSP 2007, section 6.2), mean load over the load of the
// busiest node, 1 when all carry the same. A request loads each of the n homes of its key.
#pragma once

#include <cstdint>

#include "protocols/ring.h"

namespace ringside::lab {

double load_balancing_efficiency(const Ring& ring, uint32_t n);

}  // namespace ringside::lab
