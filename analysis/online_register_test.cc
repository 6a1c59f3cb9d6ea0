#include "analysis/online_register.h"

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace ringside {
namespace {

TEST(OnlineRegister, stops_at_the_read_that_goes_back_and_names_what_it_missed) {
  OnlineRegister online;
  online.write_begins(1, 0, 10);
  EXPECT_TRUE(online.write_ends(1, 1, true));
  online.write_begins(2, 2, 11);
  EXPECT_TRUE(online.read_ends(2, 3, 4, 12)) << "a write that has not ended may be read";
  EXPECT_FALSE(online.read_ends(1, 5, 6, 13));
  EXPECT_EQ(online.violation().call, 13u);
  EXPECT_EQ(online.violation().other, 12u);
  EXPECT_FALSE(online.read_ends(2, 7, 8, 14)) << "once is enough";
  EXPECT_EQ(online.violation().call, 13u);
}

TEST(OnlineRegister, nobody_reads_what_nobody_wrote_or_what_surely_failed) {
  OnlineRegister nobody;
  EXPECT_FALSE(nobody.read_ends(9, 0, 1, 1));
  OnlineRegister failed;
  failed.write_begins(1, 0, 1);
  EXPECT_TRUE(failed.write_ends(1, 1, false));
  EXPECT_FALSE(failed.read_ends(1, 2, 3, 2));
  EXPECT_EQ(failed.violation().other, 1u);
  OnlineRegister read_first;
  read_first.write_begins(1, 0, 1);
  EXPECT_TRUE(read_first.read_ends(1, 1, 2, 2));
  EXPECT_FALSE(read_first.write_ends(1, 3, false)) << "it was read, so it did happen";
}

TEST(OnlineRegister, follows_a_long_register_to_its_first_mistake) {
  Random random(4);
  OnlineRegister online;
  Time now = 0;
  uint64_t value = 0;
  for (uint32_t i = 1; i <= 200'000; ++i) {
    now += 2;
    if (random.chance(0.5)) {
      online.write_begins(i, now, i);
      ASSERT_TRUE(online.write_ends(value = i, now + 1, true));
    } else {
      ASSERT_TRUE(online.read_ends(value, now - static_cast<Time>(random.below(2)), now + 1, i));
    }
  }
  online.write_begins(900'000, now += 2, 900'000);
  ASSERT_TRUE(online.write_ends(900'000, now += 1, true));
  EXPECT_FALSE(online.read_ends(value, now + 1, now + 2, 900'001));
}

}  // namespace
}  // namespace ringside
