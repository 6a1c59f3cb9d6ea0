#include "storage/block.h"

#include <gtest/gtest.h>

#include "runtime/random.h"
#include "storage/bloom.h"
#include "storage/format.h"
#include "storage/index_block.h"
#include "storage/key_prefix.h"
#include "storage/test_bytes.h"
#include "storage/test_table.h"

namespace ringside {
namespace {

std::string block_of(const Entries& entries) {
  BlockBuilder builder(kTestFirstLsn);
  for (const OwnedEntry& entry : entries) builder.add(entry.stored());
  std::string block;
  builder.finish(block);
  return block;
}

TEST(Block, has_the_bytes_of_version_2) {
  const Entries entries = {{"apple", "red", 12, false, 0},
                           {"apple", "green", 10, false, 0x0102030405060708},
                           {"apricot", "", 11, true, 0}};
  EXPECT_EQ(hex(block_of(entries)),
            "00050c02"
            "6170706c65"
            "726564"  // apple = red
            "05001600"
            "0807060504030201"
            "677265656e"  // an older version: green, until it expires
            "02050101"
            "7269636f74"  // apricot is removed; it shares "ap"
            "00000000"
            "01000000");  // one restart
}

TEST(Block, finds_the_newest_version_at_or_below_and_says_when_more_may_follow) {
  const Entries entries = {{"a", "a9", 19},  {"b", "b9", 19}, {"b", "b5", 15}, {"b", "", 12, true},
                           {"bb", "bb", 15}, {"c", "c9", 19}, {"c", "c8", 18}};
  const std::string block = block_of(entries);
  const auto ask = [&](std::string_view key, Lsn at) {
    StoredEntry found;
    switch (search_block(block, kTestFirstLsn, key, at, found)) {
      case BlockAnswer::kAbsent: return std::string("absent");
      case BlockAnswer::kFound:
        return found.removed ? "removed@" + std::to_string(found.lsn)
                             : std::string(found.value) + "@" + std::to_string(found.lsn);
      case BlockAnswer::kContinues: return std::string("continues");
      case BlockAnswer::kCorrupt: return std::string("corrupt");
    }
    return std::string();
  };
  EXPECT_EQ(ask("b", 100), "b9@19");
  EXPECT_EQ(ask("b", 19), "b9@19");
  EXPECT_EQ(ask("b", 18), "b5@15");
  EXPECT_EQ(ask("b", 14), "removed@12");
  EXPECT_EQ(ask("b", 11), "absent");
  EXPECT_EQ(ask("c", 17), "continues");
  EXPECT_EQ(ask("a", 18), "absent");
  EXPECT_EQ(ask("", 100), "absent");
  EXPECT_EQ(ask("ba", 100), "absent");
  EXPECT_EQ(ask("bbb", 100), "absent");
  EXPECT_EQ(ask("d", 100), "absent");
}

// Keys over a small alphabet share odd prefixes; a restart falls anywhere.
TEST(Block, agrees_with_a_model_for_every_key) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    std::set<std::string> keys;
    const auto draw_key = [&] {
      std::string key;
      for (uint64_t n = random.below(12); n > 0; --n)
        key += random.chance(0.1) ? '\xff' : static_cast<char>('a' + random.below(2));
      return key;
    };
    for (int i = 0; i < 60; ++i) keys.insert(draw_key());
    Entries entries;
    for (const std::string& key : keys) {
      Lsn lsn = 40 + random.below(10);
      for (uint64_t n = 1 + random.below(random.chance(0.1) ? 30 : 2); n > 0; --n, --lsn)
        entries.push_back({key, std::string(random.below(40), 'v'), lsn, random.chance(0.2)});
    }
    const std::string block = block_of(entries);
    for (int i = 0; i < 300; ++i) {
      const std::string key =
          random.chance(0.5) ? draw_key() : entries[random.below(entries.size())].key;
      const Lsn at = 10 + random.below(50);
      const OwnedEntry* expected = newest_at(entries, key, at);
      StoredEntry found;
      const BlockAnswer answer = search_block(block, kTestFirstLsn, key, at, found);
      ASSERT_EQ(answer == BlockAnswer::kFound, expected != nullptr) << seed << " " << key;
      if (expected != nullptr) {
        ASSERT_EQ(owned(found, key), *expected);
      } else if (answer == BlockAnswer::kContinues) {
        ASSERT_EQ(key, entries.back().key);
      }
      BlockCursor cursor(block, kTestFirstLsn);
      cursor.seek(key);
      const auto next = std::lower_bound(
          entries.begin(), entries.end(), key,
          [](const OwnedEntry& entry, const std::string& wanted) { return entry.key < wanted; });
      ASSERT_EQ(cursor.valid(), next != entries.end());
      if (cursor.valid()) {
        ASSERT_EQ(owned(cursor.entry(), cursor.key()), *next);
      }
    }
  }
}

