// The archive and the change stream: what they keep, what they cost, and what they say when a batch
// is gone. Crashes are log_crash_test.cc's.
#include <gtest/gtest.h>

#include "storage/log_rig.h"

namespace ringside {
namespace {

constexpr uint64_t kUnbounded = uint64_t{1} << 40;

LogOptions archiving(uint64_t bytes) {
  LogOptions options = LogRig::small();
  options.archive_bytes_max = bytes;
  options.seal_after = 0;
  return options;
}

// One batch a group, four a segment.
void write_groups(LogRig& rig, int groups) {
  for (int i = 0; i < groups; ++i) {
    rig.append(100);
    rig.idle();
  }
}

// As many batches as the stream has after `after`, in reads of `batches` each.
std::vector<LoggedBatch> read_all(LogRig& rig, Lsn after, uint64_t batches,
                                  Lsn until = std::numeric_limits<Lsn>::max()) {
  std::vector<LoggedBatch> all;
  while (true) {
    Result<std::vector<LoggedBatch>> part =
        rig.read(after + all.size(), {.batches_max = batches, .until = until});
    EXPECT_TRUE(part.ok()) << part.error().text();
    if (!part.ok() || part->empty()) return all;
    EXPECT_LE(part->size(), batches);
    all.insert(all.end(), part->begin(), part->end());
  }
}

void expect_batches(const LogRig& rig, const std::vector<LoggedBatch>& found, Lsn first, Lsn last) {
  ASSERT_EQ(found.size(), last - first + 1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].lsn, first + i);
    EXPECT_EQ(found[i].batch, rig.batches[first + i - 1]);
  }
}

TEST(LogStream, reads_on_from_archive_and_live_segments_in_any_steps_and_in_a_later_life) {
  LogRig rig(1, archiving(kUnbounded));
  ASSERT_TRUE(rig.open());
  write_groups(rig, 30);
  rig.flush(22);
  rig.idle();
  EXPECT_EQ(rig.host.probes("wal.segment_archived"), 5u);
  const std::vector<std::string> paths = rig.host.disk().paths();
  EXPECT_EQ(std::count(paths.begin(), paths.end(), "log/archive/00000000000000000017"), 1);
  EXPECT_EQ(rig.log->oldest(), 1u);
  for (int life = 0; life < 2; ++life) {
    for (const uint64_t batches : {1, 3, 4, 7, 1'000}) {
      expect_batches(rig, read_all(rig, 0, batches), 1, 30);
      expect_batches(rig, read_all(rig, 13, batches), 14, 30);
    }
    EXPECT_TRUE(read_all(rig, 30, 10).empty());
    EXPECT_TRUE(read_all(rig, 99, 10).empty());
    rig.die();
    ASSERT_TRUE(rig.open());
    EXPECT_EQ(rig.wrong, "");
  }
}

TEST(LogStream, a_point_in_time_is_an_upper_bound) {
  LogRig rig(1, archiving(kUnbounded));
  ASSERT_TRUE(rig.open());
  write_groups(rig, 14);
  for (int i = 0; i < 6; ++i) rig.append(300);  // in one group
  rig.idle();
  rig.flush(9);
  rig.idle();
  for (const Lsn until : {1, 4, 5, 9, 14, 17, 20})
    expect_batches(rig, read_all(rig, 0, 3, until), 1, until);
}

TEST(LogStream, bytes_are_a_limit_and_one_batch_is_always_given) {
  LogRig rig(1, archiving(kUnbounded));
  ASSERT_TRUE(rig.open());
  for (int i = 0; i < 10; ++i) rig.append(500);
  rig.idle();
  const Result<std::vector<LoggedBatch>> some = rig.read(0, {.bytes_max = 1'200});
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(some->size(), 3u);
  const Result<std::vector<LoggedBatch>> one = rig.read(0, {.bytes_max = 1});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->size(), 1u);
}

TEST(LogStream, shows_only_what_is_durable) {
  LogRig rig(1, archiving(0));
  ASSERT_TRUE(rig.open());
  rig.append(100);
  EXPECT_TRUE(rig.read(0)->empty()) << "a read without the disk, before the write";
  rig.idle();
  EXPECT_EQ(rig.read(0)->size(), 1u);
}

TEST(LogStream, says_which_batch_is_the_oldest_when_one_is_gone) {
  LogRig rig(1, archiving(0));
  ASSERT_TRUE(rig.open());
  write_groups(rig, 12);
  rig.flush(9);
  const Result<std::vector<LoggedBatch>> gone = rig.read(3);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().text(), "not found: batch 4 is gone; the oldest held after it is 9");
  EXPECT_EQ(rig.log->oldest(), 9u);
  expect_batches(rig, read_all(rig, 8, 100), 9, 12);
  EXPECT_GT(rig.host.probes("wal.stream_gap"), 0u);
}

TEST(LogStream, a_file_that_is_gone_from_the_archive_is_a_gap_and_reading_goes_on_behind_it) {
  LogRig rig(1, archiving(kUnbounded));
  ASSERT_TRUE(rig.open());
  write_groups(rig, 30);
  rig.flush(22);
  rig.idle();
  rig.die();
  (void)rig.host.run([](Host& host) -> Task<Result<void>> {
    co_return co_await host.disk().remove("log/archive/00000000000000000009");
  }(rig.host));
  ASSERT_TRUE(rig.open());
  expect_batches(rig, read_all(rig, 0, 100, 8), 1, 8);
  const Result<std::vector<LoggedBatch>> gone = rig.read(8);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().text(), "not found: batch 9 is gone; the oldest held after it is 13");
  expect_batches(rig, read_all(rig, 12, 100), 13, 30);
}

