// Cpu: simulated code takes no time unless it charges it. The host charges a cost per event and
// byte; code that merges, compares or hashes charges units itself. A unit is a nanosecond of one
// reference core. A slice is a count of units, never elapsed time. On the real host a charge is a
// counter.
#pragma once

#include <cstdint>

namespace ringside {

class Cpu {
 public:
  virtual ~Cpu() = default;

  virtual void charge(uint64_t units) = 0;
  // Units charged since this process last let go; long work compares it with its slice and sleeps
  // for no time (co_await clock.sleep(0)) to let others run.
  virtual uint64_t charged() const = 0;
};

}  // namespace ringside