TEST(Block, survives_any_bytes) {
  Random random(3);
  Entries entries;
  for (int i = 100; i < 200; ++i)
    entries.push_back({"key" + std::to_string(i), "value", 11, i % 7 == 0, i % 5});
  const std::string good = block_of(entries);
  int corrupt = 0, bad_answers = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.chance(0.1)) bytes.resize(random.below(bytes.size()));
    BlockCursor cursor(bytes, kTestFirstLsn);
    cursor.seek("key150");
    for (int steps = 0; cursor.valid() && steps < 1'000; ++steps) cursor.next();
    corrupt += cursor.corrupt() ? 1 : 0;
    StoredEntry found;
    bad_answers +=
        search_block(bytes, kTestFirstLsn, "key150", 100, found) == BlockAnswer::kCorrupt ? 1 : 0;
  }
  EXPECT_GT(corrupt, 1'000);
  EXPECT_GT(bad_answers, 500);
}

TEST(IndexBlock, has_the_bytes_of_version_2) {
  IndexBlockBuilder builder;
  builder.add("user/a", {.offset = 0, .bytes = 100, .checksum = 0x1122334455667788});
  builder.add("user/abcdefghij", {.offset = 300,
                                  .bytes = 50,
                                  .text_bytes = 200,
                                  .checksum = 9,
                                  .compression = Compression::kZstd});
  std::string block;
  builder.finish(block);
  EXPECT_EQ(hex(block),
            "0200000006000000"
            "757365722f61"      // two pieces begin with "user/a"
            "0000000000000000"  // the first ends there
            "6968676665646362"  // the second goes on with "bcdefghi"
            "000000000c000000"  // where they begin
            "00"
            "00"
            "9003"
            "8877665544332211"
            "096a"
            "ac02"
            "ca01"
            "c801"
            "0900000000000000");
}

TEST(IndexBlock, agrees_with_a_model_for_every_key) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const std::string prefix(random.below(5), 'p');
    const auto draw_key = [&] {
      std::string key = prefix;
      for (uint64_t n = random.below(20); n > 0; --n)
        key += random.chance(0.5) ? 'a' : static_cast<char>(random.below(3));
      return key;
    };
    std::multiset<std::string> sorted;
    for (uint64_t n = 1 + random.below(50); n > 0; --n) sorted.insert(draw_key());
    const std::vector<std::string> separators(sorted.begin(), sorted.end());
    IndexBlockBuilder builder;
    uint64_t offset = 0;
    for (const std::string& separator : separators)
      builder.add(separator, {.offset = offset++, .bytes = 1, .checksum = random.next()});
    std::string block;
    builder.finish(block);
    IndexBlock index;
    ASSERT_TRUE(index.parse(block));
    ASSERT_EQ(index.size(), separators.size());
    for (int i = 0; i < 200; ++i) {
      std::string key =
          random.chance(0.3) ? separators[random.below(separators.size())] : draw_key();
      if (random.chance(0.1)) key = key.substr(0, random.below(key.size() + 1));
      const auto expected = std::lower_bound(separators.begin(), separators.end(), key);
      const uint32_t found = index.find(key);
      ASSERT_EQ(found, static_cast<uint32_t>(expected - separators.begin())) << seed;
      BlockHandle handle;
      if (found < index.size()) {
        ASSERT_TRUE(index.handle(found, handle));
        ASSERT_EQ(handle.offset, found);
      }
    }
  }
}

