#include "storage/engine.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/log_format.h"
#include "storage/test_host.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

// An engine on a host of its own, that can be ended and started again.
class EngineTest : public testing::Test {
 protected:
  EngineTest() { options_.abort_when_poisoned = false; }
  ~EngineTest() override { end(); }

  Result<void> start() {
    Result<std::unique_ptr<Engine>> opened = host_.run(Engine::open(host_, options_));
    if (!opened.ok()) {
      host_.kill();
      return opened.error();
    }
    engine_ = *std::move(opened);
    return {};
  }
  void end() {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }
  Result<Lsn> put(std::string_view key, std::string_view value) {
    Batch batch;
    batch.put(key, value);
    return engine_->submit(batch);
  }
  Result<Lsn> remove(std::string_view key) {
    Batch batch;
    batch.remove(key);
    return engine_->submit(batch);
  }
  Result<void> wait(Lsn lsn) { return host_.run(held(*engine_, lsn)); }
  Result<void> put_durably(std::string_view key, std::string_view value) {
    Result<Lsn> lsn = put(key, value);
    return lsn.ok() ? wait(*lsn) : Result<void>(lsn.error());
  }
  std::string get(std::string key, View view = View::kDurable) {
    Result<std::optional<std::string>> value = host_.run(engine_->get(std::move(key), view));
    return !value.ok() ? value.error().text() : value->value_or("nothing");
  }
  std::vector<Entry> scan(std::string begin, std::string end, ScanLimits limits = {}) {
    Result<std::vector<Entry>> found = entries_of(
        host_.run(engine_->scan(std::move(begin), std::move(end), limits, View::kDurable)));
    CHECK(found.ok());
    return *found;
  }
  static Task<Result<void>> held(Engine& engine, Lsn lsn) {
    co_return co_await engine.durable(lsn);
  }

  TestHost host_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

using Wal = EngineTest;

TEST_F(EngineTest, what_was_put_is_there_after_a_restart) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  ASSERT_TRUE(put_durably("b", "2").ok());
  ASSERT_TRUE(wait(*remove("a")).ok());
  end();
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(get("a"), "nothing");
  EXPECT_EQ(get("b"), "2");
  EXPECT_EQ(engine_->last_submitted(), 3u);
  EXPECT_EQ(engine_->last_durable(), 3u);
}

TEST_F(EngineTest, a_durable_reader_sees_nothing_that_the_log_does_not_hold) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "old").ok());
  ASSERT_TRUE(put("a", "new").ok());
  EXPECT_EQ(engine_->lookup("a", View::kLatest).value, "new");
  EXPECT_EQ(engine_->lookup("a", View::kLatest).lsn, 2u);
  EXPECT_EQ(engine_->lookup("a", View::kDurable).value, "old");
  ASSERT_TRUE(wait(2).ok());
  EXPECT_EQ(engine_->lookup("a", View::kDurable).value, "new");
}

