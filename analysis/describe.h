// How operations are named to people, in every verdict alike.
#pragma once

#include <string>

#include "workloads/history.h"

namespace ringside {

// "get #c0:7 of \"k3\" by client 2 [1.250000 ms, 1.900000 ms]"
std::string describe_operation(const History& history, uint32_t operation);
// "value #c0:7": the seventh operation of client process 0 wrote it.
std::string describe_value(ValueId value);
// "12.345000 ms", always the same unit, so that times can be compared by eye.
std::string describe_time(Time at);

}  // namespace ringside