TEST(IndexBlock, survives_any_bytes) {
  IndexBlockBuilder builder;
  for (int i = 100; i < 200; ++i)
    builder.add("key" + std::to_string(i), {.offset = 7, .bytes = 4096});
  std::string good;
  builder.finish(good);
  Random random(4);
  int bad = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.chance(0.1)) bytes.resize(random.below(bytes.size()));
    IndexBlock index;
    if (!index.parse(bytes)) {
      ++bad;
      continue;
    }
    BlockHandle handle;
    EXPECT_LE(index.find("key150"), index.size());
    for (uint32_t i = 0; i < index.size(); ++i) bad += index.handle(i, handle) ? 0 : 1;
  }
  EXPECT_GT(bad, 1'000);
}

TEST(IndexBlock, a_separator_lies_between_and_is_short) {
  EXPECT_EQ(separator_between("user/0009", "user/0010"), "user/001");
  EXPECT_EQ(separator_between("abc", "abd"), "abc");
  EXPECT_EQ(separator_between("abc", "abcd"), "abc");
  EXPECT_EQ(separator_between("abc", "abc"), "abc");
  Random random(5);
  for (int i = 0; i < 10'000; ++i) {
    std::string a, b;
    for (uint64_t n = random.below(6); n > 0; --n) a += static_cast<char>(random.below(3));
    for (uint64_t n = random.below(6); n > 0; --n) b += static_cast<char>(random.below(3));
    if (b < a) std::swap(a, b);
    const std::string_view separator = separator_between(a, b);
    ASSERT_TRUE(separator >= a && (a == b || separator < b));
    ASSERT_LE(separator.size(), std::max(a.size(), b.size()));
  }
}

TEST(KeyPrefix, a_word_compares_as_its_bytes) {
  EXPECT_EQ(first_word("abcdefgh"), 0x6162636465666768u);
  EXPECT_EQ(first_word("\xff"), 0xff00000000000000u);
  EXPECT_EQ(first_word(""), 0u);
  EXPECT_EQ(common_prefix("abcdefghij", "abcdefghik"), 9u);
  EXPECT_EQ(common_prefix("abcdefgh", "abcdefghi"), 8u);
  EXPECT_EQ(common_prefix("", "a"), 0u);
}

TEST(Bloom, passes_every_key_and_about_as_few_others_as_its_bits_promise) {
  const auto passed_per_10000 = [](uint32_t bits) {
    const uint32_t probes = bloom_probes(bits);
    std::string filter = empty_bloom(100'000, bits);
    EXPECT_LE(filter.size(), 100'000 * bits / 8 + 64);
    for (uint64_t i = 0; i < 100'000; ++i)
      bloom_add(filter, probes, hash_bytes("key" + std::to_string(i)));
    for (uint64_t i = 0; i < 100'000; ++i)
      EXPECT_TRUE(bloom_may_contain(filter, probes, hash_bytes("key" + std::to_string(i))));
    int passed = 0;
    for (uint64_t i = 0; i < 100'000; ++i)
      passed += bloom_may_contain(filter, probes, hash_bytes("other" + std::to_string(i))) ? 1 : 0;
    return passed / 10;
  };
  EXPECT_NEAR(passed_per_10000(5), 1'050, 200);
  EXPECT_NEAR(passed_per_10000(10), 100, 40);
  EXPECT_LT(passed_per_10000(16), 15);
}

TEST(Bloom, has_the_bytes_of_version_2) {
  std::string filter = empty_bloom(60, 10);
  EXPECT_EQ(filter.size(), 128u);
  for (int i = 0; i < 60; ++i) bloom_add(filter, bloom_probes(10), hash_bytes(std::to_string(i)));
  EXPECT_EQ(hash_bytes(filter), 6995471917424326735u);
}

}  // namespace
}  // namespace ringside
