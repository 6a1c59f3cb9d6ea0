#include "storage/memtable.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "runtime/random.h"

namespace ringside {
namespace {

void put(Memtable& table, std::string_view key, std::string_view value, Lsn lsn, Lsn durable) {
  table.apply({.key = key, .value = value}, lsn, durable);
}
std::string get(const Memtable& table, std::string_view key, Lsn at) {
  const Memtable::Version* version = table.find(key, hash_bytes(key), at);
  if (version == nullptr) return "nothing";
  return version->removed ? "removed" : std::string(version->value());
}

TEST(Memtable, shows_each_reader_the_newest_version_at_or_below_its_place) {
  Memtable table;
  put(table, "a", "one", 1, 0);
  put(table, "a", "two", 2, 0);
  table.apply({.key = "a", .removed = true}, 3, 0);
  EXPECT_EQ(get(table, "a", 0), "nothing");
  EXPECT_EQ(get(table, "a", 1), "one");
  EXPECT_EQ(get(table, "a", 2), "two");
  EXPECT_EQ(get(table, "a", 9), "removed");
  EXPECT_EQ(get(table, "b", 9), "nothing");
}

TEST(Memtable, keeps_the_newest_durable_version_while_newer_ones_are_on_their_way) {
  Memtable table;
  put(table, "a", "one", 1, 0);
  put(table, "a", "two", 2, 1);
  put(table, "a", "three", 3, 1);
  EXPECT_EQ(get(table, "a", 1), "one");
  put(table, "a", "four", 4, 2);
  EXPECT_EQ(get(table, "a", 2), "two");
  EXPECT_EQ(get(table, "a", 4), "four");
}

TEST(Memtable, the_later_of_two_changes_in_one_batch_stands) {
  Memtable table;
  put(table, "a", "first", 1, 0);
  put(table, "a", "second, and longer", 1, 0);
  EXPECT_EQ(get(table, "a", 1), "second, and longer");
}

TEST(Memtable, does_not_grow_when_hot_keys_are_written_over) {
  Memtable table;
  Lsn lsn = 0;
  uint64_t settled = 0;
  for (int round = 0; round < 1'000; ++round) {
    for (int i = 0; i < 10; ++i) put(table, "hot", "value" + std::to_string(i), lsn + 1 + i, lsn);
    lsn += 10;
    if (round == 10) settled = table.bytes();
  }
  EXPECT_EQ(table.bytes(), settled);
  EXPECT_EQ(get(table, "hot", lsn), "value9");
}

TEST(Memtable, equals_a_map_in_order_and_content) {
  Memtable table;
  std::map<std::string, std::string> model;
  Random random(5);
  for (Lsn lsn = 1; lsn <= 20'000; ++lsn) {
    std::string key;  // short, long, with common prefixes and zero bytes
    for (uint64_t n = random.below(12); n > 0; --n) key.push_back("\0ab\xff"[random.below(4)]);
    const std::string value = std::to_string(lsn) + std::string(random.below(20), 'x');
    put(table, key, value, lsn, lsn - 1);
    model[key] = value;
  }
  EXPECT_EQ(table.keys(), model.size());
  auto expected = model.begin();
  for (Memtable::Cursor at = table.begin(); at.valid(); at.next(), ++expected) {
    ASSERT_EQ(at.key(), expected->first);
    ASSERT_EQ(at.newest().value(), expected->second);
    ASSERT_EQ(get(table, expected->first, 20'000), expected->second);
    ASSERT_EQ(table.seek(expected->first).key(), expected->first);
  }
  EXPECT_EQ(expected, model.end());
}

}  // namespace
}  // namespace ringside