TEST_F(EngineTest, memory_says_of_a_strange_key_that_it_is_not_there) {
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(engine_->lookup("a", View::kLatest).state, MemoryLookup::State::kRemoved);
  ASSERT_TRUE(put_durably("a", "1").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  EXPECT_EQ(engine_->lookup("a", View::kLatest).state, MemoryLookup::State::kNotInMemory);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(engine_->lookup("a", View::kLatest).value, "1") << "the block was read a moment ago";
  EXPECT_EQ(engine_->lookup("b", View::kLatest).state, MemoryLookup::State::kRemoved);
}

TEST_F(EngineTest, refuses_batches_that_are_empty_or_too_long) {
  options_.group_bytes_max = 4096;
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(engine_->submit(Batch()).code(), Code::kInvalid);
  EXPECT_EQ(put("a", std::string(5'000, 'x')).code(), Code::kInvalid);
  EXPECT_TRUE(put_durably("a", std::string(4'000, 'x')).ok());
}

TEST_F(Wal, writers_that_wait_together_share_one_sync) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("first", "").ok());
  const uint64_t syncs = host_.disk().syncs;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "v").ok());
  ASSERT_TRUE(wait(101).ok());
  EXPECT_EQ(host_.disk().syncs - syncs, 2u)
      << "the first went at once, the others waited for it together";
}

TEST_F(Wal, a_failed_sync_poisons_for_good) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  ASSERT_TRUE(put("a", "2").ok());
  host_.disk().fail(DiskCall::Kind::kSync, Code::kIo);
  EXPECT_EQ(wait(2).code(), Code::kIo);
  EXPECT_TRUE(engine_->poisoned());
  EXPECT_EQ(put("a", "3").code(), Code::kClosed);
  EXPECT_EQ(wait(2).code(), Code::kIo);
  EXPECT_TRUE(wait(1).ok()) << "what was durable stays so";
  EXPECT_EQ(get("a"), "1");
  const uint64_t writes = host_.disk().writes;
  host_.run_until_idle();
  EXPECT_EQ(host_.disk().writes, writes);
}

TEST_F(Wal, a_poisoned_engine_aborts_its_process_unless_told_not_to) {
  options_.abort_when_poisoned = true;
  ASSERT_TRUE(start().ok());
  host_.disk().fail(DiskCall::Kind::kWrite, Code::kIo);
  ASSERT_TRUE(put("a", "1").ok());
  host_.run_until_idle();
  EXPECT_EQ(host_.aborted(), "the storage engine is poisoned: input/output error: injected");
}

TEST_F(Wal, rot_in_a_group_that_was_proven_durable_is_never_cut) {
  ASSERT_TRUE(start().ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put_durably("k", std::to_string(i)).ok());
  end();
  std::string& log = host_.disk().bytes("data/log/000001");
  log[2 * kPageBytes + 66] ^= 1;
  const std::string before = log;
  const Result<void> refused = start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().text(),
            "corrupt: data/log/000001 at 8192: batch 3 is missing, and batch 4 was durable");
  EXPECT_EQ(host_.disk().bytes("data/log/000001"), before);
  log[2 * kPageBytes + 66] ^= 1;
  ASSERT_TRUE(start().ok()) << "undone, the log is as it was";
  EXPECT_EQ(get("k"), "4");
}

TEST_F(Wal, a_torn_last_group_is_cut) {
  options_.seal_after = 0;
  ASSERT_TRUE(start().ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put_durably("k", std::to_string(i)).ok());
  end();
  host_.disk().bytes("data/log/000001")[4 * kPageBytes + 66] ^= 1;
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(get("k"), "3");
  EXPECT_EQ(host_.probes("wal.torn_tail_cut"), 1u);
  EXPECT_EQ(engine_->stats().torn_tails_cut, 1u);
}

TEST_F(Wal, an_idle_log_seals_itself_so_that_rot_in_its_last_group_is_found) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("k", "0").ok());
  ASSERT_TRUE(put_durably("k", "1").ok());
  host_.run_until_idle();
  EXPECT_EQ(engine_->stats().seals, 1u);
  end();
  host_.disk().bytes("data/log/000001")[kPageBytes + 66] ^= 1;
  EXPECT_EQ(start().code(), Code::kCorrupt);
}

TEST_F(Wal, what_an_earlier_life_left_in_a_segment_is_not_mistaken_for_the_present) {
  options_.log_segment_bytes = 16384;
  options_.group_bytes_max = 4096;
  options_.seal_after = 0;
  ASSERT_TRUE(start().ok());
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(put_durably("k", std::to_string(100 * round + i)).ok());
    ASSERT_TRUE(host_.run(engine_->flush()).ok());
  }
  ASSERT_TRUE(put_durably("k", "last").ok());
  EXPECT_GT(host_.probes("wal.segment_recycled"), 5u);
  const uint64_t segments = engine_->stats().log_segments;
  EXPECT_LE(segments, 4u);
  end();
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(get("k"), "last");
  EXPECT_EQ(engine_->last_submitted(), 71u);
}

TEST_F(Wal, recovery_changes_nothing_that_a_second_recovery_would_miss) {
  options_.seal_after = 0;
  ASSERT_TRUE(start().ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put_durably("k" + std::to_string(i), "v").ok());
  for (int round = 0; round < 5; ++round) {
    end();
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(engine_->last_submitted(), 5u);
    EXPECT_EQ(scan("", "").size(), 5u);
  }
}

