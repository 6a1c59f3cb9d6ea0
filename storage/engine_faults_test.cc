// Every disk fault at every part of an engine's files (storage/engine_faults.h): detected, repaired
// or refused, never wrong data. What one node cannot know is counted apart. Prints the matrix of
// docs/storage.md.
#include "storage/engine_faults.h"

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "runtime/test_scale.h"

namespace ringside {
namespace {

struct Cell {
  uint64_t runs = 0, noticed = 0, harmless = 0, lost = 0, hits = 0;
};

TEST(EngineFaults, every_disk_fault_at_every_part_is_detected_repaired_or_refused) {
  const uint64_t seeds = kSanitized ? 8 : 20;
  std::string matrix = "| |", undetectable;
  for (int p = 0; p < kFaultParts; ++p)
    matrix += std::string(" ") + fault_part_name(static_cast<FaultPart>(p)) + " |";
  matrix += "\n|---|" + std::string();
  for (int p = 0; p < kFaultParts; ++p) matrix += "---|";
  matrix += "\n";
  uint64_t runs = 0;
  for (int f = 0; f < kDiskFaults; ++f) {
    const auto fault = static_cast<DiskFault>(f);
    matrix += std::string("| ") + disk_fault_name(fault) + " |";
    for (int p = 0; p < kFaultParts; ++p) {
      const auto part = static_cast<FaultPart>(p);
      if (!fault_applies(part, fault)) {
        matrix += " |";
        continue;
      }
      const char* why = fault_undetectable(part, fault);
      Cell cell;
      for (uint64_t seed = 1; seed <= seeds; ++seed) {
        const FaultRun run = run_fault(part, fault, seed);
        const std::string at = std::string(disk_fault_name(fault)) + ", " + fault_part_name(part) +
                               ", seed " + std::to_string(seed);
        EXPECT_EQ(run.wrong, "") << at << ": " << run.step;
        EXPECT_TRUE(!run.lost || why != nullptr) << at << ": acknowledged batches are lost";
        ++runs;
        if (run.hits == 0) continue;
        ++cell.runs;
        cell.hits += run.hits;
        ++(run.lost ? cell.lost : run.noticed() ? cell.noticed : cell.harmless);
      }
      EXPECT_GT(cell.runs, 0u) << disk_fault_name(fault) << " never met " << fault_part_name(part);
      matrix += " " + std::to_string(cell.noticed) + " + " + std::to_string(cell.harmless) +
                (cell.lost > 0 ? " + **" + std::to_string(cell.lost) + "**" : "") + " |";
      if (why != nullptr) {
        undetectable += std::string("- ") + disk_fault_name(fault) + ", " + fault_part_name(part) +
                        ": " + why + " (" + std::to_string(cell.lost) + " of " +
                        std::to_string(cell.runs) + " runs)\n";
      }
    }
    matrix += "\n";
  }
  std::cout << matrix << "\nnoticed + harmless (+ **lost, and one node cannot know**), of " << runs
            << " runs\n\n"
            << undetectable;
}

}  // namespace
}  // namespace ringside
