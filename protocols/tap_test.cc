#include "protocols/tap.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "protocols/test_cluster.h"

namespace ringside {
namespace {

using test::TestCluster;

TEST(Tap, sees_what_each_replica_acknowledged) {
  TestCluster cluster;
  cluster.world.record = true;
  const PutResult put = cluster.put("cart", "", "milk");
  ASSERT_EQ(put.outcome, Outcome::kOk);
  cluster.world.run_for(kSecond);

  std::map<std::tuple<NodeId, NodeId, uint64_t>, VersionView> asked;
  std::set<NodeId> acknowledged;
  for (const Frame& frame : cluster.world.sent) {
    const TappedFrame tapped = tap(frame);
    ASSERT_TRUE(tapped.intact);
    EXPECT_EQ(frame.operation, uint64_t{kFirstClient} << 32 | 1);
    if (tapped.kind == Kind::kReplicaPutRequest) {
      EXPECT_EQ(tapped.key, "cart");
      ASSERT_EQ(tapped.versions.size(), 1u);
      EXPECT_EQ(tapped.versions[0].value, "milk");
      EXPECT_EQ(tapped.versions[0].operation, frame.operation);
      Dot dot = tapped.versions[0].dot;
      EXPECT_TRUE(context_covers(tapped.context, dot));
      ++dot.counter;
      EXPECT_FALSE(context_covers(tapped.context, dot));
      asked[{frame.to, frame.from, tapped.call}] = tapped.versions[0];
    }
    if (tapped.kind == Kind::kReplicaPutReply && tapped.ok()) {
      EXPECT_EQ(asked.count({frame.from, frame.to, tapped.call}), 1u);
      acknowledged.insert(frame.from);
    }
    if (tapped.kind == Kind::kClientPutReply) {
      EXPECT_TRUE(tapped.ok());
      EXPECT_EQ(tapped.coordinator, put.coordinator);
    }
  }
  const auto home = cluster.home("cart");
  EXPECT_EQ(acknowledged, (std::set<NodeId>{home[1], home[2]}));
}

TEST(Tap, reads_a_clients_put_and_what_its_get_returned) {
  TestCluster cluster;
  cluster.world.record = true;
  cluster.put("cart", "", "milk");
  cluster.put("cart", "", "bread");
  cluster.get("cart");
  std::vector<std::string> put, got;
  for (const Frame& frame : cluster.world.sent) {
    const TappedFrame tapped = tap(frame);
    for (const VersionView& version : tapped.versions) {
      if (tapped.kind == Kind::kClientPutRequest) put.emplace_back(version.value);
      if (tapped.kind == Kind::kClientGetReply) got.emplace_back(version.value);
    }
  }
  EXPECT_EQ(put, (std::vector<std::string>{"milk", "bread"}));
  EXPECT_EQ(got, (std::vector<std::string>{"milk", "bread"}));
}

TEST(Tap, tells_of_versions_of_every_scheme_whether_an_object_has_them_or_superseded_them) {
  for (const Versions versions :
       {Versions::kDotted, Versions::kVectorClock, Versions::kLastWriterWins}) {
    DynamoOptions options;
    options.versions = versions;
    TestCluster cluster(6, options);
    cluster.world.run_for(kSecond);
    cluster.world.record = true;
    const PutResult first = cluster.put("cart", "", "milk");
    cluster.world.run_for(kSecond);
    cluster.put("cart", first.context, "milk, bread");
    cluster.world.run_for(kSecond);
    std::vector<std::string> objects;  // as they went to replicas, and their only versions
    std::vector<VersionView> made;
    for (const Frame& frame : cluster.world.sent) {
      const TappedFrame tapped = tap(frame);
      ASSERT_TRUE(tapped.intact);
      if (tapped.kind != Kind::kReplicaPutRequest) continue;
      ReplicaPutRequest put;
      ASSERT_TRUE(put.parse(body_of(frame)));
      ASSERT_EQ(tapped.versions.size(), 1u);
      EXPECT_EQ(tapped.context, context_of(put.object));
      EXPECT_EQ(tapped.versions[0].clock.empty(), versions != Versions::kVectorClock);
      objects.emplace_back(put.object);
      made.push_back(tapped.versions[0]);
    }
    ASSERT_EQ(objects.size(), 4u);
    EXPECT_TRUE(present_or_superseded(objects[0], made[0])) << "present";
    EXPECT_TRUE(present_or_superseded(objects[3], made[0])) << "superseded";
    EXPECT_TRUE(present_or_superseded(objects[3], made[3]));
    EXPECT_FALSE(present_or_superseded(objects[0], made[3])) << "not yet";
  }
}

TEST(Tap, says_nothing_of_a_damaged_frame) {
  TestCluster cluster;
  cluster.world.record = true;
  cluster.put("cart", "", "milk");
  for (Frame frame : cluster.world.sent) {
    frame.bytes = Buffer::copy_of(frame.bytes.view());
    frame.bytes.mutable_data()[frame.bytes.size() / 2] ^= 1;
    const TappedFrame tapped = tap(frame);
    EXPECT_FALSE(tapped.intact);
    EXPECT_TRUE(tapped.versions.empty() && tapped.key.empty());
  }
}

}  // namespace
}  // namespace ringside
