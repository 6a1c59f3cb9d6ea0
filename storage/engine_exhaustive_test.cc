// A crash at every disk call of a short history (storage/engine_history.h), and at every disk call
// of the recovery from it: kills and power losses, with several outcomes of what was not synced.
// What was acknowledged is there, recovery yields a prefix, batches are whole (I1, I2, I3).
#include <gtest/gtest.h>

#include <iostream>

#include "runtime/test_scale.h"
#include "storage/engine_history.h"

namespace ringside {
namespace {

TEST(EngineExhaustive, a_crash_at_every_disk_call_loses_nothing_that_was_acknowledged) {
  const uint64_t calls = history_calls();
  ASSERT_GT(calls, 100u);
  RigCounts counts;
  const uint64_t stride = kSanitized ? 7 : 1, outcomes = kSanitized ? 2 : 6;
  for (uint64_t at = 1; at <= calls && !HasFailure(); at += stride) {
    for (uint64_t outcome = 0; outcome < outcomes; ++outcome) {
      HistoryCrash crash{.at = at, .power_loss = outcome > 0, .outcome = outcome};
      EXPECT_EQ(crash_history(crash, counts), "");
    }
  }
  std::cout << calls << " disk calls\n" << counts.table();
  for (const int i : {1, 2, 3, 4, 5, 6}) EXPECT_GT(counts.checked[i], 0u) << "I" << i;
  EXPECT_GT(counts.resolved_by_crash, 0u);
  if (!kSanitized) EXPECT_GE(counts.recoveries, 4'000u);
}

TEST(EngineExhaustive, a_crash_at_every_disk_call_of_a_recovery_loses_nothing_either) {
  const uint64_t calls = history_calls();
  ASSERT_GT(calls, 100u);
  RigCounts counts;
  uint64_t crashes = 0;
  const uint64_t stride = kSanitized ? 41 : 3;
  for (uint64_t at = 1; at <= calls && !HasFailure(); at += stride) {
    for (const bool power_loss : {false, true}) {
      HistoryCrash first{.at = at, .power_loss = power_loss, .outcome = 9};
      EXPECT_EQ(crash_history(first, counts), "");
      const uint64_t recovery = first.recovery;
      for (uint64_t again = 1; again < recovery && !HasFailure(); ++again) {
        first.again_at = again;
        EXPECT_EQ(crash_history(first, counts), "");
        ++crashes;
      }
    }
  }
  std::cout << crashes << " crashes in recovery\n" << counts.table();
  EXPECT_GE(counts.cut_openings, crashes);
  EXPECT_GT(crashes, calls / stride);
  if (!kSanitized) EXPECT_GE(counts.recoveries, 10'000u);
}

}  // namespace
}  // namespace ringside
