// The log alone under crashes: at random, with every option, and for one short history at every
// disk operation with every outcome, the recovery of it included. What was acknowledged is there,
// what is recovered is a prefix, and the change stream goes on without a gap or a repeat.
#include <gtest/gtest.h>

#include "runtime/bug.h"
#include "storage/cipher.h"
#include "storage/log_rig.h"

namespace ringside {
namespace {

using Fate = TestDisk::Fate;

struct Sum {
  uint64_t lives = 0, lost = 0, streamed = 0, gaps = 0, power_losses = 0, forgotten = 0;
  uint64_t torn = 0, holes = 0, recycled = 0, archived = 0, given_back = 0, sync_failed = 0;

  void add(LogRig& rig) {
    lost += rig.lost;
    streamed += rig.streamed;
    gaps += rig.gaps;
    torn += rig.host.probes("wal.torn_tail_cut");
    holes += rig.host.probes("wal.stopped_at_hole");
    recycled += rig.host.probes("wal.segment_recycled");
    archived += rig.host.probes("wal.segment_archived");
    given_back += rig.host.probes("wal.segment_given_back");
    sync_failed += rig.host.probes("wal.sync_failed");
  }
};

void act(LogRig& rig, Random& random) {
  switch (random.below(12)) {
    case 0:
    case 1:
      for (uint64_t steps = random.below(30); steps > 0; --steps) rig.host.step();
      break;
    case 2:
    case 3: rig.host.step(); break;
    case 4:
      if (random.chance(0.2)) rig.idle();
      break;
    case 5: {
      const Lsn span = rig.durable->lsn() - rig.flushed;
      if (random.chance(0.3)) rig.flush(rig.flushed + random.below(span + 1));
      break;
    }
    case 6: {
      const uint64_t batches = 1 + random.below(20);
      rig.read_on({.batches_max = batches, .bytes_max = 6'000});
      break;
    }
    default: rig.append(random.below(random.chance(0.1) ? 4'000 : 900));
  }
}

// Empty, or what was violated.
std::string crash_often(uint64_t seed, LogOptions options, int cycles, Sum& sum) {
  LogRig rig(seed, std::move(options));
  Random random(seed);
  for (int cycle = 0; cycle < cycles && rig.wrong.empty(); ++cycle) {
    const bool cut = random.chance(0.2);
    if (rig.open(cut ? random.below(60) : 100'000)) {
      ++sum.lives;
      if (rig.options.sync && random.chance(0.1)) {
        rig.host.disk().forget_at_sync(random.below(6));
        ++sum.forgotten;
      }
      for (uint64_t actions = random.below(80); actions > 0 && rig.wrong.empty(); --actions)
        act(rig, random);
      if (random.chance(0.1)) (void)rig.host.run(rig.log->close());
      rig.die();
    } else if (!cut) {
      return rig.wrong.empty() ? "seed " + std::to_string(seed) + ": " + rig.error.text()
                               : rig.wrong;
    }
    rig.host.disk().forget_at_sync(1'000'000);
    if (random.chance(0.5)) {
      rig.power_loss();
      ++sum.power_losses;
    }
  }
  sum.add(rig);
  return rig.wrong;
}

LogOptions with_archive(uint64_t bytes) {
  LogOptions options = LogRig::small();
  options.archive_bytes_max = bytes;
  return options;
}

constexpr uint64_t kUnbounded = uint64_t{1} << 40;

TEST(LogCrash, keeps_what_it_acknowledged_and_its_stream_has_no_gap) {
  Sum sum;
  for (uint64_t seed = 1; seed <= 40; ++seed)
    ASSERT_EQ(crash_often(seed, with_archive(kUnbounded), 60, sum), "") << "seed " << seed;
  EXPECT_GT(sum.lives, 1'000u);
  EXPECT_GT(sum.lost, 500u) << "nothing was ever in flight: the test tests nothing";
  EXPECT_GT(sum.streamed, 5'000u);
  EXPECT_GT(sum.archived, 200u);
  EXPECT_GT(sum.torn, 50u);
  EXPECT_GT(sum.sync_failed, 20u);
}

TEST(LogCrash, keeps_what_it_acknowledged_with_a_small_archive_and_with_none) {
  Sum small, none;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    ASSERT_EQ(crash_often(seed, with_archive(10 * kPageBytes), 60, small), "") << "seed " << seed;
    ASSERT_EQ(crash_often(seed, with_archive(0), 60, none), "") << "seed " << seed;
  }
  EXPECT_GT(small.given_back, 50u);
  EXPECT_GT(small.gaps, 10u);
  EXPECT_GT(none.recycled, 200u);
  EXPECT_EQ(none.archived, 0u);
}

TEST(LogCrash, a_sealed_log_is_as_good) {
  const Cipher cipher(std::string(Cipher::kKeyBytes, 'k'));
  Sum sum;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LogOptions options = with_archive(kUnbounded);
    options.cipher = &cipher;
    ASSERT_EQ(crash_often(seed, options, 60, sum), "") << "seed " << seed;
  }
  EXPECT_GT(sum.streamed, 2'000u);
  EXPECT_GT(sum.archived, 100u);
}

// Without syncs a power loss leaves holes between segments: what is behind them is not replayed.
TEST(LogCrash, without_syncs_a_prefix_is_left_and_a_killed_process_loses_nothing) {
  Sum sum;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    LogOptions options = with_archive(0);
    options.sync = false;
    ASSERT_EQ(crash_often(seed, options, 60, sum), "") << "seed " << seed;
  }
  EXPECT_GT(sum.holes, 100u);
  EXPECT_GT(sum.lost, 1'000u);
}

// What one exhaustive crash is: after so many steps, with these outcomes.
struct Crash {
  uint64_t steps;
  Fate in_flight, pages, names;
};

// A short history with everything in it: a torn-off life, two segments, a flush, the archive, a
// read. Returns how many steps it took.
uint64_t short_history(LogRig& rig, uint64_t steps) {
  const uint64_t before = rig.steps_taken;
  const auto left = [&] { return steps - std::min(steps, rig.steps_taken - before); };
  if (!rig.open(left())) return rig.steps_taken - before;
  for (const uint64_t bytes : {100, 3'000, 200}) rig.append(bytes);
  if (!rig.idle(std::min<uint64_t>(left(), 3))) rig.append(3'900);
  for (int i = 0; i < 3; ++i) rig.append(2'000);
  if (!rig.idle(left())) return steps;
  rig.flush(4);
  for (int i = 0; i < 2; ++i) rig.append(3'000);
  if (!rig.idle(left())) return steps;
  rig.flush(rig.durable->lsn() - 1);
  rig.read_on();
  rig.append(50);
  rig.idle(left());
  return rig.steps_taken - before;
}

void crash(LogRig& rig, const Crash& how, bool power) {
  rig.host.disk().set_abandoned(how.in_flight);
  rig.die();
  if (power) rig.power_loss(how.pages, how.names);
}

std::string recover_whole(LogRig& rig) {
  if (!rig.open() && rig.wrong.empty()) return "refused: " + rig.error.text();
  if (!rig.wrong.empty()) return rig.wrong;
  rig.read_on();
  rig.append(500);
  rig.idle();
  rig.read_on();
  rig.idle();
  if (rig.wrong.empty() && rig.consumed != rig.batches.size()) return "the stream fell short";
  return rig.wrong;
}

// Crashes the short history after every step with every outcome, and its recovery after every step
// again. Returns what was violated first.
std::string crash_everywhere(const LogOptions& options, uint64_t& recoveries, uint64_t& gaps) {
  LogRig whole(1, options);
  const uint64_t total = short_history(whole, 1'000'000);
  EXPECT_GT(whole.host.probes("wal.segment_archived"), 0u);
  EXPECT_GT(whole.streamed, 3u);
  for (uint64_t steps = 0; steps <= total; ++steps) {
    for (const Fate in_flight : {Fate::kKept, Fate::kDropped}) {
      for (const Fate pages :
           {Fate::kKept, Fate::kDropped, Fate::kGarbage, Fate::kTorn, Fate::kDrawn}) {
        for (const Fate names : {Fate::kKept, Fate::kDropped, Fate::kDrawn}) {
          const Crash how{steps, in_flight, pages, names};
          uint64_t recovery_steps = 0;
          for (uint64_t second = 0; second <= recovery_steps; ++second) {
            LogRig rig(1, options);
            short_history(rig, steps);
            crash(rig, how, pages != Fate::kKept);
            if (second < recovery_steps) {
              (void)rig.open(second);
              crash(rig, how, true);
            } else if (recovery_steps == 0) {
              const uint64_t before = rig.steps_taken;
              (void)rig.open();
              recovery_steps = rig.steps_taken - before;
              crash(rig, how, true);
            }
            const std::string wrong = rig.wrong.empty() ? recover_whole(rig) : rig.wrong;
            ++recoveries;
            gaps += rig.gaps;
            if (!wrong.empty()) {
              return wrong + " (steps " + std::to_string(steps) + ", second " +
                     std::to_string(second) + ", in flight " +
                     std::to_string(static_cast<int>(in_flight)) + ", pages " +
                     std::to_string(static_cast<int>(pages)) + ", names " +
                     std::to_string(static_cast<int>(names)) + ")";
            }
          }
        }
      }
    }
  }
  return "";
}

TEST(LogCrash, a_short_history_survives_a_crash_at_every_step_with_every_outcome) {
  uint64_t recoveries = 0, gaps = 0;
  EXPECT_EQ(crash_everywhere(with_archive(kUnbounded), recoveries, gaps), "");
  EXPECT_GT(recoveries, 15'000u);
  RecordProperty("recoveries", std::to_string(recoveries));
}

#ifdef RINGSIDE_PLANTED
// Empty, or what was violated under the planted bug.
std::string with_bug(const char* bug, bool sync) {
  set_planted_bugs({bug});
  std::string wrong;
  for (uint64_t seed = 1; seed <= 20 && wrong.empty(); ++seed) {
    Sum sum;
    LogOptions options = with_archive(0);
    options.sync = sync;
    wrong = crash_often(seed, options, 60, sum);
  }
  set_planted_bugs({});
  return wrong;
}

TEST(LogCrash, catches_a_log_that_believes_the_second_sync) {
  EXPECT_NE(with_bug("log_retries_failed_sync", /*sync=*/true), "");
}

TEST(LogCrash, catches_a_log_that_replays_across_a_hole) {
  EXPECT_NE(with_bug("log_replays_across_hole", /*sync=*/false), "");
}
#endif

}  // namespace
}  // namespace ringside
