// Trip-wire: a worker process that runs a world arms it, and from then on a read of a real clock,
// of entropy, a sleep, a socket or a new thread ends the process with one clear line on stderr, the
// way there, and SIGABRT. The time stamp counter traps by prctl(PR_SET_TSC), calls into the vDSO
// trap because it loses its permission to execute (time() and the coarse clocks read no counter),
// system calls trap by seccomp. Memory, files, pipes, printf, fork and exit work on. This is code
// of the worker, not of the world: the one place in this room that speaks to the kernel.
//
// After `arm_trip_wire` there is no full way back: `disarm_clocks` gives the counter and the vDSO
// back, but trapped system calls stay trapped for the process and its children. Whoever needs them
// (progress, wall time, CPU time by wait4) is the parent. Starting a thread ends the process with
// SIGSYS and no line, because libc blocks every signal there. An allocator that reads clocks cannot
// run here (jemalloc's decay). RDRAND and /dev/urandom cannot be trapped; the source lint forbids
// them.
#pragma once

#include "runtime/result.h"

namespace ringside::sim {

// kUnavailable names what this kernel or CPU lacks; then nothing is armed.
Result<void> arm_trip_wire();
void disarm_clocks();

}  // namespace ringside::sim
