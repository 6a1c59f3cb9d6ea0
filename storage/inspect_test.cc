#include "storage/inspect.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/test_host.h"

namespace ringside {
namespace {

using Disks = std::map<std::string, std::string>;

// A directory with tables, flushed and unflushed batches, as a killed process leaves it.
class InspectTest : public testing::Test {
 protected:
  InspectTest() { start({}); }
  ~InspectTest() override { end(); }

  void start(EngineOptions options) {
    options.abort_when_poisoned = false;
    Result<std::unique_ptr<Engine>> opened = host_.run(Engine::open(host_, options));
    CHECK(opened.ok());
    engine_ = *std::move(opened);
  }
  void put(int first, int last, const std::string& value) {
    Lsn lsn = 0;
    for (int i = first; i < last; ++i) {
      Batch batch;
      batch.put("key" + std::to_string(1'000 + i), value + std::to_string(i));
      lsn = *engine_->submit(batch);
      if (i % 10 == 0) CHECK(host_.run(held(*engine_, lsn)).ok());
    }
    CHECK(host_.run(held(*engine_, lsn)).ok());
  }
  void flush() { CHECK(host_.run(engine_->flush()).ok()); }
  void end() {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }
  void fill() {
    put(0, 400, "first");
    flush();
    put(200, 600, std::string(100, 'v'));
    flush();
    put(590, 650, "log");
    end();
  }
  DirectoryContents contents() {
    Result<DirectoryContents> read = host_.run(read_contents(host_, options_));
    CHECK(read.ok());
    return *std::move(read);
  }
  DirectoryVerdict verify() {
    Result<DirectoryVerdict> verdict = host_.run(verify_directory(host_, options_));
    CHECK(verdict.ok());
    host_.kill();
    return *std::move(verdict);
  }
  Disks disk() {
    Disks files;
    for (const std::string& path : host_.disk().paths()) files[path] = host_.disk().bytes(path);
    return files;
  }
  // As it was, but for what recovery has made.
  void restore(const Disks& files) {
    for (const auto& [path, bytes] : files) host_.disk().bytes(path) = bytes;
  }
  static Task<Result<void>> held(Engine& engine, Lsn lsn) {
    co_return co_await engine.durable(lsn);
  }

  TestHost host_;
  EngineOptions options_ = options_to_read("data", "");
  std::unique_ptr<Engine> engine_;
};

TEST_F(InspectTest, contents_are_what_the_manifest_and_the_log_say) {
  fill();
  const Disks before = disk();
  const DirectoryContents found = contents();
  EXPECT_EQ(disk(), before);
  ASSERT_TRUE(found.manifest) << found.manifest_error;
  ASSERT_EQ(found.tables.size(), 2u);
  EXPECT_EQ(found.tables[1].description.smallest, "key1000");
  EXPECT_EQ(found.tables[1].description.largest, "key1399");
  EXPECT_EQ(found.tables[1].description.entries, 400u);
  EXPECT_EQ(found.tables[0].description.largest, "key1599");
  EXPECT_EQ(found.tables[0].error, "");
  ASSERT_FALSE(found.log.empty());
  EXPECT_EQ(found.log.back().end, 861u);
  for (const LogFileOnDisk& file : found.log) {
    EXPECT_TRUE(file.gaps.empty());
    EXPECT_LE(file.bytes, file.file_bytes);
  }
  EXPECT_TRUE(found.unnamed.empty());
}

TEST_F(InspectTest, a_directory_that_a_killed_process_left_is_clean) {
  fill();
  const DirectoryVerdict verdict = verify();
  EXPECT_EQ(verdict.problems, std::vector<std::string>());
  EXPECT_EQ(verdict.tables, 2u);
  EXPECT_EQ(verdict.entries, 800u);
  EXPECT_EQ(verdict.keys, 650u);
  EXPECT_EQ(verdict.batches_replayed, 60u);
}

TEST_F(InspectTest, every_bad_block_of_a_table_is_named_with_file_and_offset) {
  fill();
  std::string& table = host_.disk().bytes("data/tables/000002");
  table[10] ^= 1;
  table[9'000] ^= 1;
  const DirectoryVerdict verdict = verify();
  ASSERT_GE(verdict.problems.size(), 2u);
  EXPECT_EQ(verdict.problems[0], "data/tables/000002 at 0: a bad table block");
  EXPECT_EQ(verdict.problems[1].substr(0, 22), "data/tables/000002 at ");
  EXPECT_NE(verdict.problems[1], verdict.problems[0]);
  for (const std::string& problem : verdict.problems)
    EXPECT_TRUE(problem.starts_with("data/tables/000002 at ")) << problem;
}

TEST_F(InspectTest, a_missing_table_a_bad_manifest_and_a_lost_group_are_problems) {
  fill();
  const Disks good = disk();
  host_.disk().bytes("data/manifest")[33] ^= 1;
  const DirectoryContents read = contents();
  EXPECT_FALSE(read.manifest);
  EXPECT_TRUE(read.manifest_error.starts_with("data/manifest at 0: ")) << read.manifest_error;
  EXPECT_FALSE(read.log.empty());
  EXPECT_EQ(read.unnamed.size(), 2u);
  EXPECT_EQ(verify().problems, std::vector<std::string>{read.manifest_error});
  restore(good);

  // A group since the last flush: what follows proves that it was durable.
  for (const LogFileOnDisk& file : contents().log) {
    if (file.end != 861) continue;
    std::string& bytes = host_.disk().bytes(file.path);
    bytes[file.bytes - 3 * kPageBytes + 200] ^= 1;
    const DirectoryVerdict verdict = verify();
    ASSERT_FALSE(verdict.problems.empty());
    EXPECT_TRUE(verdict.problems[0].starts_with(file.path + " at " +
                                                std::to_string(file.bytes - 3 * kPageBytes) + ": "))
        << verdict.problems[0];
  }
}

// Whatever bit of whatever file is flipped: it is found, or it makes no difference to what is read.
TEST_F(InspectTest, no_flipped_bit_crashes_it_or_passes_as_something_else) {
  fill();
  const Disks good = disk();
  const DirectoryVerdict clean = verify();
  restore(good);
  Random random(7);
  int found = 0, rounds = 0;
  for (const auto& [path, bytes] : good) {
    for (int i = 0; i < 60 && !bytes.empty(); ++i, ++rounds) {
      const uint64_t at = random.below(bytes.size());
      const uint64_t bit = random.below(8);
      host_.disk().bytes(path)[at] ^= static_cast<char>(1 << bit);
      const DirectoryVerdict verdict = verify();
      if (verdict.problems.empty()) {
        EXPECT_EQ(verdict.entries, clean.entries) << path << " at " << at;
        // The last group may pass for a torn tail, and no more than it.
        EXPECT_GE(verdict.keys, clean.keys - 10) << path << " at " << at;
      } else {
        ++found;
      }
      // The next round starts from what was there, whatever recovery has made of it.
      for (const std::string& made : host_.disk().paths()) {
        if (!good.contains(made)) host_.disk().bytes(made).clear();
      }
      restore(good);
    }
  }
  EXPECT_GT(found, rounds / 10);
}

TEST_F(InspectTest, a_sealed_directory_is_read_with_its_key_and_refused_without) {
  end();
  const std::string key(32, 'k');
  start({.directory = "sealed", .key = key});
  fill();
  options_ = options_to_read("sealed", key);
  const DirectoryVerdict verdict = verify();
  EXPECT_EQ(verdict.problems, std::vector<std::string>());
  EXPECT_EQ(verdict.entries, 800u);
  EXPECT_EQ(verdict.keys, 650u);
  options_.key.clear();
  EXPECT_EQ(host_.run(verify_directory(host_, options_)).code(), Code::kInvalid);
  host_.kill();
  options_.key = std::string(32, 'x');
  EXPECT_FALSE(verify().problems.empty());
}

TEST_F(InspectTest, archived_segments_are_read_too) {
  end();
  start({.directory = "archived", .archive_bytes_max = 64u << 20});
  fill();
  options_ = options_to_read("archived", "");
  EXPECT_EQ(verify().problems, std::vector<std::string>());
  start(options_);  // its archive keeps what is in tables
  put(0, 10, "more");
  flush();
  host_.run_until_idle();
  end();
  const DirectoryContents found = contents();
  ASSERT_TRUE(found.log.front().archived);
  const LogFileOnDisk& oldest = found.log.front();
  EXPECT_EQ(oldest.first, 1u);
  ASSERT_GT(oldest.groups, 3u);
  host_.disk().bytes(oldest.path)[2 * kPageBytes + 80] ^= 1;
  const DirectoryVerdict verdict = verify();
  ASSERT_EQ(verdict.problems.size(), 1u);
  EXPECT_TRUE(verdict.problems[0].starts_with(oldest.path + " at ")) << verdict.problems[0];
}

TEST_F(InspectTest, a_directory_that_is_not_there_holds_nothing) {
  end();
  options_.directory = "elsewhere";
  const DirectoryContents found = contents();
  ASSERT_TRUE(found.manifest);
  EXPECT_EQ(found.manifest->sequence, 0u);
  EXPECT_TRUE(found.tables.empty() && found.log.empty());
}

}  // namespace
}  // namespace ringside
