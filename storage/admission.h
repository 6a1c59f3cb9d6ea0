// Admission: how fast an engine takes writes while a store of it fills up: memory, which flushes
// empty, or level 0, which merges empty. Below half full nobody waits. Above, bytes are admitted at
// the rate at which the store has lately been emptied, half as much again at half full and a
// sixteenth of it at full, so that what comes in settles below what goes out, and nobody ever waits
// for long at a full stop. (A leaky bucket, kept as the time at which it is empty.)
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/time.h"

namespace ringside {

class Admission {
 public:
  static constexpr uint64_t kFull = 1024;

  // `fill`: 0 … kFull. How long to wait before the next byte; 0: take it now.
  Duration wait(Time now, uint64_t fill) const {
    return fill <= kFull / 2 || rate_ == 0 ? 0 : std::max<Duration>(0, empty_ - now);
  }
  void took(uint64_t bytes, Time now, uint64_t fill) {
    if (fill <= kFull / 2 || rate_ == 0) return;
    // Parts of the rate, in sixteenths.
    const uint64_t parts = 1 + 23 * (kFull - std::min(fill, kFull)) / (kFull / 2);
    const uint64_t rate = std::max<uint64_t>(1, rate_ * parts / 16);
    const auto takes = static_cast<Duration>(bytes * uint64_t{kSecond} / rate);
    empty_ = std::max(empty_, now - kBurst) + takes;
  }
  // So much was given back in so long.
  void gave_back(uint64_t bytes, Duration in) {
    const uint64_t rate =
        bytes * uint64_t{kSecond} / static_cast<uint64_t>(std::max<Duration>(in, 1));
    rate_ = rate_ == 0 ? rate : (3 * rate_ + rate) / 4;
  }
  uint64_t rate() const { return rate_; }  // bytes a second; 0: not known yet

 private:
  static constexpr Duration kBurst = 500 * kMicrosecond;

  uint64_t rate_ = 0;
  Time empty_ = 0;
};

}  // namespace ringside
