// The engine in random histories beside its model (storage/engine_swarm.h): random options and
// operations, crashes and power losses at random moments, recovery included. Every invariant, I1 to
// I10 (storage/engine_rig.h), is counted; a run that never exercised one fails.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <string>

#include "runtime/test_scale.h"
#include "storage/engine_swarm.h"

namespace ringside {
namespace {

std::map<std::string, std::string> files_of(EngineSwarm& swarm) {
  std::map<std::string, std::string> files;
  TestDisk& disk = swarm.rig.host.disk();
  for (const std::string& path : disk.paths()) files[path] = disk.bytes(path);
  return files;
}

TEST(EngineProperty, every_invariant_holds_in_random_histories_with_crashes_everywhere) {
  RigCounts counts;
  const uint64_t seeds = kSanitized ? 8 : 240;
  uint64_t last = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    EngineSwarm swarm(seed);
    EXPECT_EQ(swarm.run(50), "") << "seed " << seed << "\n" << swarm.rig.story();
    counts.add(swarm.rig.counts);
    last = seed;
    if (HasFailure()) break;
  }
  for (uint64_t seed = 1; seed <= (kSanitized ? 2u : 6u) && !HasFailure(); ++seed) {
    EngineSwarm one(seed), other(seed);
    EXPECT_EQ(one.run(20), "");
    EXPECT_EQ(other.run(20), "");
    const std::map<std::string, std::string> files = files_of(one);
    EXPECT_GT(files.size(), 2u);
    EXPECT_TRUE(files == files_of(other)) << "I10: seed " << seed;
    counts.checked[10] += files.size();
  }
  std::cout << counts.table() << last << " seeds\n";
  EXPECT_EQ(counts.never(), std::vector<std::string>());
  // What makes the counts worth something.
  EXPECT_GT(counts.lost, 10u) << "nothing was ever in flight";
  EXPECT_GT(counts.cut_openings, 10u);
  EXPECT_GT(counts.resolved_by_crash, 3u);
  EXPECT_GT(counts.held_reads, 10u);
  EXPECT_GT(counts.imports, 3u);
  EXPECT_GT(counts.checkpoints, 3u);
  EXPECT_GT(counts.changes_read, 10u);
  if (!kSanitized) EXPECT_GE(counts.recoveries, 9'000u);
}

}  // namespace
}  // namespace ringside
