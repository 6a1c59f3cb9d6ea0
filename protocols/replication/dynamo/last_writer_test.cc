#include "protocols/replication/dynamo/last_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/test_cluster.h"

namespace ringside {
namespace {

using test::TestCluster;
using test::values;
using testing::ElementsAre;
using testing::IsEmpty;

DynamoOptions last_writer_wins() {
  DynamoOptions options;
  options.versions = Versions::kLastWriterWins;
  return options;
}

TEST(LastWriter, one_version_stays_whatever_the_clients_have_seen) {
  TestCluster cluster(6, last_writer_wins());
  cluster.world.run_for(kSecond);
  cluster.put("cart", "", "milk", 0, 0);
  cluster.world.run_for(kSecond);
  const PutResult bread = cluster.put("cart", "", "bread", 0, 1);
  const GetResult got = cluster.get("cart");
  EXPECT_THAT(values(got), ElementsAre("bread"));
  EXPECT_TRUE(bread.context <= got.context);
  cluster.put("cart", got.context, std::nullopt);
  EXPECT_THAT(values(cluster.get("cart")), IsEmpty());
}

TEST(LastWriter, loses_an_acknowledged_put_to_a_clock_that_is_ahead) {
  for (const Versions versions : {Versions::kLastWriterWins, Versions::kDotted}) {
    DynamoOptions options;
    options.versions = versions;
    TestCluster cluster(6, options);
    const auto home = cluster.home("cart");
    cluster.world.host(home[0]).wall_skew = kSecond;
    cluster.world.run_for(kSecond);
    const PutResult first = cluster.put("cart", "", "milk");
    ASSERT_EQ(first.coordinator, home[0]);
    cluster.world.cut(kFirstClient, home[0]);
    const PutResult second = cluster.put("cart", first.context, "milk, bread");
    ASSERT_EQ(second.outcome, Outcome::kOk) << "acknowledged, on top of what it had seen";
    ASSERT_EQ(second.coordinator, home[1]);
    const GetResult got = cluster.get("cart");
    if (versions == Versions::kDotted) {
      EXPECT_THAT(values(got), ElementsAre("milk, bread"));
    } else {
      EXPECT_THAT(values(got), ElementsAre("milk"));
      EXPECT_EQ(cluster.world.host(home[1]).probes["dynamo.put_came_too_late"], 1);
    }
  }
}

TEST(LastWriter, ties_in_time_have_one_winner) {
  const auto scheme = Versioning::make(last_writer_wins());
  const std::string low = StampedObject{{100, 1, 9}, false, "low", 0}.encoded();
  const std::string high = StampedObject{{100, 2, 1}, false, "high", 0}.encoded();
  const std::string higher = StampedObject{{100, 2, 2}, true, {}, 0}.encoded();
  std::string out;
  EXPECT_EQ(scheme->merge(low, high, out), Versioning::Merge::kSecond);
  EXPECT_EQ(scheme->merge(high, low, out), Versioning::Merge::kFirst);
  EXPECT_EQ(scheme->merge(high, higher, out), Versioning::Merge::kSecond);
  EXPECT_EQ(scheme->merge(higher, low, out), Versioning::Merge::kFirst);
}

TEST(LastWriter, its_encoding_is_these_bytes) {
  const std::string bytes(
      "\x04\x00\x00\x00\x00\x00\x00\x00"
      "\x22\x11\x00\x00\x00\x00\x00\x00"
      "\x07\x00\x00\x00\x00\x00\x00\x00"
      "\x01\x00\x00\x80"
      "\x08\x07\x06\x05\x04\x03\x02\x01"
      "\x02\x00\x00\x40"
      "\x44\x33\x00\x00\x00\x00\x00\x00"
      "hi",
      50);
  EXPECT_EQ((StampedObject{{0x1122, 7, 0x0102030405060708}, false, "hi", 0x3344}.encoded()), bytes);
  EXPECT_EQ(context_of(bytes), encode_stamp({0x1122, 7, 0}));
}

}  // namespace
}  // namespace ringside
