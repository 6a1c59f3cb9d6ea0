// Waiting for an engine to be done with its flushes and compactions, without asking it: until the
// process has next to nothing to do.
#pragma once

#include "bench/rows.h"

namespace ringside::bench {

// `pause(seconds)` lets time pass, however the engine needs it.
template <class Pause>
void settle(Pause pause) {
  constexpr double kSeconds = 0.2, kIdle = 0.05;
  constexpr int kPausesMax = 300;
  for (int i = 0; i < kPausesMax; ++i) {
    const double before = cpu_seconds();
    pause(kSeconds);
    if (cpu_seconds() - before < kIdle * kSeconds) return;
  }
}

}  // namespace ringside::bench
