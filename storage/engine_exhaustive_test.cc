// A crash at every disk call of a short history (storage/engine_history.h), and at every disk call
// of the recovery from it: kills and power losses, with several outcomes of what was not synced.
// What was acknowledged is there, recovery yields a prefix, batches are whole (I1, I2, I3).
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "storage/engine_history.h"
#include "storage/test_scale.h"

namespace ringside {
namespace {

struct Crash {
  uint64_t at = 0;  // in disk calls
  bool power_loss = false;
  uint64_t outcome = 0;   // seeds what a crash does to what was in flight or not synced
  uint64_t again_at = 0;  // a second crash, in recovery; 0: none
  uint64_t recovery = 0;  // out: disk calls of the opening
};

std::string describe_crash(const Crash& crash) {
  return "at call " + std::to_string(crash.at) + (crash.power_loss ? ", power loss " : ", kill ") +
         std::to_string(crash.outcome) +
         (crash.again_at > 0 ? ", again at call " + std::to_string(crash.again_at) : "");
}

// Empty, or what was violated.
std::string crash_once(Crash& crash, RigCounts& counts) {
  EngineRig rig(1);
  rig.where = describe_crash(crash);
  rig.stop_at = crash.at;
  TestDisk& disk = rig.host.disk();
  play_history(rig);
  disk.reseed(mix(crash.at, crash.outcome));
  rig.crash(crash.power_loss);
  if (crash.again_at > 0) {
    rig.stop_at = disk.performed + crash.again_at;
    if (rig.open(history_options())) rig.fail("recovery was shorter than it was");
    rig.crash(crash.power_loss);
  }
  rig.stop_at = std::numeric_limits<uint64_t>::max();
  const uint64_t before = disk.performed;
  if (rig.wrong().empty() && rig.open(history_options())) {
    crash.recovery = disk.performed - before;
    rig.crash(crash.power_loss);
    if (play_afterlife(rig)) {
      rig.crash(false);
      rig.open(history_options());
    }
  }
  counts.add(rig.counts);
  return rig.wrong();
}

uint64_t calls_of_history() {
  EngineRig rig(1);
  EXPECT_TRUE(play_history(rig)) << rig.wrong();
  EXPECT_GT(rig.engine().stats().merges, 0u);
  return rig.host.disk().performed;
}

TEST(EngineExhaustive, a_crash_at_every_disk_call_loses_nothing_that_was_acknowledged) {
  const uint64_t calls = calls_of_history();
  RigCounts counts;
  const uint64_t stride = kSanitized ? 7 : 1, outcomes = kSanitized ? 2 : 6;
  for (uint64_t at = 1; at <= calls && !HasFailure(); at += stride) {
    for (uint64_t outcome = 0; outcome < outcomes; ++outcome) {
      Crash crash{.at = at, .power_loss = outcome > 0, .outcome = outcome};
      EXPECT_EQ(crash_once(crash, counts), "");
    }
  }
  std::cout << calls << " disk calls\n" << counts.table();
  for (const int i : {1, 2, 3, 4, 5, 6}) EXPECT_GT(counts.checked[i], 0u) << "I" << i;
  EXPECT_GT(counts.resolved_by_crash, 0u);
}

TEST(EngineExhaustive, a_crash_at_every_disk_call_of_a_recovery_loses_nothing_either) {
  const uint64_t calls = calls_of_history();
  RigCounts counts;
  uint64_t crashes = 0;
  const uint64_t stride = kSanitized ? 41 : 3;
  for (uint64_t at = 1; at <= calls && !HasFailure(); at += stride) {
    for (const bool power_loss : {false, true}) {
      Crash first{.at = at, .power_loss = power_loss, .outcome = 9};
      EXPECT_EQ(crash_once(first, counts), "");
      const uint64_t recovery = first.recovery;
      for (uint64_t again = 1; again < recovery && !HasFailure(); ++again) {
        first.again_at = again;
        EXPECT_EQ(crash_once(first, counts), "");
        ++crashes;
      }
    }
  }
  std::cout << crashes << " crashes in recovery\n" << counts.table();
  EXPECT_GE(counts.cut_openings, crashes);
  EXPECT_GT(crashes, calls / stride);
}

}  // namespace
}  // namespace ringside
