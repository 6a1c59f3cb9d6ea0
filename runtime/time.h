// Time is a 64-bit count of nanoseconds; a Time is a point of one machine's monotonic clock, a
// Duration a length.
#pragma once

#include <cstdint>

namespace ringside {

using Time = int64_t;
using Duration = int64_t;

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr Time kNever = INT64_MAX;

}  // namespace ringside
