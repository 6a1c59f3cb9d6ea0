// Queueing: the queues of theory on a machine of a world, to hold the simulator to what is proven
// of them. One machine sends frames with exponential gaps; the other has `servers` cores, and each
// frame charges its service time there. A service lasts a millisecond in the mean. Theory gives
// mean waits in services: M/M/1 and M/M/c (Erlang's C formula) for exponential services, M/D/1
// (Pollaczek and Khinchine) for constant ones.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/world.h"

namespace ringside::sim {

inline constexpr Duration kMeanService = kMillisecond;

struct QueueSpec {
  double load = 0.5;      // of each server, above 0 and below 1
  uint32_t servers = 1;   // cores
  bool constant = false;  // services, otherwise exponential
  uint64_t arrivals = 1'000'000;
  uint64_t seed = 1;
};

// One frame that was served, in the order of arrival; all in true time.
struct Served {
  Time arrived = 0;
  Time began = 0;
  Duration service = 0;
};

struct QueueResult {
  double mean_wait = 0;       // in services, over all arrivals
  double standard_error = 0;  // of it: from the means of 64 parts of the run
  Time took = 0;              // in true time, until the last one began
  MachineLoad load;           // of the machine that serves
};

// Runs until every arrival was served. `each` may be null.
QueueResult run_queue(const QueueSpec& spec, const std::function<void(const Served&)>& each);

// The mean wait in services that theory says; of an M/D/c only with one server.
double theoretical_wait(const QueueSpec& spec);

}  // namespace ringside::sim
