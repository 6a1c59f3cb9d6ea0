// Pipe: lets bytes out at a rate, one frame after the other. Exact: n frames of b bytes that were
// there at `start` leave at start + i * b / rate, rounded down to the nanosecond, however many they
// are, because the part of a nanosecond that a frame leaves over goes to the next.
#pragma once

#include <cstdint>

#include "runtime/check.h"
#include "runtime/time.h"

namespace ringside::sim {

class Pipe {
 public:
  // When the last byte of a frame leaves that was there at `at`. rate: bytes a second, above 0; a
  // new rate takes effect with the next frame.
  Time take(Time at, uint64_t bytes, uint64_t rate) {
    CHECK(rate > 0);
    if (at > free_ || rate != rate_) rest_ = 0;
    if (at > free_) free_ = at;
    rate_ = rate;
    // A frame of 16 MiB is 2^24 times 2^30: far from the end of 64 bits.
    const uint64_t work = bytes * static_cast<uint64_t>(kSecond) + rest_;
    free_ += static_cast<Time>(work / rate);
    rest_ = work % rate;
    return free_;
  }
  // Bytes that were not out yet at `now`, of those that leave by `departure`, rounded up.
  static uint64_t left(Time departure, Time now, uint64_t rate) {
    const auto work = static_cast<unsigned __int128>(departure - now) * rate;
    return static_cast<uint64_t>((work + kSecond - 1) / kSecond);
  }

 private:
  Time free_ = 0;
  uint64_t rate_ = 0;
  uint64_t rest_ = 0;  // beyond free_, in parts of a nanosecond: rest_ / rate_
};

}  // namespace ringside::sim
