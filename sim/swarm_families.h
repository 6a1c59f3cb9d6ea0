// What a swarm's families are made of: which of them strike links, which may damage what a machine
// holds, and the particulars of a fault, drawn from mild to extreme.
#pragma once

#include "sim/draw.h"
#include "sim/swarm.h"

namespace ringside::sim {

// Log-uniform in [low, high], both above 0: short outages are as interesting as long ones.
int64_t log_uniform(Draw& draw, int64_t low, int64_t high);

bool strikes_links(Family family);
// Only peers can repair what such a fault does, so that it keeps to the seed's few machines.
bool may_damage(Family family);
// The particulars of a family that strikes links; the sides are there.
void make_links(Family family, Draw& draw, LinkWeather& links);
// … of one that strikes a machine; time, duration and machine are there. `down_max`: the longest
// that an outage lasts.
void make_strike(Family family, Draw& draw, Duration down_max, Fault& fault);

}  // namespace ringside::sim