TEST_F(EngineTest, a_manifest_that_is_gone_or_rotten_is_refused) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  end();
  std::string& manifest = host_.disk().bytes("data/manifest");
  manifest[33] ^= 1;
  EXPECT_EQ(start().error().text(), "corrupt: data/manifest at 0: the first record is bad");
  manifest[33] ^= 1;
  ASSERT_TRUE(start().ok());
  end();
  ASSERT_TRUE(host_
                  .run([](Host& host) -> Task<Result<void>> {
                    co_return co_await host.disk().rename("data/manifest", "data/elsewhere");
                  }(host_))
                  .ok());
  EXPECT_EQ(start().code(), Code::kCorrupt);
}

TEST_F(EngineTest, a_manifest_that_lost_a_record_which_the_log_saw_is_refused) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  ASSERT_TRUE(put_durably("a", "2").ok());
  end();
  host_.disk().bytes("data/manifest")[kPageBytes + 33] ^= 1;
  const Result<void> refused = start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().text(),
            "corrupt: data/manifest ends at record 1, but the log saw record 2 durable");
}

TEST_F(EngineTest, of_a_table_that_is_gone_reads_fail_and_the_rest_serves) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  ASSERT_TRUE(put_durably("b", "2").ok());
  end();
  ASSERT_TRUE(host_
                  .run([](Host& host) -> Task<Result<void>> {
                    co_return co_await host.disk().remove("data/tables/000001");
                  }(host_))
                  .ok());
  ASSERT_TRUE(start().ok());
  const std::string why =
      "data/tables/000001 at 0: the manifest names this table and it is not there";
  EXPECT_EQ(get("a"), "corrupt: " + why);
  EXPECT_EQ(get("b"), "2");
  EXPECT_EQ(host_.probes("engine.table_suspect"), 1u);
  ASSERT_EQ(engine_->suspects().size(), 1u);
  EXPECT_EQ(engine_->suspects().front().why, why);
  EXPECT_TRUE(engine_->suspects().front().range.contains("a"));
  EXPECT_FALSE(engine_->suspects().front().range.contains("b"));
  ASSERT_TRUE(put_durably("a", "3").ok());  // whole, and newer than whatever was lost
  EXPECT_EQ(get("a"), "3");
}