TEST(LogStream, the_archive_keeps_its_maximum_and_gives_the_oldest_back) {
  LogRig rig(1, archiving(5 * 4 * kPageBytes));
  ASSERT_TRUE(rig.open());
  for (int round = 0; round < 20; ++round) {
    write_groups(rig, 10);
    rig.flush(rig.durable->lsn() - 1);
    rig.idle();
    EXPECT_LE(rig.log->archived_bytes(), 5 * 4 * kPageBytes);
    const Lsn oldest = rig.log->oldest();
    expect_batches(rig, read_all(rig, oldest - 1, 9), oldest, rig.batches.size());
  }
  EXPECT_GT(rig.host.probes("wal.segment_given_back"), 10u);
  EXPECT_GT(rig.host.probes("wal.segment_recycled"), 10u);
  EXPECT_LE(rig.host.disk().paths().size(), 12u) << "files were piled up";
  rig.die();
  rig.options.archive_bytes_max = 0;
  ASSERT_TRUE(rig.open());
  rig.append(10);
  rig.idle();
  for (const std::string& path : rig.host.disk().paths())
    EXPECT_EQ(path.find("archive"), std::string::npos) << "no archive: nothing is left of it";
}

TEST(LogStream, a_failing_archive_is_a_gap_and_not_the_end_of_the_log) {
  for (const DiskCall::Kind kind : {DiskCall::Kind::kRename, DiskCall::Kind::kSyncDirectory}) {
    LogRig rig(1, archiving(kUnbounded));
    ASSERT_TRUE(rig.open());
    write_groups(rig, 9);
    rig.flush(3);
    rig.idle();  // the directory is there
    rig.host.disk().fail(kind, Code::kIo);
    rig.flush(5);
    rig.idle();
    write_groups(rig, 12);
    rig.flush(20);
    rig.idle();
    EXPECT_EQ(rig.host.probes("wal.archive_failed"), 1u);
    EXPECT_FALSE(rig.durable->poisoned());
    EXPECT_FALSE(rig.read(0).ok());
    rig.die();
    ASSERT_TRUE(rig.open()) << rig.error.text();
    EXPECT_EQ(rig.wrong, "");
  }
}

// Reading on costs what is read, however large the segment is.
TEST(LogStream, reading_on_does_not_read_the_segment_again) {
  LogOptions options = archiving(kUnbounded);
  options.segment_bytes = 8u << 20;
  options.group_bytes_max = 16u << 10;
  LogRig rig(1, options);
  ASSERT_TRUE(rig.open());
  for (int i = 0; i < 1'500; ++i) {
    rig.append(12'000);
    if (i % 50 == 0) rig.idle();
  }
  rig.idle();
  for (const bool archived : {false, true}) {
    if (archived) {
      rig.die();
      ASSERT_TRUE(rig.open());
      rig.append(1);
      rig.idle();
      rig.flush(1'500);
      rig.idle();
      EXPECT_GE(rig.host.probes("wal.segment_archived"), 2u);
    }
    uint64_t bytes = 0;
    for (const std::string& batch : rig.batches) bytes += batch.size();
    const uint64_t before = rig.host.disk().bytes_read;
    expect_batches(rig, read_all(rig, 0, 10), 1, rig.batches.size());
    // Ten batches are a window of 256 KiB at the most, read from where the last one stopped.
    EXPECT_LE(rig.host.disk().bytes_read - before, 160u * (512u << 10));
    EXPECT_GE(rig.host.disk().bytes_read - before, bytes / 2);
  }
}

TEST(LogStream, what_was_just_written_is_read_from_memory) {
  LogRig rig(1, archiving(0));
  ASSERT_TRUE(rig.open());
  write_groups(rig, 3);
  expect_batches(rig, read_all(rig, 0, 10), 1, 3);  // from here on it is kept
  write_groups(rig, 3);
  const uint64_t reads = rig.host.disk().reads;
  expect_batches(rig, read_all(rig, 3, 10), 4, 6);
  EXPECT_EQ(rig.host.disk().reads, reads);
}

// Many readers while segments are written, flushed, archived and given back under them.
TEST(LogStream, stays_right_while_segments_are_recycled_under_it) {
  for (const uint64_t archive : {uint64_t{0}, uint64_t{12 * kPageBytes}, kUnbounded}) {
    uint64_t streamed = 0, gaps = 0;
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      LogRig rig(seed, archiving(archive));
      ASSERT_TRUE(rig.open());
      Random random(seed);
      for (int step = 0; step < 600 && rig.wrong.empty(); ++step) {
        switch (random.below(4)) {
          case 0: rig.append(random.below(3'000)); break;
          case 1:
            if (random.chance(0.15)) rig.read_on({.batches_max = 1 + random.below(40)});
            break;
          case 2:
            if (random.chance(0.2)) rig.flush(rig.durable->lsn() - random.below(2));
            break;
          default:
            for (uint64_t steps = random.below(8); steps > 0; --steps) rig.host.step();
        }
      }
      rig.idle();
      ASSERT_EQ(rig.wrong, "") << "seed " << seed;
      streamed += rig.streamed;
      gaps += rig.gaps;
    }
    EXPECT_GT(streamed, 1'000u);
    EXPECT_EQ(gaps == 0, archive == kUnbounded) << archive;
  }
}

}  // namespace
}  // namespace ringside
