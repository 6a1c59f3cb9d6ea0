// What keeps an engine within its bounds must let go of it again.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace ringside