TEST_F(EngineTest, says_overloaded_when_too_much_waits_for_the_log) {
  options_.group_bytes_max = 4096;
  options_.pending_bytes_max = 16384;
  ASSERT_TRUE(start().ok());
  int taken = 0;
  Result<Lsn> lsn = put("k", std::string(1'000, 'x'));
  for (; lsn.ok(); lsn = put("k", std::string(1'000, 'x'))) ++taken;
  EXPECT_EQ(lsn.code(), Code::kOverloaded);
  EXPECT_GE(taken, 15);
  EXPECT_LE(taken, 17);
  ASSERT_TRUE(wait(taken).ok());
  EXPECT_TRUE(put_durably("k", "after").ok());
}

TEST_F(EngineTest, says_overloaded_when_flushing_lags_and_recovers_by_itself) {
  options_.memtable_bytes_max = 4096;
  ASSERT_TRUE(start().ok());
  int taken = 0;
  Result<Lsn> lsn = put("k", "v");
  for (; lsn.ok(); lsn = put("k" + std::to_string(taken), std::string(100, 'x'))) ++taken;
  EXPECT_EQ(lsn.code(), Code::kOverloaded);
  EXPECT_LT(taken, 200);
  host_.run_until_idle();
  EXPECT_TRUE(put_durably("k", "after").ok());
  EXPECT_EQ(scan("", "").size(), static_cast<std::size_t>(taken));
}

TEST_F(EngineTest, a_nearly_full_disk_turns_puts_away_and_lets_reads_and_removes_go_on) {
  options_.reserve_bytes = 1'000'000;
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  end();
  host_.disk().set_free_bytes(999'999);
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(put("a", "2").code(), Code::kNoSpace);
  EXPECT_EQ(get("a"), "1");
  ASSERT_TRUE(wait(*remove("a")).ok());
  EXPECT_EQ(get("a"), "nothing");
  ASSERT_TRUE(host_.run(engine_->flush()).ok()) << "the reserve is for this";
  host_.disk().set_free_bytes(2'000'000);
  EXPECT_EQ(put("a", "2").code(), Code::kNoSpace) << "asks again, and so learns that there is room";
  host_.run_until_idle();
  EXPECT_TRUE(put_durably("a", "2").ok());
}

TEST_F(EngineTest, a_flush_without_space_is_tried_again) {
  options_.reserve_bytes = 1;
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  host_.disk().fail(DiskCall::Kind::kWrite, Code::kNoSpace);
  EXPECT_EQ(host_.run(engine_->flush()).code(), Code::kNoSpace);
  EXPECT_FALSE(engine_->poisoned());
  EXPECT_EQ(get("a"), "1");
  host_.run_until_idle();
  EXPECT_EQ(engine_->stats().flushes, 1u);
  EXPECT_EQ(get("a"), "1");
}

TEST_F(EngineTest, a_merge_leaves_one_table_and_drops_what_was_removed) {
  options_.tables_max = 3;
  ASSERT_TRUE(start().ok());
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(put("k" + std::to_string(i), std::to_string(round)).ok());
    if (round == 3) {
      for (int i = 0; i < 40; ++i) ASSERT_TRUE(remove("k" + std::to_string(i)).ok());
    }
    ASSERT_TRUE(host_.run(engine_->flush()).ok());
  }
  host_.run_until_idle();
  EXPECT_EQ(engine_->stats().tables, 1u);
  EXPECT_EQ(engine_->stats().merges, 1u);
  EXPECT_EQ(scan("", "").size(), 10u);
  EXPECT_EQ(get("k45"), "3");
  EXPECT_EQ(get("k5"), "nothing");
  int tables = 0;
  for (const std::string& path : host_.disk().paths())
    tables += path.starts_with("data/tables/") ? 1 : 0;
  EXPECT_EQ(tables, 1) << "the merged ones are gone from the disk";
}

TEST_F(EngineTest, files_that_cannot_be_removed_are_left_to_the_next_start) {
  options_.tables_max = 1;
  options_.reserve_bytes = 1;
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  host_.disk().fail(DiskCall::Kind::kWrite, Code::kNoSpace);
  host_.disk().fail(DiskCall::Kind::kRemove, Code::kIo);  // of the flush that failed
  EXPECT_EQ(host_.run(engine_->flush()).code(), Code::kNoSpace);
  EXPECT_EQ(host_.probes("table.not_discarded"), 1u);
  host_.run_until_idle();
  EXPECT_EQ(put("a", "2").code(), Code::kNoSpace) << "asks for room again";
  host_.run_until_idle();
  ASSERT_TRUE(put_durably("a", "2").ok());
  host_.disk().fail(DiskCall::Kind::kRemove, Code::kIo);  // of a table that the merge replaced
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  host_.run_until_idle();
  EXPECT_EQ(engine_->stats().merges, 1u);
  EXPECT_EQ(host_.probes("merge.table_not_removed"), 1u);
  EXPECT_EQ(get("a"), "2");
  end();
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(host_.probes("engine.orphan_removed"), 2u);
  EXPECT_EQ(get("a"), "2");
}

TEST_F(EngineTest, a_merge_that_leaves_nothing_leaves_no_table) {
  options_.tables_max = 1;
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(put_durably("a", "1").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  ASSERT_TRUE(wait(*remove("a")).ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  host_.run_until_idle();
  EXPECT_EQ(engine_->stats().tables, 0u);
  end();
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(engine_->last_submitted(), 2u);
  EXPECT_EQ(get("a"), "nothing");
}

TEST_F(EngineTest, a_bad_table_block_fails_its_reads_and_the_rest_serves) {
  options_.block_cache_bytes = 0;
  options_.tables_max = 1;
  ASSERT_TRUE(start().ok());
  for (int i = 1'000; i < 2'000; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "value").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  host_.disk().bytes("data/tables/000001")[100] ^= 1;
  EXPECT_EQ(get("k1001"), "corrupt: data/tables/000001 at 0: a bad table block");
  EXPECT_EQ(get("k1999"), "value");
  ASSERT_TRUE(put_durably("k1500", "1").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  host_.run_until_idle();
  EXPECT_FALSE(engine_->poisoned());
  EXPECT_EQ(host_.probes("merge.met_bad_block"), 1u);
  EXPECT_EQ(get("k1500"), "1");
}

TEST_F(EngineTest, scans_honour_their_limits_across_memory_and_tables) {
  ASSERT_TRUE(start().ok());
  for (int i = 100; i < 300; i += 2) ASSERT_TRUE(put("k" + std::to_string(i), "even").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  for (int i = 101; i < 300; i += 2) ASSERT_TRUE(put("k" + std::to_string(i), "odd").ok());
  ASSERT_TRUE(remove("k150").ok());
  ASSERT_TRUE(wait(engine_->last_submitted()).ok());
  EXPECT_EQ(scan("", "").size(), 199u);
  EXPECT_EQ(scan("k120", "k130").size(), 10u);
  EXPECT_EQ(scan("k148", "k153").size(), 4u);
  const std::vector<Entry> limited = scan("k149", "", {.rows_max = 3});
  ASSERT_EQ(limited.size(), 3u);
  EXPECT_EQ(limited[1].key, "k151");
  EXPECT_EQ(limited[2].key, "k152");
  EXPECT_EQ(limited[2].value, "even");
  EXPECT_EQ(scan("", "", {.bytes_max = 20}).size(), 3u)
      << "4 + 4, 4 + 3 and the row that reaches it";
  EXPECT_TRUE(scan("z", "").empty());
}

TEST_F(EngineTest, a_scan_is_one_snapshot_whatever_happens_while_it_reads) {
  options_.tables_max = 1;
  options_.block_cache_bytes = 0;
  ASSERT_TRUE(start().ok());
  for (int i = 1'000; i < 3'000; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "old").ok());
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  std::optional<std::vector<Entry>> found;
  host_.spawn([](Engine& engine, std::optional<std::vector<Entry>>& out) -> Task<void> {
    Result<std::vector<Entry>> rows =
        entries_of(co_await engine.scan("", "", {.rows_max = 5'000}, View::kDurable));
    CHECK(rows.ok());
    out = *std::move(rows);
  }(*engine_, found));
  ASSERT_FALSE(found);
  for (int i = 1'000; i < 4'000; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "new").ok());
  ASSERT_TRUE(
      host_.run(engine_->flush()).ok());  // and a merge replaces the table that is being read
  host_.run_until_idle();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 2'000u);
  for (const Entry& entry : *found) ASSERT_EQ(entry.value, "old");
  EXPECT_EQ(scan("", "", {.rows_max = 5'000}).size(), 3'000u);
}

TEST_F(EngineTest, closes_and_opens_again_in_one_process) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(start().ok());
    ASSERT_TRUE(put("k" + std::to_string(round), "v").ok());
    if (round == 1) ASSERT_TRUE(host_.run(engine_->flush()).ok());
    ASSERT_TRUE(host_.run(engine_->close()).ok());
    EXPECT_EQ(put("k", "v").code(), Code::kClosed);
    engine_.reset();
  }
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(scan("", "").size(), 3u);
}

TEST_F(EngineTest, the_same_history_leaves_the_same_bytes) {
  std::map<std::string, std::string> first;
  for (int run = 0; run < 2; ++run) {
    TestHost host(7);
    EngineOptions options;
    options.memtable_bytes_max = 16384;
    options.tables_max = 2;
    std::unique_ptr<Engine> engine = *host.run(Engine::open(host, options));
    Random random(1);
    for (int i = 0; i < 2'000; ++i) {
      Batch batch;
      batch.put("k" + std::to_string(random.below(500)), std::to_string(random.next()));
      (void)engine->submit(batch);
      host.step();
    }
    host.run_until_idle();
    std::map<std::string, std::string> files;
    for (const std::string& path : host.disk().paths()) files[path] = host.disk().bytes(path);
    EXPECT_GT(engine->stats().merges, 0u);
    if (run == 0) first = files;
    EXPECT_TRUE(files == first);
    host.end_tasks();
    engine.reset();
  }
}

}  // namespace
}  // namespace ringside
