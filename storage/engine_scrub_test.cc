// The scrubber finds what is wrong on the disk, whatever memory holds.
#include <gtest/gtest.h>

#include "storage/engine.h"
#include "storage/table_format.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

constexpr const char* kTable = "data/tables/000001";

// An engine with one table, every block of which is in the cache.
class EngineScrub : public testing::Test {
 protected:
  EngineScrub() {
    options_.abort_when_poisoned = false;
    engine_ = std::move(host_.run(Engine::open(host_, options_))).value();
    for (int i = 1'000; i < 2'000; ++i) {
      Batch batch;
      batch.put("k" + std::to_string(i), "value");
      CHECK(engine_->submit(batch).ok());
    }
    CHECK(host_.run(engine_->flush()).ok());
    for (int i = 1'000; i < 2'000; ++i) EXPECT_EQ(get("k" + std::to_string(i)), "value");
  }
  ~EngineScrub() override {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }
  std::string get(std::string key) {
    Result<std::optional<std::string>> value =
        host_.run(engine_->get(std::move(key), View::kDurable));
    return value.ok() ? value->value_or("nothing") : value.error().text();
  }
  ScrubReport scrub() { return std::move(host_.run(engine_->scrub())).value(); }

  TestHost host_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineScrub, rot_under_a_cached_block_is_found_and_told) {
  EXPECT_TRUE(scrub().bad.empty());
  EXPECT_TRUE(engine_->suspects().empty());
  host_.disk().bytes(kTable)[100] ^= 1;
  EXPECT_EQ(get("k1001"), "value") << "from the cache";
  const ScrubReport report = scrub();
  ASSERT_EQ(report.bad.size(), 1u);
  EXPECT_EQ(report.bad[0].why, "data/tables/000001 at 0: a bad table block");
  ASSERT_EQ(engine_->suspects().size(), 1u);
  EXPECT_EQ(host_.probes("scrub.found_bad_block"), 1u);
}

// Blocks, leaves, filter, index; but not the footer, which is for tools: the manifest says it all.
TEST_F(EngineScrub, no_byte_that_an_engine_reads_is_left_out) {
  std::string& bytes = host_.disk().bytes(kTable);
  for (std::size_t at = 0; at < bytes.size() - kTableFooterBytes; at += 61) {
    bytes[at] ^= 16;
    EXPECT_EQ(scrub().bad.size(), 1u) << at << " of " << bytes.size();
    bytes[at] ^= 16;
  }
  EXPECT_TRUE(scrub().bad.empty());
}

}  // namespace
}  // namespace ringside
