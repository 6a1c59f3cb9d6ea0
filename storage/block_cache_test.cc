#include "storage/block_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <list>
#include <map>
#include <string>
#include <vector>

namespace ringside {
namespace {

constexpr std::size_t kBlock = 4096;

bool touch(BlockCache& cache, uint64_t table, uint64_t offset) {
  if (cache.find(table, offset) != nullptr) return true;
  cache.insert(table, offset, Buffer::with_size(kBlock));
  return false;
}

// What the cache is measured against.
class PlainLru {
 public:
  explicit PlainLru(std::size_t blocks) : blocks_(blocks) {}
  bool touch(uint64_t name) {
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return true;
    }
    recent_.push_front(name);
    by_name_[name] = recent_.begin();
    if (recent_.size() > blocks_) {
      by_name_.erase(recent_.back());
      recent_.pop_back();
    }
    return false;
  }

 private:
  std::size_t blocks_;
  std::list<uint64_t> recent_;
  std::map<uint64_t, std::list<uint64_t>::iterator> by_name_;
};

class Zipf {
 public:
  Zipf(std::size_t count, double exponent) {
    double sum = 0;
    for (std::size_t i = 1; i <= count; ++i)
      upto_.push_back(sum += std::pow(static_cast<double>(i), -exponent));
  }
  uint64_t draw(Random& random) const {
    const double wanted = random.uniform() * upto_.back();
    return static_cast<uint64_t>(std::lower_bound(upto_.begin(), upto_.end(), wanted) -
                                 upto_.begin());
  }

 private:
  std::vector<double> upto_;
};

TEST(BlockCache, finds_what_was_put_there_and_keeps_to_its_room) {
  BlockCache cache(100 * kBlock);
  EXPECT_EQ(cache.find(1, 0), nullptr);
  cache.insert(1, 0, Buffer::copy_of("of table 1"));
  cache.insert(2, 0, Buffer::copy_of("of table 2"));
  cache.insert(1, 4096, Buffer::copy_of("further on"));
  EXPECT_EQ(cache.find(1, 0)->view(), "of table 1");
  EXPECT_EQ(cache.find(2, 0)->view(), "of table 2");
  EXPECT_EQ(cache.peek(1, 4096)->view(), "further on");
  EXPECT_EQ(cache.peek(2, 4096), nullptr);
  cache.insert(1, 0, Buffer::copy_of("twice"));
  EXPECT_EQ(cache.find(1, 0)->view(), "of table 1");
  EXPECT_EQ(cache.stats().hits, 3u);
  EXPECT_EQ(cache.stats().misses, 1u);
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t size = random.below(20'000);
    if (cache.find(3, random.below(500)) == nullptr)
      cache.insert(3, random.below(500), Buffer::with_size(size));
    ASSERT_LE(cache.bytes(), 100 * kBlock);
  }
  EXPECT_GT(cache.bytes(), 90 * kBlock);
  const uint64_t before = cache.bytes();
  cache.insert(4, 0, Buffer::with_size(101 * kBlock));
  EXPECT_EQ(cache.bytes(), before) << "what is larger than the cache does not empty it";
}

TEST(BlockCache, a_block_that_was_handed_out_outlives_its_place) {
  BlockCache cache(10 * kBlock);
  Buffer block = Buffer::copy_of(std::string(kBlock, 'x'));
  cache.insert(1, 0, block);
  const Buffer held = *cache.find(1, 0);
  for (uint64_t i = 1; i < 100; ++i) touch(cache, 1, i * kBlock);
  EXPECT_EQ(cache.peek(1, 0), nullptr);
  EXPECT_EQ(held.view(), std::string(kBlock, 'x'));
}

TEST(BlockCache, a_scan_of_ten_times_its_room_leaves_the_hot_blocks) {
  constexpr uint64_t kBlocks = 1'000;
  const auto hit_rate_after_scan = [](auto&& touch_block) {
    Random random(2);
    const auto hot = [&](int count) {
      int hits = 0;
      for (int i = 0; i < count; ++i) hits += touch_block(1, random.below(800)) ? 1 : 0;
      return hits;
    };
    hot(20'000);
    const int before = hot(10'000);
    for (uint64_t i = 0; i < 10 * kBlocks; ++i) touch_block(2, i);
    const int after = hot(800);
    return std::pair(before / 10'000.0, after / 800.0);
  };
  BlockCache cache(kBlocks * kBlock);
  const auto [before, after] = hit_rate_after_scan(
      [&](uint64_t table, uint64_t block) { return touch(cache, table, block * kBlock); });
  EXPECT_GT(before, 0.99);
  EXPECT_GT(after, 0.98);
  EXPECT_GT(cache.stats().rejections, 9 * kBlocks);

  PlainLru lru(kBlocks);
  const auto [lru_before, lru_after] = hit_rate_after_scan(
      [&](uint64_t table, uint64_t block) { return lru.touch(table << 32 | block); });
  EXPECT_GT(lru_before, 0.99);
  EXPECT_LT(lru_after, 0.6) << "a plain LRU lost them";
}

TEST(BlockCache, hits_more_often_than_a_plain_lru) {
  for (const double exponent : {0.7, 0.9, 1.1}) {
    for (const std::size_t blocks : {200, 1'000}) {
      const Zipf zipf(20'000, exponent);
      BlockCache cache(blocks * kBlock);
      PlainLru lru(blocks);
      Random random(3);
      int hits = 0, lru_hits = 0;
      constexpr int kRounds = 200'000;
      for (int i = 0; i < kRounds; ++i) {
        const uint64_t block = mix(zipf.draw(random)) >> 20;
        hits += touch(cache, 1, block) ? 1 : 0;
        lru_hits += lru.touch(block) ? 1 : 0;
      }
      EXPECT_GT(hits, lru_hits + kRounds / 100) << exponent << ", " << blocks << " blocks";
      RecordProperty("zipf_" + std::to_string(exponent) + "_" + std::to_string(blocks),
                     std::to_string(hits) + " against " + std::to_string(lru_hits));
    }
  }
}

// The hot blocks change at once; the cache must follow.
TEST(BlockCache, forgets_what_was_hot_once) {
  BlockCache cache(1'000 * kBlock);
  Random random(4);
  for (int i = 0; i < 50'000; ++i) touch(cache, 1, random.below(900) * kBlock);
  int hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool hit = touch(cache, 2, random.below(900) * kBlock);
    if (i >= 10'000) hits += hit ? 1 : 0;
  }
  EXPECT_GT(hits, 9'500);
}

TEST(BlockCache, the_same_calls_leave_the_same_blocks) {
  const auto play = [] {
    BlockCache cache(100 * kBlock);
    Random random(5);
    std::string found;
    for (int i = 0; i < 20'000; ++i) found += touch(cache, 1, random.below(300)) ? '1' : '0';
    return hash_bytes(found);
  };
  EXPECT_EQ(play(), play());
}

}  // namespace
}  // namespace ringside
