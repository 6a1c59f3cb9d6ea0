// Outcome: what the client of an operation knows of it. Unknown is mandatory where it is true.
#pragma once

#include <cstdint>

namespace ringside {

enum class Outcome : uint8_t {
  kOk = 0,
  kFailed = 1,   // surely did not happen, and will not
  kUnknown = 2,  // may have happened, or may yet
};

}  // namespace ringside
