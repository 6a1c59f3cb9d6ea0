#include "workloads/value.h"

#include <gtest/gtest.h>

namespace ringside {
namespace {

TEST(Value, starts_with_the_id_of_its_writer_whatever_it_is) {
  EXPECT_EQ(make_record(0x0102030405060708, 8), std::string("\x08\x07\x06\x05\x04\x03\x02\x01", 8));
  EXPECT_EQ(value_id(make_record(99, 100)), 99u);
  EXPECT_EQ(value_id(make_register({77, 5, 1}, 64)), 77u);
  EXPECT_EQ(value_id(make_cart(55, {1, 2})), 55u);
  EXPECT_EQ(value_id("short"), kAbsent);
}

TEST(Value, has_the_size_that_was_asked_for) {
  for (uint64_t bytes : {8, 9, 15, 16, 100, 1000}) EXPECT_EQ(make_record(1, bytes).size(), bytes);
  EXPECT_EQ(make_record(1, 0).size(), kValueHeaderBytes);
  EXPECT_EQ(make_register({1, 2, 3}, 100).size(), 100u);
  EXPECT_EQ(make_register({1, 2, 3}, 0).size(), 20u);
}

TEST(Value, one_changed_bit_is_noticed) {
  const std::string record = make_record(42, 61), content = make_register({42, 7, 8}, 61);
  RegisterValue parsed;
  EXPECT_TRUE(record_intact(record));
  EXPECT_TRUE(parse_register(content, parsed));
  EXPECT_EQ(parsed.timestamp, 7);
  EXPECT_EQ(parsed.actor, 8u);
  for (std::size_t i = 20; i < 61; ++i) {
    std::string damaged = record;
    damaged[i] ^= 4;
    EXPECT_FALSE(record_intact(damaged));
    damaged = content;
    damaged[i] ^= 4;
    EXPECT_FALSE(parse_register(damaged, parsed));
  }
}

TEST(Value, carts_merge_to_their_union) {
  std::vector<uint64_t> items;
  EXPECT_TRUE(merge_cart(make_cart(1, {3, 5, 9}), items));
  EXPECT_TRUE(merge_cart(make_cart(2, {1, 5}), items));
  EXPECT_EQ(items, (std::vector<uint64_t>{1, 3, 5, 9}));
  EXPECT_FALSE(merge_cart(make_cart(2, {1, 5}).substr(0, 20), items));
  EXPECT_FALSE(merge_cart("", items));
}

TEST(Value, of_two_register_values_the_later_timestamp_then_the_greater_actor_wins) {
  EXPECT_TRUE(older({9, 1, 9}, {1, 2, 1}));
  EXPECT_TRUE(older({9, 1, 1}, {1, 1, 2}));
  EXPECT_FALSE(older({1, 1, 2}, {9, 1, 1}));
}

}  // namespace
}  // namespace ringside
