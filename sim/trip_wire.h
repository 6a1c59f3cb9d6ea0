// Trip-wire: a worker process that runs a world arms it, and from then on a read of a real clock,
// of entropy, a sleep, a new thread or a socket ends the process with one clear line on stderr and
// SIGABRT. The time stamp counter traps by prctl(PR_SET_TSC), which catches the vDSO clock; system
// calls trap by seccomp. Memory, files, pipes, printf, fork and exit work on. This is code of the
// worker, not of the world: it is the one place in this room that speaks to the kernel.
//
// After `arm` there is no full way back: `disarm_clock` gives the time stamp counter (and with it
// the vDSO clock) back, the trapped system calls stay trapped for the process and its children.
// Whoever needs them is the parent. An allocator that reads clocks (jemalloc's decay) cannot run
// here. RDRAND cannot be trapped; the source lint forbids it.
#pragma once

#include "runtime/result.h"

namespace ringside::sim {

// kUnavailable names the feature that this kernel or CPU lacks; then nothing is armed.
Result<void> arm_trip_wire();
void disarm_clock_trip_wire();

}  // namespace ringside::sim
