// What the engines took for one step, as rows. Only rates of pinned runs, and the longest
// operation and the stall of sustained overwrites, have goals; the rest is reported.
#pragma once

#include <string>
#include <vector>

#include "bench/rows.h"
#include "bench/storage.h"
#include "bench/storage_options.h"

namespace ringside::bench {

struct EngineResult {
  std::string engine;
  std::vector<Measured> steps;
};

void add_rows(const Session& session, std::size_t step, const std::vector<EngineResult>& results,
              const Options& options, std::vector<Row>& rows);

}  // namespace ringside::bench
