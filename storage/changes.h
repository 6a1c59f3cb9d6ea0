// The change stream's units (Engine::changes).
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "storage/durable_mark.h"

namespace ringside {

struct LoggedBatch {
  Lsn lsn = 0;
  std::string batch;  // for a BatchReader
};

struct ChangeLimits {
  uint64_t batches_max = 1'000;
  uint64_t bytes_max = 1u << 20;                // the batch that reaches it is the last one
  Lsn until = std::numeric_limits<Lsn>::max();  // the last batch wanted: a point in time
};

}  // namespace ringside
