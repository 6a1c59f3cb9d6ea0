// The rules of recovery (log_recovery.h), row by row: each fault, what becomes of it, its probe.
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/bug.h"
#include "storage/cipher.h"
#include "storage/log_rig.h"

namespace ringside {
namespace {

constexpr uint64_t kFlipAt = kLogHeaderBytes + 3;

// Five groups of one batch in log/000001 (four) and log/000002, not sealed.
LogOptions unsealed() {
  LogOptions options = LogRig::small();
  options.seal_after = 0;
  return options;
}

void write_groups(LogRig& rig, int groups = 5) {
  ASSERT_TRUE(rig.open());
  for (int i = 0; i < groups; ++i) {
    rig.append(100);
    rig.idle();
  }
  ASSERT_EQ(rig.acknowledged, rig.batches.size());
  rig.die();
}

void flip(LogRig& rig, const std::string& path, uint64_t offset) {
  rig.host.disk().bytes(path)[offset] ^= 1;
}

TEST(LogRecovery, a_torn_tail_is_cut_when_nothing_proves_it) {
  LogRig rig(1, unsealed());
  write_groups(rig);
  flip(rig, "log/000002", kFlipAt);
  rig.acknowledged = 4;  // the rot of an unsealed last group is what nobody can tell from a tear
  ASSERT_TRUE(rig.open()) << rig.error.text();
  EXPECT_EQ(rig.wrong, "");
  EXPECT_EQ(rig.recovery.end, 4u);
  EXPECT_TRUE(rig.recovery.torn_tail);
  EXPECT_EQ(rig.host.probes("wal.torn_tail_cut"), 1u);
}

TEST(LogRecovery, a_proven_group_that_is_unreadable_is_refused_wherever_it_is) {
  for (const uint64_t page : {0, 1, 2, 3}) {
    LogRig rig(1, unsealed());
    write_groups(rig);
    flip(rig, "log/000001", page * kPageBytes + kFlipAt);
    EXPECT_FALSE(rig.open());
    EXPECT_EQ(rig.error.text(),
              "corrupt: " + std::string(page == 0 ? "log/000001 at 0" : "log/000001 at ") +
                  (page == 0 ? "" : std::to_string(page * kPageBytes)) + ": batch " +
                  std::to_string(page + 1) + " is missing, and batch 4 was durable");
    EXPECT_EQ(rig.host.probes("wal.durable_group_lost"), 1u);
    flip(rig, "log/000001", page * kPageBytes + kFlipAt);
    EXPECT_TRUE(rig.open()) << "undone, it is as it was";
    EXPECT_EQ(rig.wrong, "");
  }
}

TEST(LogRecovery, what_was_lost_is_reported_and_what_is_behind_it_counts) {
  for (const uint64_t page : {0, 1, 2, 3}) {
    LogRig rig(1, unsealed());
    write_groups(rig);
    rig.lost_policy = LostLog::kReport;
    flip(rig, "log/000001", page * kPageBytes + kFlipAt);
    for (int opening = 0; opening < 3; ++opening) {  // the same again every time
      ASSERT_TRUE(rig.open()) << rig.error.text();
      EXPECT_EQ(rig.wrong, "");
      ASSERT_EQ(rig.recovery.lost.size(), 1u);
      const LostBatches lost = rig.recovery.lost.front();
      EXPECT_EQ(lost.first, page + 1);
      EXPECT_EQ(lost.last, page + 1);
      EXPECT_EQ(lost.file, "log/000001");
      EXPECT_EQ(lost.offset, page * kPageBytes);
      EXPECT_EQ(rig.recovery.end, rig.batches.size());
      // The stream says so, too, and goes on behind it.
      const Result<std::vector<LoggedBatch>> gap = rig.read(page);
      ASSERT_FALSE(gap.ok());
      EXPECT_EQ(gap.error().text(), "not found: batch " + std::to_string(page + 1) +
                                        " is gone; the oldest held after it is " +
                                        std::to_string(page + 2));
      const Result<std::vector<LoggedBatch>> rest = rig.read(page + 1);
      ASSERT_TRUE(rest.ok());
      EXPECT_EQ(rest->size(), rig.batches.size() - page - 1);
      rig.append(200);
      rig.idle();
      rig.die();
    }
  }
}

TEST(LogRecovery, a_lost_tail_is_reported_up_to_what_was_durable) {
  LogRig rig(1);  // seals itself
  write_groups(rig, 2);
  rig.lost_policy = LostLog::kReport;
  flip(rig, "log/000001", 2 * kPageBytes + kFlipAt);  // batch 2, behind batch 1's seal
  ASSERT_TRUE(rig.open()) << rig.error.text();
  EXPECT_EQ(rig.wrong, "");
  ASSERT_EQ(rig.recovery.lost.size(), 1u);
  EXPECT_EQ(rig.recovery.lost.front().first, 2u);
  EXPECT_EQ(rig.recovery.lost.front().last, 2u);
  EXPECT_EQ(rig.log->last(), 2u) << "its number is not given twice";
}

TEST(LogRecovery, a_segment_that_is_gone_is_refused_and_not_replayed_across) {
  LogRig rig(1, unsealed());
  write_groups(rig, 9);  // three segments
  rig.host.disk().bytes("log/000002").assign(4 * kPageBytes, '\0');
  EXPECT_FALSE(rig.open());
  EXPECT_EQ(rig.error.text(),
            "corrupt: log/000001 at 16384: batch 5 is missing, and batch 8 was durable");
}

// A log without syncs: a newer segment is on disk, and nothing proves the older one.
TEST(LogRecovery, recovery_stops_at_a_hole_and_what_is_behind_it_never_comes_back) {
  LogOptions options = unsealed();
  options.sync = false;
  LogRig rig(1, options);
  write_groups(rig, 12);
  rig.host.disk().bytes("log/000002").assign(4 * kPageBytes, '\0');
  rig.acknowledged = 4;
  ASSERT_TRUE(rig.open()) << rig.error.text();
  EXPECT_EQ(rig.recovery.end, 4u);
  EXPECT_EQ(rig.host.probes("wal.stopped_at_hole"), 1u);
  // New batches 5 to 8 go to tables, and their segment is gone: 9 must not follow 8.
  for (int i = 0; i < 4; ++i) {
    rig.append(300);
    rig.idle();
  }
  EXPECT_EQ(rig.host.probes("wal.leftover_cut"), 1u);
  rig.flush(8);
  rig.die();
  for (const std::string& path : rig.host.disk().paths()) {
    if (path != "log/000003") rig.host.disk().bytes(path).clear();
  }
  ASSERT_TRUE(rig.open()) << rig.error.text();
  EXPECT_EQ(rig.wrong, "");
  EXPECT_EQ(rig.recovery.end, 8u);
}

TEST(LogRecovery, two_files_with_one_segment_id_are_refused) {
  LogRig rig(1, unsealed());
  write_groups(rig, 6);
  rig.host.disk().bytes("log/000002") = rig.host.disk().bytes("log/000001");
  rig.lost_policy = LostLog::kReport;
  EXPECT_FALSE(rig.open());
  EXPECT_EQ(rig.error.text(), "corrupt: log/000002 at 0: two files claim to be log segment 1");
  EXPECT_EQ(rig.host.probes("wal.segment_twice"), 1u);
}

TEST(LogRecovery, a_log_of_another_version_is_refused) {
  LogRig rig(1, unsealed());
  write_groups(rig);
  rig.host.disk().bytes("log/000001")[4] = 1;
  EXPECT_FALSE(rig.open());
  EXPECT_EQ(rig.error.text(), "corrupt: log/000001 at 0: a log of version 1, not 2");
}

// A newer segment that begins below what older ones prove, and whose first page did not say so.
TEST(LogRecovery, two_histories_are_refused_or_reported) {
  for (const LostLog policy : {LostLog::kRefuse, LostLog::kReport}) {
    LogRig rig(1, unsealed());
    write_groups(rig, 4);
    LogGroup group(2, 0);
    const std::string other = "another second batch";
    group.append(other);
    const Buffer bytes =
        std::move(group).finish({.segment = 2, .life = 7, .durable = 1}, nullptr, 0);
    ASSERT_TRUE(rig.open());
    rig.append(100);
    rig.idle();
    rig.die();
    std::string& file = rig.host.disk().bytes("log/000002");
    file.assign(kPageBytes, '\0');
    file += bytes.view();
    rig.batches.resize(4);
    rig.acknowledged = 3;
    rig.lost_policy = policy;
    const bool opened = rig.open();
    EXPECT_EQ(rig.host.probes("wal.histories_differ"), 1u);
    EXPECT_EQ(opened, policy == LostLog::kReport) << rig.error.text();
    if (!opened) {
      EXPECT_EQ(rig.error.text(),
                "corrupt: log/000002 at 0: it begins with batch 2, and batch 3 was durable before");
    }
  }
}

TEST(LogRecovery, a_failed_write_or_sync_is_the_last_thing_the_log_does) {
  for (const DiskCall::Kind kind : {DiskCall::Kind::kWrite, DiskCall::Kind::kSync}) {
    LogRig rig(1);
    ASSERT_TRUE(rig.open());
    rig.append(100);
    rig.idle();
    rig.host.disk().fail(kind, Code::kIo);
    rig.append(100);
    rig.append(100);
    rig.idle();
    EXPECT_TRUE(rig.durable->poisoned());
    const bool write = kind == DiskCall::Kind::kWrite;
    EXPECT_EQ(rig.host.probes(write ? "wal.write_failed" : "wal.sync_failed"), 1u);
    const uint64_t writes = rig.host.disk().writes, syncs = rig.host.disk().syncs;
    rig.append(100);
    rig.idle();
    EXPECT_EQ(rig.host.disk().writes, writes);
    EXPECT_EQ(rig.host.disk().syncs, syncs);
    EXPECT_EQ(rig.acknowledged, 1u);
    rig.die();
    ASSERT_TRUE(rig.open());
    EXPECT_EQ(rig.wrong, "");
  }
}

// Segments above one read: a read that comes from elsewhere must not pass for the end of the log.
LogOptions large() {
  return {.directory = "log",
          .segment_bytes = 4u << 20,
          .group_bytes_max = 64u << 10,
          .seal_after = kMillisecond};
}

void write_three_mebibytes(LogRig& rig) {
  ASSERT_TRUE(rig.open());
  for (int i = 0; i < 100; ++i) {
    rig.append(30'000);
    rig.idle();
  }
  rig.die();
}

// The first page that is read of a file is its second one, which an earlier segment may have left
// there: the file then seems to be that one, and to hold nothing that counts any more.
TEST(LogRecovery, a_first_page_of_an_older_segment_is_noticed_before_its_file_is_cut) {
  LogOptions unsealed = LogRig::small();
  unsealed.seal_after = 0;  // a seal would prove the last group
  uint64_t differed = 0;
  for (int batches = 1; batches <= 40; ++batches) {
    for (const char* file : {"log/000001", "log/000002", "log/000003", "log/000004"}) {
      LogRig rig(1, unsealed);
      ASSERT_TRUE(rig.open());
      for (int i = 1; i <= batches; ++i) {
        rig.append(2'000);
        rig.idle();
        if (i % 8 == 0) rig.flush(rig.acknowledged);
      }
      rig.die();
      bool struck = false;
      rig.host.disk().set_tamper([&struck, file](DiskCall& call, const std::string& path) {
        if (!struck && call.kind == DiskCall::Kind::kRead && call.offset == 0 && path == file) {
          struck = true;
          call.offset = kPageBytes;
        }
        return false;
      });
      const bool opened = rig.open();
      EXPECT_EQ(rig.wrong, "") << batches << " " << file;
      if (!opened) EXPECT_EQ(rig.error.code, Code::kIo) << rig.error.text();
      differed += rig.host.probes("wal.reads_differ");
    }
  }
  EXPECT_GT(differed, 20u);
}

TEST(LogRecovery, a_read_from_elsewhere_is_noticed_before_anything_is_cut) {
  uint64_t differed = 0;
  for (const uint64_t offset : {0u, 1u << 20, 2u << 20, 3u << 20}) {
    for (const uint64_t from : {0u, 32u << 10, 1u << 20, 2u << 20}) {
      if (offset == from) continue;
      LogRig rig(1, large());
      write_three_mebibytes(rig);
      rig.host.disk().misdirect_read(offset, from);
      const bool opened = rig.open();
      EXPECT_EQ(rig.wrong, "");
      if (!opened) EXPECT_EQ(rig.error.code, Code::kIo) << offset << from << rig.error.text();
      differed += rig.host.probes("wal.reads_differ");
      ASSERT_TRUE(rig.open()) << rig.error.text();
      EXPECT_EQ(rig.recovery.end, 100u);
      EXPECT_EQ(rig.wrong, "");
    }
  }
  EXPECT_GT(differed, 5u);
}

TEST(LogRecovery, reads_every_segment_once_and_its_end_twice) {
  LogRig rig(1, large());
  write_three_mebibytes(rig);
  rig.die();
  ASSERT_TRUE(rig.open());
  for (int i = 0; i < 60; ++i) rig.append(30'000);
  rig.idle();
  rig.die();
  uint64_t bytes = 0;
  for (const std::string& path : rig.host.disk().paths())
    bytes += rig.host.disk().bytes(path).size();
  const uint64_t before = rig.host.disk().bytes_read;
  ASSERT_TRUE(rig.open());
  const uint64_t read = rig.host.disk().bytes_read - before;
  EXPECT_GE(read, bytes);
  EXPECT_LE(read, bytes + 16 * kPageBytes);
}

TEST(LogRecovery, a_sealed_log_is_opened_with_its_key_alone) {
  const Cipher cipher(std::string(Cipher::kKeyBytes, 'k')),
      other(std::string(Cipher::kKeyBytes, 'o'));
  LogOptions options = unsealed();
  options.cipher = &cipher;
  LogRig rig(1, options);
  write_groups(rig);
  for (const std::string& path : rig.host.disk().paths()) {
    for (const std::string& batch : rig.batches)
      EXPECT_EQ(rig.host.disk().bytes(path).find(batch), std::string::npos) << path;
  }
  rig.options.cipher = nullptr;
  EXPECT_FALSE(rig.open());
  EXPECT_EQ(rig.error.text(), "invalid: log/000001 at 0: the log is sealed, and there is no key");
  rig.options.cipher = &other;
  EXPECT_FALSE(rig.open());
  EXPECT_EQ(rig.error.text(),
            "corrupt: log/000001 at 0: it was sealed with another key, or tampered with");
  EXPECT_EQ(rig.host.probes("wal.not_opened"), 2u);
  rig.options.cipher = &cipher;
  ASSERT_TRUE(rig.open()) << rig.error.text();
  EXPECT_EQ(rig.wrong, "");
  rig.die();

  LogRig plain(1, unsealed());
  write_groups(plain);
  plain.options.cipher = &cipher;
  EXPECT_FALSE(plain.open());
  EXPECT_EQ(plain.error.code, Code::kInvalid);
}

// Whoever can write to the disk can make checksums, and cannot make seals.
TEST(LogRecovery, a_sealed_group_that_was_tampered_with_is_never_believed) {
  const Cipher cipher(std::string(Cipher::kKeyBytes, 'k'));
  LogGroup group(1, 0);
  group.append("batch");
  const Buffer good =
      std::move(group).finish({.segment = 1, .life = 2, .durable = 0}, &cipher, 4 * kPageBytes);
  const std::optional<LogGroupHeader> header = parse_log_group(good.view());
  ASSERT_TRUE(header && header->sealed);
  std::string text;
  ASSERT_TRUE(open_log_payload(cipher, *header, good.view(), 4 * kPageBytes, text));
  EXPECT_EQ(text, "\5batch");
  EXPECT_FALSE(open_log_payload(cipher, *header, good.view(), 0, text)) << "another place";
  for (std::size_t byte = 0; byte < kLogHeaderBytes + header->payload_bytes; ++byte) {
    if ((byte >= 8 && byte < 16) || (byte >= 64 && byte < 72)) continue;  // checksums
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes(good.view());
      bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
      EXPECT_FALSE(parse_log_group(bytes)) << byte;
      // As if its checksums had been made to fit.
      LogGroupHeader forged = *header;
      std::memcpy(&forged.segment, bytes.data() + 16, 8);
      std::memcpy(&forged.life, bytes.data() + 24, 8);
      EXPECT_FALSE(open_log_payload(cipher, forged, bytes, 4 * kPageBytes, text)) << byte;
    }
  }
}

#ifdef RINGSIDE_PLANTED
TEST(LogRecovery, catches_a_log_that_cuts_what_was_proven) {
  set_planted_bugs({"log_cut_past_proven_group"});
  LogRig rig(1, unsealed());
  write_groups(rig);
  flip(rig, "log/000001", 2 * kPageBytes + kFlipAt);
  (void)rig.open();
  EXPECT_NE(rig.wrong, "");
  set_planted_bugs({});
}
#endif

}  // namespace
}  // namespace ringside
