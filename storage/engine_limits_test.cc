// What keeps an engine within its bounds must let go of it again.
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "runtime/test_scale.h"
#include "storage/engine.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

class EngineLimits : public testing::Test {
 protected:
  ~EngineLimits() override {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }
  void start() {
    options_.abort_when_poisoned = false;
    engine_ = std::move(host_.run(Engine::open(host_, options_))).value();
  }
  Result<Lsn> put(std::string_view key, std::size_t value_bytes) {
    Batch batch;
    batch.put(key, std::string(value_bytes, 'v'));
    const Result<Lsn> lsn = engine_->submit(batch);
    host_.run_until_idle();
    return lsn;
  }

  TestHost host_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

// Three sizes, and not more tables of one than may stand side by side.
TEST_F(EngineLimits, tiers_that_stop_puts_are_merged_all_at_once) {
  options_.compaction = Compaction::kSizeTiered;
  options_.tables_max = 8;
  options_.tables_stop = 24;
  start();
  for (const std::size_t bytes : {320'000u, 40'000u, 4'000u}) {
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(put("key " + std::to_string(i), bytes).ok()) << bytes << ", " << i;
      ASSERT_TRUE(host_.run(engine_->flush()).ok());
      host_.run_until_idle();
    }
  }
  EXPECT_EQ(engine_->stats().overloaded, 0u);
  EXPECT_TRUE(put("another", 100).ok());
  EXPECT_EQ(engine_->stats().tables, 1u);
}

TEST_F(EngineLimits, a_small_reserve_is_looked_after_before_it_is_used_up) {
  options_.memtable_bytes_max = 1u << 20;  // it is not flushing that asks for space
  options_.reserve_bytes = 64'000;
  start();
  ASSERT_TRUE(put("a", 100).ok());
  host_.disk().set_free_bytes(options_.reserve_bytes - 1);
  const uint64_t before = engine_->stats().log_bytes;
  Result<Lsn> last = put("a", 1'000);
  while (last.ok() && engine_->stats().log_bytes - before <= 2 * options_.reserve_bytes)
    last = put("a", 1'000);
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.code(), Code::kNoSpace);
  EXPECT_LE(engine_->stats().log_bytes - before, options_.reserve_bytes / 4 + 2 * kPageBytes);
}

// What a long merge of level 0 has written serves at once, and counts no longer as waiting.
TEST_F(EngineLimits, a_merge_of_level_0_takes_effect_as_it_goes) {
  options_.memtable_bytes_max = 64u << 10;
  options_.tables_max = 4;
  start();
  constexpr int kKeys = 4'000;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kKeys; ++i) {
      const int key = i * 1'237 % kKeys;  // all over the range: every table overlaps every other
      Batch batch;
      batch.put("key " + std::to_string(10'000 + key),
                std::to_string(round) + std::string(90, 'v'));
      while (!engine_->submit(batch).ok()) ASSERT_TRUE(host_.step());
    }
  }
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  host_.run_until_idle();
  EXPECT_GT(host_.probes("merge.adopted_in_part"), 0u);
  const Result<Rows> rows = host_.run(
      engine_->scan("", "", {.rows_max = 2 * kKeys, .bytes_max = 64u << 20}, View::kDurable));
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->size(), static_cast<std::size_t>(kKeys));
  for (const StoredEntry& row : *rows) EXPECT_EQ(row.value[0], '2') << row.key;
}

// What a node that holds many partitions pays for those in which nothing happens.
std::vector<KeyRange> many_ranges(uint32_t count) {
  const auto key = [](uint32_t number) {
    std::string bytes(4, '\0');
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(number >> (24 - 8 * i) & 0xff);
    return bytes;
  };
  std::vector<KeyRange> ranges;
  for (uint32_t i = 0; i < count; ++i) ranges.push_back({key(i), key(i + 1)});
  return ranges;
}

TEST_F(EngineLimits, a_hundred_idle_tablets_take_less_than_a_mebibyte) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's allocator counts otherwise";
  options_.one_tablet = false;
  options_.merkle_depth = 6;
  start();
  ASSERT_TRUE(host_.run(engine_->create_tablets(many_ranges(1))).ok());
  ASSERT_TRUE(host_.run(engine_->drop_tablet(many_ranges(1).front())).ok());
  const std::vector<KeyRange> ranges = many_ranges(100);
  const uint64_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  ASSERT_TRUE(host_.run(engine_->create_tablets(ranges)).ok());
  const uint64_t empty = mallinfo2().uordblks + mallinfo2().hblkhd;
  Batch rows;  // one group of the log: the disk of this test is memory, too
  for (const KeyRange& range : ranges) rows.put(range.begin, std::string(20, 'v'));
  ASSERT_TRUE(engine_->submit(rows).ok());
  host_.run_until_idle();
  const uint64_t touched = mallinfo2().uordblks + mallinfo2().hblkhd;
  RecordProperty("bytes_of_an_empty_tablet", std::to_string((empty - before) / 100));
  RecordProperty("bytes_of_a_tablet_with_a_row", std::to_string((touched - before) / 100));
  std::cout << (empty - before) / 100 << " bytes an empty tablet, " << (touched - before) / 100
            << " with a row in memory\n";
  EXPECT_LT(empty - before, 512u << 10);
  EXPECT_LT(touched - before, 1u << 20);
}

TEST_F(EngineLimits, opening_five_hundred_tablets_costs_twice_what_half_of_them_cost) {
  options_.one_tablet = false;
  uint64_t calls[2] = {};
  for (const uint32_t half : {1u, 0u}) {
    const std::vector<KeyRange> ranges = many_ranges(half ? 250 : 500);
    options_.directory = half ? "half" : "whole";
    start();
    ASSERT_TRUE(host_.run(engine_->create_tablets(ranges)).ok());
    for (const KeyRange& range : ranges) ASSERT_TRUE(put(range.begin, 20).ok());
    ASSERT_TRUE(host_.run(engine_->flush()).ok());
    ASSERT_TRUE(host_.run(engine_->close()).ok());
    host_.end_tasks();
    engine_.reset();
    const uint64_t before = host_.disk().performed;
    const auto begun = std::chrono::steady_clock::now();
    start();
    const auto took = std::chrono::steady_clock::now() - begun;
    calls[half] = host_.disk().performed - before;
    std::cout << ranges.size() << " tablets: " << calls[half] << " disk calls, "
              << std::chrono::duration_cast<std::chrono::microseconds>(took).count() << " us\n";
    EXPECT_EQ(engine_->tablets().size(), ranges.size());
  }
  EXPECT_LT(calls[0], calls[1] * 22 / 10);
}

}  // namespace
}  // namespace ringside
