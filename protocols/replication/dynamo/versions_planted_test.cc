// The planted bugs of versions (RINGSIDE_BUG), each under the histories that hold the schemes to
// their model (versioning_test.cc): with none on they are silent, with one on a put is lost.
#include <gtest/gtest.h>

#include <algorithm>

#include "protocols/replication/dynamo/test_versions.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

#ifdef RINGSIDE_PLANTED

// How many objects lack a put that nobody who had seen it replaced.
uint64_t objects_lacking_a_put(const DynamoOptions& options, const std::string& bug) {
  set_planted_bugs(bug.empty() ? std::vector<std::string>() : std::vector<std::string>{bug});
  uint64_t lacking = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    test::VersionHistory history(options, seed);
    for (int i = 0; i < 40; ++i) history.step();
    for (int i = 0; i < 20; ++i) {
      const test::VersionState a = history.any(), b = history.any(), both = history.merged(a, b);
      const test::Operations have = test::operations_of(both.bytes);
      const test::Operations& should = both.model.siblings;
      lacking += !std::includes(have.begin(), have.end(), should.begin(), should.end());
    }
  }
  set_planted_bugs({});
  return lacking;
}

TEST(PlantedVersions, reissued_counters_lose_puts) {
  for (const Versions versions : {Versions::kDotted, Versions::kVectorClock}) {
    const DynamoOptions options = test::with_versions(versions);
    EXPECT_EQ(objects_lacking_a_put(options, ""), 0u);
    EXPECT_GT(objects_lacking_a_put(options, "actor_counters_reissued"), 10u);
  }
}

TEST(PlantedVersions, dropping_the_newest_entries_of_a_clock_loses_puts) {
  const DynamoOptions options = test::with_versions(Versions::kVectorClock, 2);
  EXPECT_EQ(objects_lacking_a_put(options, ""), 0u);
  EXPECT_GT(objects_lacking_a_put(options, "truncation_drops_newest"), 10u);
}

#endif

}  // namespace
}  // namespace ringside
