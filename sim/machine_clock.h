// MachineClock: what one machine's monotonic clock shows at a moment of true time, and when it will
// show a time. It starts at 0 with true time, and runs fast or slow by its drift, which may change:
// the clock is then a chain of straight stretches, without a jump and never going back. Everything
// is whole nanoseconds, so a fast clock skips some and a slow one shows some twice.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/time.h"

namespace ringside::sim {

class MachineClock {
 public:
  // In parts per million; CHECKs that it is above -500,000 and below 500,000.
  explicit MachineClock(double drift_ppm);

  // Whether it has shown true time from the beginning. Once false, never true again.
  bool exact() const { return exact_; }
  double drift_ppm() const { return static_cast<double>(stretches_.back().ppb) / 1000; }

  // `time` may not lie before the `now` of the last set_drift.
  Time shows(Time time) const { return exact_ ? time : drifted(time); }
  // The first such moment at which the clock shows `local` or more.
  Time when(Time local) const { return exact_ ? local : when_drifted(local); }

  // From `from` on (or from where a change that is still ahead takes hold) it drifts like this.
  // Returns that moment. now <= from; the past before `now` is forgotten.
  Time set_drift(Time now, Time from, double ppm);

 private:
  struct Stretch {
    Time from = 0;   // true time
    Time shown = 0;  // what the clock shows then
    int64_t ppb = 0;

    Time shows(Time time) const;
    Time when(Time local) const;
  };

  Time drifted(Time time) const;
  Time when_drifted(Time local) const;

  std::vector<Stretch> stretches_;  // in order; the last one goes on for ever
  bool exact_;
};

}  // namespace ringside::sim
